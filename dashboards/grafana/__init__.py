"""A dashboard for Grafana over the reduced copy of the index: build.py writes data-health.json."""
