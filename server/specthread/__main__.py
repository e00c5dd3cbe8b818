"""The console entry: looks at the arguments before it imports anything."""

from __future__ import annotations

import sys


def main() -> None:
    """Runs one command line and exits with its code."""
    arguments = sys.argv[1:]
    if arguments in (["--version"], ["version"]):
        from specthread import __version__  # noqa: PLC0415  nothing else is loaded for this

        sys.stdout.write(f"specthread {__version__}\n")
        sys.exit(0)
    from specthread.cli.app import run  # noqa: PLC0415  the same

    sys.exit(run(arguments))


if __name__ == "__main__":
    main()
