import pytest

from specthread.spec.shell_words import commands_in


@pytest.mark.parametrize(
    ("command", "words"),
    [
        ("git push origin main", [("git", "push", "origin", "main")]),
        (
            "cd a && FOO=1 make 'all of it' >log 2>&1; ls|wc -l",
            [("cd", "a"), (">", "log"), ("FOO=1", "make", "all of it"), ("ls",), ("wc", "-l")],
        ),
        ('if test -f x; then g"it" pu\\sh; fi', [("test", "-f", "x"), ("git", "push")]),
        ("(sleep 1; git push) &", [("sleep", "1"), ("git", "push")]),
        ("echo '$(git push)' > 'a b'", [(">", "a b"), ("echo", "$(git push)")]),
    ],
)
def test_each_program_that_a_line_starts_is_told_by_its_words(command, words):
    assert list(commands_in(command)) == words


@pytest.mark.parametrize(
    "command",
    [
        "echo $(git push)",
        "echo \"it's $(git push)'\"",
        "echo `git push`",
        "diff <(git push) x",
        "/usr/bin/git push",
        "env X=1 nice -n 5 git push",
        "X=1 git push",
        "bash -lc 'git push'",
        "timeout 5 sh -c 'echo; git push'",
        "eval git push",
        "echo x | xargs -I{} git push",
        "find . -name x -exec git push ';'",
        "bash <<END\ngit push\nEND",
    ],
)
def test_what_is_wrapped_or_renamed_is_found_all_the_same(command):
    assert any(words[:2] == ("git", "push") for words in commands_in(command, hidden=True))


@pytest.mark.parametrize("command", ["$TOOL push", "echo 'open", '"$(echo "x")" y', "`echo git` push"])
def test_where_the_text_does_not_tell_nothing_is_claimed(command):
    assert commands_in(command) is None
