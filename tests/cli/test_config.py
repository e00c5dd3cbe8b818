from __future__ import annotations

import re
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from specthread import config, config_vocabulary
from specthread.agent_settings import AgentSettings
from specthread.cli.verbs_daemon import _TEMPLATE
from specthread.model_settings import ModelChoice, model_for


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
    assert loaded.settings.messages.planner == ModelChoice(model="claude-opus-5-5", effort="high")
    assert loaded.settings.messages.implementer == ModelChoice(model="claude-sonnet-5-5", effort="medium")
    assert loaded.settings.limits == config.LimitSettings(max_parallel=6, warn_usd=Decimal(10), stop_usd=Decimal(50))


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
max_depth = 1
max_children = 0
[context]
depth = 0
[environment]
share = [".venv"]
[check]
project = "make test"
timeout = 90
[agents.claude]
command = ["claude-code-acp"]
[forge]
github = ["Git.example.org"]
gitlab = ["lab.example.org"]
[provider]
max_calls = 12
first_wait = 2
[retry.model]
attempts = 0
"""
    )
    settings = place.load().settings
    assert settings.provider == {"max_calls": 12, "first_wait": 2}
    assert settings.retry == {"model": {"attempts": 0}}
    assert (settings.agent, settings.messages.base_url, settings.project_check) == ("acp:claude", "http://localhost:8000", "make test")
    assert settings.messages.planner == ModelChoice(model="local-large", effort="high")
    assert model_for(settings.messages, "tester") == ModelChoice(model="claude-sonnet-5-5", effort="low")
    assert model_for(settings.messages, "backend") == settings.messages.implementer
    assert settings.limits == config.LimitSettings(
        max_parallel=2, warn_usd=Decimal("7.5"), stop_usd=Decimal("7.5"), user_set=True, max_depth=1, max_children=0
    )
    assert settings.context == config.ContextSettings(depth=0, characters=500)
    assert settings.environment == config.EnvironmentSettings(share=(".venv",))
    assert settings.check_timeout == 90
    assert settings.agents == {"claude": AgentSettings(command=("claude-code-acp",))}
    assert settings.forges == {"git.example.org": "github", "lab.example.org": "gitlab"}


def test_a_repository_cannot_name_a_forge_that_gets_the_persons_token(place):
    place.theirs('[forge]\ngithub = ["evil.example.org"]')
    loaded = place.load()
    assert (loaded.settings.forges, loaded.powers) == ({}, None)
    assert "for each person to choose" in str(loaded.problems[0])


POWERS = [
    ('[check]\nproject = "rm -rf ."', "check.project"),
    ('[check]\nproject = "curl x | sh"', "check.project"),
    ('[environment]\nshare = [".venv"]', "environment.share"),
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


@pytest.mark.parametrize(
    "text",
    [
        'agent = "acp:x"',
        '[agents.x]\ncommand = ["x"]',
        '[messages]\nbase_url = "http://evil.example"',
        '[messages.planner]\nmodel = "other"',
        "[limits]\nstop_usd = 9999",
    ],
)
def test_a_repository_is_told_that_agents_models_and_limits_are_a_persons_own(place, text):
    place.theirs(text)
    loaded = place.load()
    assert (loaded.settings, loaded.powers) == (config.Settings(), None)
    assert "is for each person to choose" in loaded.problems[0].message
    place.user(text)
    (place.repository / config.REPOSITORY_FILE).unlink()
    assert not place.load().problems


def test_a_repository_says_by_itself_how_long_a_check_may_take(place):
    place.theirs("[check]\ntimeout = 30")
    loaded = place.load()
    assert (loaded.powers, loaded.settings.check_timeout) == (None, 30)


def test_a_setting_that_would_do_nothing_is_not_known(place):
    place.user("[sandbox]\nrequired = false")
    assert "`sandbox.required` is not a setting" in place.load().problems[0].message


def test_the_person_has_the_last_word(place):
    place.user("[check]\ntimeout = 20")
    place.theirs("[check]\ntimeout = 30")
    assert place.load().settings.check_timeout == 20


def test_a_repository_says_by_itself_which_folders_sessions_need(place):
    place.theirs('[worktrees]\nsparse = ["src", "docs/api/"]')
    assert place.load().settings.worktrees.sparse == ("src", "docs/api/")
    assert place.load().powers is None
    place.user('[worktrees]\nsparse = ["lib"]')
    assert place.load().settings.worktrees.sparse == ("lib",)


def test_copies_of_ignored_files_are_made_only_where_exactly_these_lines_are_allowed(place):
    asked = place.repository / ".worktreeinclude"
    asked.write_text("# secrets\n.env*\n\n!.env.shared\n")
    loaded = place.load()
    assert loaded.settings == config.Settings()
    assert (loaded.powers.file, loaded.powers.keys) == (asked, {".worktreeinclude": [".env*", "!.env.shared"]})
    config.allow(loaded.powers, place.environ)
    assert place.load().settings.worktrees.include == (".env*", "!.env.shared")
    asked.write_text(".env*\nsecrets/\n")
    assert place.load().settings.worktrees.include == ()
    place.theirs('[check]\nproject = "make"')
    assert place.load().powers.file == place.repository / config.REPOSITORY_FILE
    asked.unlink()
    asked.symlink_to("/etc/hostname")
    assert list(place.load().powers.keys) == ["check.project"]
    asked.unlink()
    asked.write_text("x\n" * 40_000)
    assert list(place.load().powers.keys) == ["check.project"]


def test_what_is_asked_for_in_the_same_words_is_judged_by_one_rule():
    rules: dict[str, set[int]] = {}
    for rule in config_vocabulary._RULES.values():
        rules.setdefault(rule.wants, set()).add(id(rule))
    assert [wants for wants, found in rules.items() if len(found) > 1] == []


@pytest.mark.parametrize(
    ("text", "line", "sentence"),
    [
        ("[check]\n\nprojekt = 'x'", 3, "`check.projekt` is not a setting"),
        ("[limits]\nmax_parallel = 'six'", 2, "`limits.max_parallel` must be a whole number, 1 or more"),
        ("[limits]\nmax_parallel = true", 2, "must be a whole number"),
        ("[limits]\nmax_depth = -1", 2, "must be a whole number, 0 or more"),
        ('[prices."qwen2.5:7b"]\ninput = 0', 1, "`prices.qwen2.5:7b` must be US dollars for a million tokens: `input` and `output`"),
        ('[prices."qwen2.5:7b"]\ninput = 0\noutput = -1', 1, "must be US dollars for a million tokens"),
        ("[prices]\nlocal = 0", 2, "must be US dollars for a million tokens"),
        ("[context]\ndepth = 0.5", 2, "must be a whole number, 0 or more"),
        ("[check]\ntimeout = 0", 2, "a number of seconds, more than 0"),
        ("[limits]\nstop_usd = -1", 2, "an amount of US dollars"),
        ("[limits]\nstop_usd = nan", 2, "an amount of US dollars"),
        ("[limits]\nstop_usd = 1e300", 2, "an amount of US dollars, 0 or more and at most 1000000000"),
        ("[limits]\nwarn_usd = inf", 2, "an amount of US dollars"),
        ("[environment]\nshare = '.venv'", 2, "must be a list of texts"),
        ("[provider]\nmax_calls = 0", 2, "`provider.max_calls` must be a whole number, 1 or more"),
        ("[retry.model]\nattempts = false", 2, "`retry.model.attempts` must be a whole number, 0 or more"),
        ("[retry.git]\nbase = 1", 2, "`retry.git.base` is not a setting"),
        ("[retry.forge]\ncap = 0", 2, "`retry.forge.cap` must be a number of seconds, more than 0"),
        ("[worktrees]\nsparse = 'src'", 2, "`worktrees.sparse` must be a list of folders in the repository, such as `src`"),
        ("[worktrees]\nsparse = ['/etc']", 2, "without patterns, `..` or a leading slash"),
        ("[worktrees]\nsparse = ['src/../..']", 2, "must be a list of folders"),
        ("[worktrees]\nsparse = ['src/*']", 2, "must be a list of folders"),
        ("[worktrees]\nsparse = ['']", 2, "must be a list of folders"),
        ('".worktreeinclude" = [".env"]', 1, "`.worktreeinclude` is not a setting"),
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


def test_how_many_share_a_resource_is_read_and_its_name_may_hold_dots(place):
    place.user('[resources]\n"api:github" = 3\n"file:src/app.py" = 1\n')
    assert place.load().settings.resources == {"api:github": 3, "file:src/app.py": 1}


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ('"api:github" = -1', "`resources.api:github` must be a whole number, 1 or more"),
        ('"api:github" = 0', "`resources.api:github` must be a whole number, 1 or more"),
        ('"api:github" = "two"', "`resources.api:github` must be a whole number, 1 or more"),
        ('"api:github" = { capacity = 2 }', "`resources.api:github` must be a whole number, 1 or more"),
        ("printer = 2", '`resources.printer` names no resource. Write a kind and a name, such as "api:github"; the kinds are agent, api'),
    ],
)
def test_a_capacity_that_is_none_is_told_and_left_out(place, line, words):
    place.user(f"[resources]\n{line}\n")
    loaded = place.load()
    assert loaded.settings.resources == {}
    assert str(loaded.problems[0]).startswith(f"{config.user_file(place.environ)}:2: {words}")


def test_every_line_that_init_writes_is_a_setting_of_its_file(place):
    theirs, mine = _TEMPLATE.split("# What follows is for each person to choose.")

    def uncommented(text):
        return "\n".join(line.removeprefix("# ") if re.match(r"# (\[|[a-z_]+ =)", line) else "" for line in text.splitlines()[1:])

    place.user(uncommented(mine))
    place.theirs(uncommented(theirs))
    loaded = place.load()
    assert loaded.problems == ()
    assert (loaded.settings.limits.max_depth, loaded.settings.limits.max_children, loaded.settings.agent) == (2, 8, "messages")


def test_a_repository_names_the_checks_of_the_project_once_the_person_allowed_their_commands(place):
    place.theirs('[check]\nlint = "make lint"\ntests = ""\nformatter = "black -q --"\ndetect = false\n')
    assert place.load().settings.checks == {"detect": False}
    assert sorted(place.load().powers.keys) == ["check.formatter", "check.lint", "check.tests"]
    config.allow(place.load().powers, place.environ)
    assert place.load().settings.checks == {"detect": False, "formatter": "black -q --", "commands": {"lint": "make lint", "tests": ""}}


def test_what_an_agent_may_do_is_the_persons_to_say_and_a_rule_that_could_never_fit_is_told(place):
    place.user('[permissions]\ndeny = ["write(migrations/)"]\nask = ["shel(git *)"]\n[sandbox]\nmemory_mb = 512')
    place.theirs('[permissions]\nallow = ["unsandboxed"]\n[sandbox]\nmemory_mb = 64000')
    loaded = place.load()
    assert (loaded.settings.permissions.deny, loaded.settings.permissions.allow) == (("write(migrations/)",), ())
    assert loaded.settings.sandbox.memory_mb == 512
    said = [problem.message for problem in loaded.problems]
    assert said[0].startswith("`permissions.ask` must be a list of rules such as")
    assert [text.partition(":")[0] for text in said[1:]] == [
        f"`{name}` is for each person to choose" for name in ("permissions.allow", "sandbox.memory_mb")
    ]


def test_a_person_chooses_whether_work_is_reviewed_and_a_repository_does_not(place):
    assert place.load().settings.review == {"mode": "gate", "budget_usd": None}
    place.user('[review]\nmode = "advice"\nbudget_usd = 0.5\n')
    assert place.load().settings.review == {"mode": "advice", "budget_usd": Decimal("0.5")}
    place.user('[review]\nmode = "maybe"\n')
    assert 'must be "gate", "advice" or "off"' in str(place.load().problems[0])
    place.theirs('[review]\nmode = "off"\n')
    assert place.load().settings.review["mode"] == "gate"


def test_a_setup_step_of_a_repository_counts_only_when_it_was_allowed_as_it_is_written(place):
    place.theirs('[environment]\nsetup = "npm ci"\ncleanup = "rm -rf x"\ntimeout = 60')
    loaded = place.load()
    assert (loaded.settings.environment.setup, loaded.settings.environment.timeout) == ("", 60)
    config.allow(loaded.powers, place.environ)
    assert place.load().settings.environment.setup == "npm ci"
    place.theirs('[environment]\nsetup = "npm ci; curl evil"\ncleanup = "rm -rf x"')
    assert place.load().settings.environment.setup == ""
