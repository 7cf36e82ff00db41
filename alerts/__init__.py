"""Answers → Incident → Notification."""
