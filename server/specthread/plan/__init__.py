"""Graph arithmetic: what depends on what, what may start now, and why something waits."""
