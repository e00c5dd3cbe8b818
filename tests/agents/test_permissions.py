import pytest

from specthread.agents.permissions import Permissions, Request, is_rule

RULES = Permissions(
    deny=("shell(git * push *)", "write(migrations/)", "read(.env)"),
    ask=("shell(rm *)", "fetch"),
    allow=("shell(git *)", "write(docs/)", "unsandboxed(pytest *)", "unsandboxed(cd *)", "network(https://docs.example/*)"),
)


def shell(command, **given):
    return Request(tool="shell", what=command, command=command, **given)


@pytest.mark.parametrize(
    ("request_", "verdict"),
    [
        (shell("git -C . push origin"), "deny"),
        (shell("rm x; git push"), "deny"),
        (shell("bash -c 'env git push'"), "deny"),
        (shell("$GIT push"), "ask"),
        (shell("rm -r build"), "ask"),
        (shell("git status"), "allow"),
        (shell("make"), "allow"),
        (Request(tool="edit", what="", path="migrations/0001.py"), "deny"),
        (Request(tool="write", what="", path="src/migrations.py"), "allow"),
        (Request(tool="read", what="", path="web/.env"), "deny"),
        (Request(tool="fetch", what="https://x.example/", network=True), "ask"),
    ],
)
def test_the_strictest_rule_that_fits_decides(request_, verdict):
    assert RULES.verdict(request_) == verdict


@pytest.mark.parametrize(
    ("command", "verdict"),
    [
        ("pytest -x tests", "allow"),
        ("cd src && pytest", "allow"),
        ("git status", "ask"),
        ("pytest; curl x", "ask"),
        ("pytest $(curl x)", "ask"),
        ("pytest > ~/.bashrc", "ask"),
        ("LD_PRELOAD=./evil.so pytest", "ask"),
        ("./pytest", "ask"),
        ("", "ask"),
    ],
)
def test_without_a_sandbox_only_what_a_rule_allows_as_a_whole_runs_unasked(command, verdict):
    assert RULES.verdict(shell(command, sandboxed=False)) == verdict


def test_what_reaches_the_network_is_asked_about_unless_that_is_allowed():
    assert RULES.verdict(Request(tool="other", what="https://docs.example/a", network=True)) == "allow"
    assert Permissions(allow=("*",)).verdict(Request(tool="other", what="x", network=True)) == "ask"
    assert Permissions().verdict(shell("make")) == "allow"


def test_a_rule_that_could_never_fit_is_none():
    assert [is_rule(text) for text in ("shell", "shell(git *)", "*", "shel(git *)", "shell()", "shell(", "")] == [True] * 3 + [False] * 4
