"""Page parsers: one answer of a site in, plain rows out. No clock, no network, no settings."""
