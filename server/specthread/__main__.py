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
    if arguments == ["lsp"]:
        from specthread import relay  # noqa: PLC0415  the same

        sys.exit(relay.main())
    if arguments == ["lsp", "--standalone"]:
        from specthread.protocol.lsp import standalone  # noqa: PLC0415  the same

        sys.exit(standalone.serve())
    if arguments[:3] == ["daemon", "run", "--ready-fd"]:
        sys.exit(_serve(int(arguments[3])))
    if arguments[:1] in (["check"], ["inspect"], ["plan"]):
        import gc  # noqa: PLC0415  the same

        # Nothing here makes garbage in circles, and looking for it is a tenth of the time that a short run takes.
        gc.disable()
        from specthread.cli import documents, outcome  # noqa: PLC0415  the same

        sys.exit(outcome.carried_out(lambda: documents.run(arguments), arguments))
    from specthread.cli.app import run  # noqa: PLC0415  the same

    sys.exit(run(arguments))


def _serve(ready_fd: int) -> int:
    """Runs a daemon that somebody waits for: without the command line's own modules, and without looking for garbage while code is loaded."""
    import gc  # noqa: PLC0415  the same
    import os  # noqa: PLC0415  the same
    from pathlib import Path  # noqa: PLC0415  the same

    gc.disable()
    from specthread import daemon, shim  # noqa: PLC0415  the same

    gc.freeze()
    gc.enable()
    return daemon.run(Path(shim.state_folder(os.environ)), os.environ, ready_fd)


if __name__ == "__main__":
    main()
