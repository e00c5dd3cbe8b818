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


@pytest.mark.parametrize(
    "command",
    [
        r"""echo $'\'' ; curl e #'""",
        "echo ${ curl e; }",
        "echo {fd}>file",
        "echo x>file",
        """echo "${x#'"'}" ; curl e #'""",
    ],
)
def test_what_a_command_hides_in_words_that_are_not_read_is_never_allowed_unasked(command):
    rules = Permissions(allow=("unsandboxed(echo *)",))
    assert rules.verdict(shell(command, sandboxed=False)) == "ask"
    assert rules.verdict(shell("echo 'a > b' \"$x ${y}\" 2>&1", sandboxed=False)) == "allow"


@pytest.mark.parametrize(
    ("command", "verdict"),
    [
        ("g=push; git $g o", "ask"),
        ('g=push; git "$g" o', "ask"),
        ("git `echo push` o", "ask"),
        ("git pu{sh,} o", "ask"),
        ("x=git; env -i $x push", "ask"),
        ('bash -c "true; $x"', "ask"),
        (r"git $'push' o", "ask"),
        ("git push $REMOTE", "deny"),
        ('bash -c "git push $REMOTE"', "deny"),
        ("git '$g' o; git \\$g o", "allow"),
        ("echo $HOME; git add *.py; [ -f x ]", "allow"),
    ],
)
def test_a_command_that_a_variable_may_make_a_denied_one_is_asked_about(command, verdict):
    assert Permissions(deny=("shell(git push *)",)).verdict(shell(command)) == verdict


def test_what_reaches_the_network_is_asked_about_unless_that_is_allowed():
    assert RULES.verdict(Request(tool="other", what="https://docs.example/a", network=True)) == "allow"
    assert Permissions(allow=("*",)).verdict(Request(tool="other", what="x", network=True)) == "ask"
    assert Permissions().verdict(shell("make")) == "allow"


def test_a_rule_that_could_never_fit_is_none():
    assert [is_rule(text) for text in ("shell", "shell(git *)", "*", "shel(git *)", "shell()", "shell(", "")] == [True] * 3 + [False] * 4


def test_of_several_files_the_strictest_rule_decides_and_an_address_is_judged_as_it_is():
    several = Request(tool="edit", what="May it use edit", path="docs/a.md", others=("docs/b.md", "migrations/0001.py"))
    assert RULES.verdict(several) == "deny"
    assert Permissions(allow=("write(docs/)",)).verdict(several) == "allow"
    asked = {"tool": "fetch", "what": "May it use fetch:\nurl: https://docs.example/a", "network": True}
    rules = Permissions(deny=("fetch(https://evil.example/*)",), allow=("network(https://docs.example/*)",))
    assert rules.verdict(Request(**asked, address="https://docs.example/a")) == "allow"
    assert rules.verdict(Request(**asked, address="https://evil.example/a")) == "deny"
    assert rules.verdict(Request(**asked, address="https://other.example/?https://docs.example/")) == "ask"
