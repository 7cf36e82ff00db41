"""Pages, one file per family of addresses: answer (a frozen model), routes, JSON twin."""
