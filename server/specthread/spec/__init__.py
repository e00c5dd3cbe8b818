"""Spec documents as values: text in, a value and a list of problems out, every character kept. Pure: no input, output or clock."""
