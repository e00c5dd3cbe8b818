"""Git as Specthread needs it: reading, durable commits without a checkout, worktrees of sessions, merges in memory."""
