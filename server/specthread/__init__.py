"""Specthread: from a sentence typed in an editor to an approved spec and to merged, verified code."""

__version__ = "0.1.0"
