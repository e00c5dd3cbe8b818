"""Runs the command line."""

import sys

from hours.cli import main

sys.exit(main())
