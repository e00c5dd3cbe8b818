"""The language server protocol: one server object per connected editor over the one engine. Only this package imports pygls."""
