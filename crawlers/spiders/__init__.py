"""Spiders: which pages of a site are asked for. What stands on them is read by crawlers.pages."""
