"""Run as a program: a SpecTask whose disk fills up in review and is freed again; prints one JSON object of what was seen."""

import asyncio
import json
import resource
import sys
from pathlib import Path

from specthread.agents.scripted import use
from specthread.domain import commands as c
from specthread.domain.model import Refusal
from support.engine_world import ADA, plan, story_of, task, world

CHECK = 'python3 -c "import one"'
WORK = (use("write", path="one.py", text=""),), (use("finish", summary="Added one."),)


async def main(folder: Path) -> None:
    async with world(folder, folder / "checkout", story_of(plan(task(1, "Add one", CHECK, files="one.py")), {1: WORK})) as story:
        await story.create()
        await story.until(lambda spectask: spectask.state == "spec_review" and not spectask.uncommitted)
        before = story.engine.visible
        _, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (0, hard))
        documents = tuple((name, document.digest) for name, document in story.spectask.documents.items())
        approve = c.Submission(command=c.ApproveDocuments(spectask=story.id, documents=documents), actor=ADA)
        answers = [await story.engine.submit(approve) for _ in range(3)]
        seen = {
            "codes": [answer.code for answer in answers if isinstance(answer, Refusal)],
            "unchanged": story.engine.visible is before,
            "trouble": story.engine.trouble,
        }
        resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY if hard == resource.RLIM_INFINITY else hard, hard))
        seen["later"] = type(await story.engine.submit(approve)).__name__
        await story.until(lambda spectask: spectask.state == "approved")
        await story.give(c.StartImplementation(spectask=story.id, limits=story.spectask.limits))
        await story.until(lambda spectask: spectask.state == "implementation_review")
        seen["end"] = story.spectask.state
        seen["trouble_later"] = story.engine.trouble
    sys.stdout.write(json.dumps(seen))


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1])))
