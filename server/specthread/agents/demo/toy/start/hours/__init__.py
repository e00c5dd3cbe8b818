"""A timesheet in a text file."""
