"""Mention → document → answers. Decides nothing and segments nothing itself."""
