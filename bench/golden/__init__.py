"""Posts written blind, over many trades, and how well the rules read them (python -m bench.golden)."""
