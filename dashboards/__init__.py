"""Answers → pages, and the acts of staff as records."""
