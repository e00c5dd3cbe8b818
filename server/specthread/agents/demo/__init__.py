"""The demo: a story told by scripted agents and a scripted human in a toy repository, through everything that is real."""

from specthread.agents.demo.backend import demo_backend, is_demo_repository
from specthread.agents.demo.human import Seen, next_step

__all__ = ["Seen", "demo_backend", "is_demo_repository", "next_step"]
