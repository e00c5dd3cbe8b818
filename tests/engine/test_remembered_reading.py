"""A planner that reads what one like it has read before: in the log and in the transcript of a real engine."""

from decimal import Decimal

from specthread.agents.prices import LIST_PRICES
from specthread.agents.remembering import RememberingModel
from specthread.agents.scripted import ScriptedModel, replies_before, spoken, use
from specthread.domain import events as e
from specthread.engine.context_cache import ContextCache
from specthread.engine.settings import RoleSettings
from specthread.protocol.sentences import sentence
from specthread.views.entries import entries
from support.engine_world import DESIGN, REQUIREMENTS, plan, task, world
from support.git_fixture import isolate_git, make_repository

STEPS = (
    use("read", path="README.md"),
    use("search", pattern="One"),
    use("write_document", document="requirements", text=REQUIREMENTS),
    use("write_document", document="design", text=DESIGN),
    use("write_document", document="tasks", text=plan(task(1, "Add one", "python -c 'import one'", files="one.py"))),
    use("finish", summary="Planned."),
)
CHANGES = {"roles": {"planner": RoleSettings(model="claude-sonnet-5-5")}}


async def test_a_planner_that_reads_the_same_again_pays_for_what_it_writes_alone(tmp_path, monkeypatch):
    isolate_git(monkeypatch, tmp_path / "home")
    repository = make_repository(tmp_path / "checkout", {"README.md": "One.\n"})
    asked = []

    def story(request):
        asked.append(replies_before(request))
        return spoken(request, STEPS[min(replies_before(request), len(STEPS) - 1)])

    memory = ContextCache()
    ends = []
    for name in ("one", "two"):
        model = RememberingModel(ScriptedModel(story=story), memory)
        (tmp_path / name).mkdir()
        async with world(tmp_path / name, repository, None, model=model, changes=CHANGES, prices=LIST_PRICES) as engine:
            await engine.create()
            await engine.until(lambda spectask: spectask.state == "spec_review")
            log = await engine.engine.read_events(engine.id)
            ends.append([each for each in log if isinstance(each.event, e.CallFinished)])
    first, second = ([each.event for each in end] for end in ends)
    assert asked == [0, 1, 2, 3, 4, 5, 2, 3, 4, 5]
    assert [end.cached for end in first] == [False] * 6
    assert [end.cached for end in second] == [True, True, False, False, False, False]
    assert [(end.cost_usd, end.input_tokens, end.output_tokens) for end in second[:2]] == [(Decimal(0), 0, 0)] * 2
    assert all(end.cost_usd > 0 for end in (*first, *second[2:]))
    assert sentence(second[0]).endswith("call 1 was answered from memory ($0.0000).")
    assert "call 1 · answered from memory, nothing was sent" in str(entries(ends[1][:1]))
