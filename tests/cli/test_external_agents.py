import pytest

from specthread import config
from specthread.cli.doctor import _agent, _external
from specthread.daemon_agents import credentials_of, external_agents, full_name


@pytest.fixture
def environ(tmp_path, monkeypatch):
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin/claude-agent-acp").write_text("#!/bin/sh\n")
    (tmp_path / "bin/claude-agent-acp").chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    (tmp_path / "config/specthread").mkdir(parents=True)
    return {
        "XDG_CONFIG_HOME": str(tmp_path / "config"),
        "HOME": str(tmp_path),
        "ANTHROPIC_API_KEY": "k-1",
        "ANTHROPIC_BASE_URL": "http://local",
    }


def settings(environ, text=""):
    (config.user_file(environ)).write_text(text)
    loaded = config.load(None, environ)
    assert loaded.problems == ()
    return loaded.settings


def test_doctor_says_which_agents_are_there_that_they_reach_the_network_and_how_to_get_others(environ):
    found = [(each.state, each.text) for each in _external(settings(environ), environ)]
    assert found[0] == (
        "ok",
        (
            "Claude Code (--agent claude). Each runs in a sandbox without your files, but with the network: as the setup step does, "
            "it also reaches what listens on this machine, abstract Unix sockets (of a desktop, say) among it."
        ),
    )
    assert "Codex: `npm install -g @agentclientprotocol/codex-acp`" in found[1][1]


def test_an_agent_that_was_chosen_and_is_not_there_is_a_problem(environ):
    chosen = settings(environ, 'agent = "gemini"\n')
    assert ("problem", True) in [(each.state, "`gemini`, is not on the PATH" in each.text) for each in _external(chosen, environ)]
    assert _agent(chosen, environ).text == "gemini, as your settings say"


def test_an_agent_of_ones_own_without_its_program_is_a_warning(environ):
    chosen = settings(environ, '[agents.own]\ncommand = ["own-agent"]\nargs = ["--acp"]\nenv = ["OWN_KEY"]\n')
    assert ("warning", True) in [(each.state, "`own-agent`, is not on the PATH" in each.text) for each in _external(chosen, environ)]


def test_an_agent_is_known_by_its_own_name_and_its_key_is_kept_out_of_what_is_written(environ):
    agents = external_agents({})
    assert (full_name("claude", agents), full_name("acp:claude", agents), full_name("messages", agents)) == (
        "acp:claude",
        "acp:claude",
        "messages",
    )
    assert credentials_of(agents, environ) == ("k-1",)


@pytest.mark.parametrize("env", ['["A B"]', '[""]', '"KEY"', '["1KEY"]'])
def test_variables_that_have_no_name_are_refused(environ, env):
    config.user_file(environ).write_text(f'[agents.own]\ncommand = ["own"]\nenv = {env}\n')
    (problem,) = config.load(None, environ).problems
    assert "`agents.own.env` must be a list of variables" in problem.message
