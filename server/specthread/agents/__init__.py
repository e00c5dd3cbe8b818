"""Agents: what they are told, what they may do, how they decide what to do next, and where their commands run."""
