"""Reading history: commits as values, and the trailers by which a commit is found again."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from specgit.git import GitRunner
from specgit.types import Oid, Person

EVENT_TRAILER = "Specthread-Event"

_FORMAT = "%H%x00%P%x00%an%x00%ae%x00%at%x00%B%x00"
_FIELDS = 6
_TRAILER = re.compile(r"(?P<key>[A-Za-z0-9][A-Za-z0-9-]*): (?P<value>.*)")


@dataclass(frozen=True, slots=True, kw_only=True)
class CommitFact:
    """A commit as its history shows it; `body` is without subject and trailers, `when` the author's time in UTC."""

    oid: Oid
    parents: tuple[Oid, ...]
    author: Person
    when: datetime
    subject: str
    body: str
    trailers: tuple[tuple[str, str], ...]


def read_commits(runner: GitRunner, revisions: Sequence[str], *, timeout: float = 60.0) -> tuple[CommitFact, ...]:
    """Returns the commits that `rev-list` finds for these arguments, in its order.

    `rev-list` and not `log`: it never asks a signature program and reads no display settings.
    """
    done = runner.run(["rev-list", "--no-commit-header", "--encoding=UTF-8", f"--format={_FORMAT}", *revisions], timeout=timeout)
    fields = done.stdout.decode(errors="surrogateescape").split("\0")[:-1]
    return tuple(_commit_fact(fields[at : at + _FIELDS]) for at in range(0, len(fields), _FIELDS))


def read_events(runner: GitRunner, tip: Oid, since: Oid | None) -> dict[str, Oid]:
    """Maps each event on the first-parent line from `tip` back to `since` to its commit, the oldest where one has several."""
    limits = [f"^{since}"] if since else []
    commits = read_commits(runner, ["--first-parent", "--fixed-strings", f"--grep={EVENT_TRAILER}: ", tip, *limits])
    return {value: commit.oid for commit in commits for key, value in commit.trailers if key == EVENT_TRAILER}


def split_message(message: str) -> tuple[str, str, tuple[tuple[str, str], ...]]:
    """Splits a commit message into subject, body and the trailers of its last paragraph."""
    subject, _, rest = message.strip("\n").partition("\n")
    paragraphs = rest.strip("\n").split("\n\n")
    matches = [_TRAILER.fullmatch(line) for line in paragraphs[-1].split("\n")]
    found = [match for match in matches if match is not None]
    if len(found) != len(matches):
        return subject, rest.strip("\n"), ()
    return subject, "\n\n".join(paragraphs[:-1]).strip("\n"), tuple((match["key"], match["value"]) for match in found)


def join_message(message: str, trailers: Sequence[tuple[str, str]]) -> str:
    """Returns the message with the trailers as its last paragraph; line breaks in a value become spaces."""
    lines = [f"{key}: {' '.join(value.split())}" for key, value in trailers]
    return message.replace("\0", "").strip() + ("\n\n" + "\n".join(lines) if lines else "") + "\n"


def _commit_fact(fields: Sequence[str]) -> CommitFact:
    oid, parents, name, email, seconds, message = fields
    subject, body, trailers = split_message(message)
    return CommitFact(
        oid=Oid(oid.lstrip("\n")),
        parents=tuple(Oid(parent) for parent in parents.split()),
        author=Person(name=name, email=email),
        when=datetime.fromtimestamp(int(seconds), UTC),
        subject=subject,
        body=body,
        trailers=trailers,
    )
