"""`specthread mcp`: the daemon for agents of other programs, in a process of its own; the only package that knows the Model Context Protocol."""
