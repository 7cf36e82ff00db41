"""Tests of deploy/: the compose file, the image, the scripts."""
