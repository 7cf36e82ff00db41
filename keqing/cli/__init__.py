"""The command line: `keqing <verb>`, one verb per stage and the few tools staff use."""

from keqing.cli.main import main

__all__ = ["main"]
