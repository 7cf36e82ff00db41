"""Shared words of keqing (records, settings, landing, workflow) and its command line."""
