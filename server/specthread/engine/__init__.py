"""The only mutable state and the only running tasks: one writer, the event log, and the effects that act on the world."""
