"""What doctor says of models, in words a person acts on."""

import json
from datetime import UTC, date, datetime

import pytest

from specthread import config
from specthread.agents.capabilities import Capabilities, Learned
from specthread.agents.catalogue import Catalogue, Listing, ModelFacts
from specthread.cli.doctor_models import model_findings

URL = "http://127.0.0.1:9"


@pytest.fixture
def environ(tmp_path):
    settings = tmp_path / "config" / "specthread"
    settings.mkdir(parents=True)
    (settings / "config.toml").write_text(
        f'[messages]\nbase_url = "{URL}"\nplanner.model = "big"\nimplementer.model = "old"\ntester.model = "none"\n'
    )
    (tmp_path / "state").mkdir()
    return {"XDG_CONFIG_HOME": str(tmp_path / "config"), "SPECTHREAD_STATE": str(tmp_path / "state"), "HOME": str(tmp_path)}


def found(environ, *, ask=False):
    return list(model_findings(config.load(None, environ).settings, environ, ask=ask))


def test_nothing_is_said_and_nobody_asked_where_nothing_is_known(environ):
    assert found(environ) == []


async def test_a_model_that_does_not_exist_is_a_problem_and_one_that_goes_a_warning(environ, tmp_path):
    async def asked():
        return ModelFacts(id="big"), ModelFacts(id="old", lifecycle="deprecated", retires=date(2027, 1, 5))

    await Catalogue(tmp_path / "state" / "models.json").of(URL, asked, datetime(2026, 11, 20, tzinfo=UTC))
    await Learned(tmp_path / "state" / "capabilities.json").note(URL, "big", Capabilities(tools=False, context=8192))
    said = {text: state for state, text in found(environ)}
    roles = "implementer, database, backend, frontend, integration, reviewer, writer, refactorer"
    assert said["none, the model of tester, does not exist there. It has big, old."] == "problem"
    (old,) = (text for text in said if text.startswith("old"))
    assert set(old.removeprefix("old, the model of ").partition(", is deprecated")[0].split(", ")) == set(roles.split(", "))
    assert said[old] == "warning"
    assert said["big at http://127.0.0.1:9 takes no tools: what it does is taken from its words"] == "warning"
    assert (
        said["big at http://127.0.0.1:9 holds 8,192 tokens at once, too few for most work: give it 32,000 or more in its server"]
        == "warning"
    )


def test_a_server_that_cannot_be_asked_is_told_as_that(environ):
    ((state, text),) = found(environ, ask=True)
    assert (state, text.partition(".")[0]) == ("warning", "it is not known which models exist")


def test_what_was_heard_is_said_with_its_day(environ, tmp_path):
    (tmp_path / "config/specthread/config.toml").write_text(
        f'[messages]\nbase_url = "{URL}"\nplanner.model = "m"\nimplementer.model = "m"\n'
    )
    listing = {URL: {"at": "2026-11-20T00:00:00Z", "models": [{"id": "m"}]}}
    (tmp_path / "state/models.json").write_text(json.dumps(listing))
    assert found(environ) == [("ok", f"m: {URL} had it on 2026-11-20")]
    assert isinstance(Catalogue(tmp_path / "state/models.json").known(URL), Listing)


@pytest.mark.parametrize(("word", "cloud", "problems"), [("bedrock", "bedrock", 0), ("anthropic", "", 0), ("azure", "", 1)])
def test_the_provider_of_models_is_one_of_those_there_are(tmp_path, word, cloud, problems):
    environ = {"XDG_CONFIG_HOME": str(tmp_path), "HOME": str(tmp_path)}
    file = config.user_file(environ)
    file.parent.mkdir()
    file.write_text(f'messages.provider = "{word}"\nmessages.tools = false\nmessages.remember = true\n')
    loaded = config.load(None, environ)
    assert (loaded.settings.messages.provider, len(loaded.problems)) == (cloud, problems)
    assert (loaded.settings.messages.tools, loaded.settings.messages.remember) == (False, True)
    assert all("one of anthropic, bedrock, vertex" in problem.message for problem in loaded.problems)
