"""From a sentence to merged work with a model that can call no tools, behind a server like Ollama: the real client and a real engine."""

from specthread.agents.capabilities import Learned
from specthread.agents.messages_api import MessagesApiModel
from support.engine_world import DESIGN, REQUIREMENTS, plan, task, world
from support.fake_messages_api import FakeMessagesApi, Line, say
from support.git_fixture import isolate_git, make_repository

CHECK = "python -c 'import calc; assert calc.subtract(3, 1) == 2'"
PLANNING = (
    'I look at it first.\n\n```tool read\n{"path": "calc.py"}\n```\n',
    f"```filepath:requirements.md\n{REQUIREMENTS}```\n\n```filepath:design.md\n{DESIGN}```\n",
    f"```markdown\n<!-- tasks.md -->\n{plan(task(1, 'Subtract', CHECK))}```\n",
    "One function is planned.",
)
WORKING = (
    "```python\ndef subtract(a, b):\n    return a - b\n```\n",
    '```tool read\n{"path": "calc.py"}\n```',
    "Here is the file.\n\n**calc.py**\n\n```python\ndef add(a, b):\n    return a + b\n\n\ndef subtract(a, b):\n    return a - b\n```\n",
    "`subtract` is in calc.py now.",
)


class WordyApi(FakeMessagesApi):
    """Refuses tools, and says one thing after the other."""

    def _line_for(self, request):
        said = sum(message["role"] == "assistant" for message in request.body["messages"])
        story = PLANNING if "You are the planner" in request.body["system"] else WORKING
        return Line(when="", content=(say(story[said]),))


async def test_what_it_writes_into_its_words_is_planned_approved_checked_and_merged(tmp_path, monkeypatch):
    isolate_git(monkeypatch, tmp_path / "home")
    repository = make_repository(tmp_path / "checkout", {"calc.py": "def add(a, b):\n    return a + b\n"})
    async with WordyApi([], refuses=("tools", "output_config", "cache_control"), null_stop=True) as fake:
        model = MessagesApiModel(api_key="k", base_url=fake.url, probes=True, learned=Learned(tmp_path / "c.json"))
        async with world(tmp_path, repository, None, model=model) as story:
            await story.create()
            await story.implement()
            await story.until(lambda spectask: spectask.sessions and story.session().ended)
            session, documents = story.session(), story.spectask.documents
        await model.close()
    assert (session.state, bool(session.merged), session.summary) == ("completed", True, "`subtract` is in calc.py now.")
    assert session.verification.changed == ("calc.py",)
    assert documents["design"].content.decode() == DESIGN
    assert not any("tools" in request.body for request in fake.requests)
