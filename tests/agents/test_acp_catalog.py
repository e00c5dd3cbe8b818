import pytest

from specthread.agents.acp_catalog import KNOWN, external_agent


@pytest.fixture
def there(tmp_path, monkeypatch):
    """Puts programs on PATH, and nothing else."""
    (tmp_path / "bin").mkdir()
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))

    def put(*names):
        for name in names:
            (tmp_path / "bin" / name).write_text("#!/bin/sh\n")
            (tmp_path / "bin" / name).chmod(0o755)

    return put


def test_each_known_agent_says_how_to_get_it_where_it_is_not_there(there):
    said = [agent.lacks({}) for agent in KNOWN]
    assert all("is not on the PATH. Get it with `npm install -g " in each for each in said)
    assert [agent.command for agent in KNOWN] == [("claude-agent-acp",), ("codex-acp",), ("gemini", "--acp"), ("opencode", "acp")]


def test_an_agent_is_given_its_own_credential_and_no_other_variable(there):
    there("claude-agent-acp")
    environ = {"ANTHROPIC_API_KEY": "k", "GITHUB_TOKEN": "t", "AWS_SECRET_ACCESS_KEY": "s", "HOME": "/home/ada"}
    claude = external_agent("claude", None, None, None)
    assert (claude.lacks(environ), claude.given(environ)["ANTHROPIC_API_KEY"]) == ("", "k")
    assert not set(claude.given(environ)) & {"GITHUB_TOKEN", "AWS_SECRET_ACCESS_KEY", "HOME"}
    assert "set ANTHROPIC_API_KEY or" in claude.lacks({})


def test_settings_change_an_agent_and_add_others(there):
    there("own-agent", "gemini")
    gemini = external_agent("gemini", None, ("--acp", "--debug"), None)
    assert (gemini.command, gemini.credentials) == (("gemini", "--acp", "--debug"), ("GEMINI_API_KEY",))
    own = external_agent("own", ("own-agent", "serve"), ("--fast",), ("OWN_KEY", "MODE=quiet=yes"))
    assert (own.backend, own.command) == ("acp:own", ("own-agent", "serve", "--fast"))
    assert own.given({"OWN_KEY": "k", "OTHER": "o"}) == {"MODE": "quiet=yes", "OWN_KEY": "k"}
    assert own.lacks({}) == ""
    assert external_agent("nothing", None, ("--fast",), None) is None
