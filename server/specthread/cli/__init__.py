"""The command line: a client of the daemon, and the spec tools that need none."""
