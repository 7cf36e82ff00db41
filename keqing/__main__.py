"""`python -m keqing` = the `keqing` command."""

import sys

from keqing.cli import main

if __name__ == "__main__":
    sys.exit(main())
