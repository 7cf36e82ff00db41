"""Public pages and imported files → landed Posts."""
