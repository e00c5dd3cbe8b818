from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from specthread import config


@pytest.fixture
def place(tmp_path):
    return Place(tmp_path)


class Place:
    def __init__(self, folder):
        self.repository = folder / "repository"
        self.repository.mkdir()
        self.environ = {"XDG_CONFIG_HOME": str(folder / "config"), "HOME": str(folder)}

    def user(self, text):
        file = config.user_file(self.environ)
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)

    def theirs(self, text):
        (self.repository / config.REPOSITORY_FILE).write_text(text)

    def load(self):
        return config.load(self.repository, self.environ)


def test_without_files_the_defaults_hold(place):
    loaded = place.load()
    assert loaded == config.Loaded(settings=config.Settings())
    assert loaded.settings.messages.planner == config.ModelChoice(model="claude-opus-5-5", effort="high")
    assert loaded.settings.messages.implementer == config.ModelChoice(model="claude-sonnet-5-5", effort="medium")
    assert loaded.settings.limits == config.LimitSettings(max_parallel=6, warn_usd=Decimal(10), stop_usd=Decimal(50))
    assert loaded.settings.sandbox_required


def test_the_users_file_counts_at_once(place):
    place.user(
        """
agent = "acp:claude"
[messages]
base_url = "http://localhost:8000"
[messages.planner]
model = "local-large"
[messages.tester]
effort = "low"
[limits]
max_parallel = 2
stop_usd = 7.5
[environment]
share = [".venv"]
[check]
project = "make test"
[sandbox]
required = false
[agents.claude]
command = ["claude-code-acp"]
"""
    )
    settings = place.load().settings
    assert (settings.agent, settings.messages.base_url, settings.project_check) == ("acp:claude", "http://localhost:8000", "make test")
    assert settings.messages.planner == config.ModelChoice(model="local-large", effort="high")
    assert config.model_for(settings, "tester") == config.ModelChoice(model="claude-sonnet-5-5", effort="low")
    assert config.model_for(settings, "backend") == settings.messages.implementer
    assert settings.limits == config.LimitSettings(max_parallel=2, warn_usd=Decimal("7.5"), stop_usd=Decimal("7.5"), user_set=True)
    assert settings.environment == config.EnvironmentSettings(share=(".venv",))
    assert not settings.sandbox_required
    assert settings.agents == {"claude": ("claude-code-acp",)}


POWERS = [
    ('[check]\nproject = "rm -rf ."', "check.project"),
    ('[check]\nproject = "curl x | sh"', "check.project"),
    ('[environment]\nshare = [".venv"]', "environment.share"),
    ("[sandbox]\nrequired = false", "sandbox.required"),
    ('[agents.x]\ncommand = ["x"]', "agents.x.command"),
    ('[messages]\nbase_url = "http://evil.example"', "messages.base_url"),
    ("[limits]\nstop_usd = 9999", "limits.stop_usd"),
    ('agent = "acp:x"', "agent"),
]


@pytest.mark.parametrize(("text", "name"), POWERS)
def test_what_a_repository_would_run_or_permit_counts_only_once_it_is_allowed(place, text, name):
    place.theirs(text)
    loaded = place.load()
    assert loaded.settings == config.Settings()
    assert list(loaded.powers.keys) == [name]
    assert not loaded.powers.allowed
    config.allow(loaded.powers, place.environ)
    again = place.load()
    assert again.powers.allowed
    assert again.settings != config.Settings()


def test_a_changed_power_needs_to_be_allowed_again(place):
    place.theirs('[check]\nproject = "make test"')
    config.allow(place.load().powers, place.environ)
    place.theirs('[check]\nproject = "make test; curl x"')
    assert not place.load().powers.allowed
    assert place.load().settings.project_check == ""


def test_a_comment_or_another_order_needs_no_new_leave(place):
    place.theirs('[check]\nproject = "make"\n[environment]\nshare = ["x"]')
    config.allow(place.load().powers, place.environ)
    place.theirs('# hello\n[environment]\nshare = ["x"]\n[check]\nproject = "make"')
    assert place.load().powers.allowed


def test_leave_for_one_checkout_is_none_for_another(place, tmp_path):
    place.theirs('[check]\nproject = "make"')
    config.allow(place.load().powers, place.environ)
    other = tmp_path / "clone"
    other.mkdir()
    (other / config.REPOSITORY_FILE).write_text('[check]\nproject = "make"')
    assert not config.load(other, place.environ).powers.allowed


def test_a_repository_may_choose_models_by_itself(place):
    place.theirs('[messages.planner]\nmodel = "other"')
    loaded = place.load()
    assert (loaded.powers, loaded.settings.messages.planner.model) == (None, "other")


def test_the_person_has_the_last_word(place):
    place.user('[messages.planner]\nmodel = "mine"')
    place.theirs('[messages.planner]\nmodel = "theirs"')
    assert place.load().settings.messages.planner.model == "mine"


@pytest.mark.parametrize(
    ("text", "line", "sentence"),
    [
        ("[check]\n\nprojekt = 'x'", 3, "`check.projekt` is not a setting"),
        ("[limits]\nmax_parallel = 'six'", 2, "`limits.max_parallel` must be a whole number, 1 or more"),
        ("[limits]\nmax_parallel = true", 2, "must be a whole number"),
        ("[limits]\nstop_usd = -1", 2, "an amount of US dollars"),
        ("[limits]\nstop_usd = nan", 2, "an amount of US dollars"),
        ("[environment]\nshare = '.venv'", 2, "must be a list of texts"),
        ("[[agents]]\ncommand = 1", None, "`agents` is not a setting"),
        ("[check\n", 1, "not valid TOML"),
    ],
)
def test_a_mistake_is_told_with_its_line_and_left_out(place, text, line, sentence):
    place.user(text)
    loaded = place.load()
    problem = loaded.problems[0]
    assert (problem.line, loaded.settings) == (line, config.Settings())
    assert sentence in problem.message
    assert problem.file.endswith("config.toml")


def test_a_file_that_is_no_text_is_a_problem(place):
    place.user("")
    config.user_file(place.environ).write_bytes(b"\xff\xfe")
    assert "UTF-8" in place.load().problems[0].message


def test_a_folder_in_the_place_of_the_file_is_a_problem(place):
    config.user_file(place.environ).mkdir(parents=True)
    assert "cannot be read" in place.load().problems[0].message


def test_an_approvals_file_that_makes_no_sense_allows_nothing(place):
    place.theirs('[check]\nproject = "make"')
    config.allow(place.load().powers, place.environ)
    (config.user_file(place.environ).parent / "allowed.json").write_text("[[[")
    assert not place.load().powers.allowed


def test_keys_come_only_from_the_environment():
    assert not config.credentials({}).present
    assert not config.credentials({"ANTHROPIC_API_KEY": ""}).present
    assert config.credentials({"ANTHROPIC_AUTH_TOKEN": "t"}) == config.Credentials(api_key=None, auth_token="t")


@given(text=st.text(alphabet=st.sampled_from("[]{}=\"\n'.#,abcheckproject 019tru-"), max_size=60))
def test_no_text_makes_loading_fail(text, tmp_path_factory):
    folder = tmp_path_factory.mktemp("config")
    (folder / config.REPOSITORY_FILE).write_text(text)
    config.load(folder, {"XDG_CONFIG_HOME": str(folder), "HOME": str(folder)})
