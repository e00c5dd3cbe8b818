"""Steps of scripted sessions that coordinate, and what was said to them, for stories of a whole engine."""

from specthread.agents.scripted import use
from specthread.engine.settings import RepositorySettings

IMPORTS = 'python3 -c "import {}"'
HAS_CHECK = RepositorySettings(project_check='python3 -c "import base"')


def coordinate(action, **given):
    return (use("coordinate", action=action, **given),)


def written(name, summary=None):
    """Returns the steps of a session that writes a module and ends."""
    return ((use("write", path=f"{name}.py", text=f"NAME = '{name}'\n"),), (use("finish", summary=summary or f"Wrote {name}."),))


def hearing(script, heard):
    def recorded(request):
        heard.append((request.run.rpartition("/")[2], request))
        return script(request)

    return recorded


def said_to(heard, run):
    """Returns all that was ever said to a run, as its last request holds it."""
    return str([request for name, request in heard if name == run][-1].messages)


async def events_of(story, kind):
    return [item.event for item in await story.engine.read_events(story.id) if isinstance(item.event, kind)]


def is_reviewed(spectask):
    return spectask.state == "implementation_review" and not spectask.uncommitted
