"""Measurements and pictures; nothing here is needed to run keqing."""
