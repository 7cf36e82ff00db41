"""Saved objects for Kibana over the reduced copy of the index: build.py writes keqing.ndjson."""
