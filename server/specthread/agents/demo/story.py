"""The demo's story, at the seam where a real model stands: each request gets the next beat of its script. Nothing here reasons."""

from specthread.agents.backend import ModelRequest, Reply
from specthread.agents.demo.implementer import implementer_beats
from specthread.agents.demo.planner import planner_beats
from specthread.agents.demo.talk import next_reply, talk_from


def demo_story(request: ModelRequest) -> Reply | None:
    """Returns the reply that the script has for a request; None for work that is not the demo's."""
    talk = talk_from(request)
    beats = planner_beats(talk) if request.role == "planner" else implementer_beats(talk)
    return next_reply(request, beats, talk.steps) if beats else None
