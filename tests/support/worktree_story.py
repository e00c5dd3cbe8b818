"""What the tests of worktrees share: a session's branch, its author, and a commit of its files."""

from datetime import UTC, datetime

from specgit.types import Person, spec_refs

REFS = spec_refs("a-7k3f")
WS = REFS.session(1)
BOT = Person(name="Session ws-1", email="ws-1@localhost")
WHEN = datetime(2026, 1, 2, tzinfo=UTC)


def commit(worktrees, path, **changes):
    return worktrees.commit(path, **{"branch": WS, "message": "Work", "author": BOT, "when": WHEN, **changes})


def files_of(path):
    found = [item for item in path.glob("**/*") if ".git" not in item.relative_to(path).parts]
    return {str(item.relative_to(path)): item.read_text() for item in found if item.is_file()}
