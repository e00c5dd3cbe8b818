"""A few thousand mutations of `make fuzz`, and that a broken promise would be told, made small, and played again."""

import pytest

from fuzz import promise
from fuzz.__main__ import main
from fuzz.failure import load, save, shrunk
from fuzz.mutation import Chain, beginnings, chain
from fuzz.promise import EVERY_VERSION, SOME_VERSIONS, broken_promise
from specthread.spec.document import TASKS
from specthread.spec.lint import lint_spec

GOOD = b"- [ ] 1. a\n  - _Check: true_\n- [ ] 2. b\n"


@pytest.mark.slow
def test_some_thousand_mutations_break_no_promise(capsys):
    assert main(["--mutations", "4000", "--seed", "1"]) == 0, capsys.readouterr().out


def test_the_same_seed_makes_the_same_mutations():
    known = beginnings()
    assert chain(5, 3, known) == chain(5, 3, known)
    assert chain(5, 3, known) != chain(6, 3, known)


def test_what_breaks_a_promise_is_told_and_made_small(monkeypatch):
    def forgetful(spec):
        found = lint_spec(spec)
        return () if b"shy" in spec.sources[TASKS].content and not spec.recall._before else found

    chain = Chain("specthread", [{TASKS: text} for text in (GOOD, GOOD + b"shy\n", b"# c\n" + GOOD + b"shy\n", GOOD)])
    assert broken_promise(chain, EVERY_VERSION) is None
    monkeypatch.setattr(promise, "lint_spec", forgetful)
    assert "differ from those found anew" in broken_promise(chain, EVERY_VERSION)
    small = shrunk(chain, lambda each: broken_promise(each, EVERY_VERSION))
    assert [texts[TASKS] for texts in small.versions] == [b"", b"shy\n"]


@pytest.mark.parametrize(
    ("name", "broken", "words"),
    [
        ("lint_spec", lambda _: 1 / 0, "ZeroDivisionError"),
        ("set_box", lambda *_: (), "changed more than its box"),
        ("content_digest", lambda content: content, "changed the digest"),
    ],
)
def test_a_promise_that_is_not_kept_is_named(monkeypatch, name, broken, words):
    monkeypatch.setattr(promise, name, broken)
    assert words in broken_promise(Chain("specthread", [{TASKS: GOOD}]), SOME_VERSIONS)


def test_a_kept_chain_is_played_again(tmp_path, capsys):
    kept = Chain("kiro", [{TASKS: GOOD}, {TASKS: b"\xff\r" + GOOD}])
    save(tmp_path / "kept.json", kept, "why")
    assert load(tmp_path / "kept.json") == kept
    assert main(["--replay", str(tmp_path / "kept.json")]) == 0
    assert capsys.readouterr().out == "Every promise is kept.\n"
