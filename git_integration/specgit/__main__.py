"""Looks at a repository, and changes nothing: `python -m specgit log|matrix|doctor [FOLDER]`."""

import argparse
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from specgit.disk import disk_use, in_megabytes
from specgit.errors import GitError
from specgit.history import EVENT_TRAILER, CommitFact
from specgit.merge import Merger
from specgit.repository import Repository
from specgit.traits import traits_of
from specgit.types import Oid


def main(arguments: list[str]) -> int:
    """Prints what was asked for; 0 when all is well, 1 where something is in the way or at odds, 2 for a wrong command line."""
    parser = argparse.ArgumentParser(prog="python -m specgit", description="Looks at a repository, and changes nothing.")
    verbs = parser.add_subparsers(dest="verb", required=True)
    for name, text in _VERBS.items():
        verbs.add_parser(name, help=text).add_argument("folder", nargs="?", default=".")
    named = "the branches; all work sessions where none is named"
    verbs.choices["matrix"].add_argument("--branch", action="append", default=[], metavar="NAME", help=named)
    asked = parser.parse_args(arguments)
    try:
        repository = Repository.open(Path(asked.folder))
        if asked.verb == "matrix":
            lines, status = _matrix(repository, asked.branch)
        else:
            lines, status = _log(repository) if asked.verb == "log" else _doctor(repository)
    except GitError as error:
        sys.stderr.write(f"{error.message}\n")
        return 1
    sys.stdout.writelines(f"{line}\n" for line in lines)
    return status


_VERBS: Final = {
    "log": "what was approved and merged, by SpecTask",
    "matrix": "which branches conflict with each other, and in which files",
    "doctor": "what kind of repository this is, and what is in the way",
}
_Told = tuple[list[str], int]


def _log(repository: Repository) -> _Told:
    tips = _tips(repository)
    lines: list[str] = []
    for name in [name for name in tips if name.endswith("/feature")]:
        spectask = name.rpartition("/")[0]
        lines += [
            spectask,
            *(f"  {each.oid[:10]}  {each.when:%Y-%m-%d %H:%M}  {each.subject}" for each in _own_commits(repository, tips[name])),
        ]
        sessions = sum(_is_session(other) and other.startswith(f"{spectask}/") for other in tips)
        records = repository.count(tips[f"{spectask}/specs"]) if f"{spectask}/specs" in tips else 0
        lines.append(f"  {sessions} work sessions, {records} records on {spectask}/specs")
    return lines or ["No SpecTask has a feature branch here yet."], 0


def _own_commits(repository: Repository, tip: Oid) -> tuple[CommitFact, ...]:
    """The commits of the feature branch itself, newest first, down to the oldest one of ours."""
    line = repository.log(tip, first_parent=True, limit=_MOST_COMMITS)
    ours = [index for index, commit in enumerate(line) if any(key == EVENT_TRAILER for key, _ in commit.trailers)]
    return line[: ours[-1] + 1] if ours else ()


def _matrix(repository: Repository, branches: list[str]) -> _Told:
    tips = _named(repository, branches) if branches else {name: oid for name, oid in _tips(repository).items() if _is_session(name)}
    found = Merger(repository).matrix(tips)
    lines = [f"{one} and {other}: {', '.join(paths) or 'no conflict'}" for (one, other), paths in found.items()]
    return lines or ["There are not two branches to compare."], int(any(found.values()))


def _named(repository: Repository, branches: list[str]) -> dict[str, Oid]:
    tips = {name: oid for name in branches if (oid := repository.resolve(f"{name}^{{commit}}"))}
    if missing := [name for name in branches if name not in tips]:
        raise GitError(f"There is no branch {', '.join(missing)} here. Name branches as `git branch` lists them.")
    return tips


def _doctor(repository: Repository) -> _Told:
    traits = traits_of(repository)
    number = len(traits.worktrees)
    places = f"{traits.object_format} objects, refs in {traits.ref_storage}, {number} checkout{'' if number == 1 else 's'}"
    problems = [f"✖ {problem}" for problem in _in_the_way(repository)]
    verdict = "Something is in the way." if problems else "Nothing is in the way."
    return [f"git {traits.git_version}, {repository.git_dir}", places, *traits.notes, *_sizes(repository), *problems, verdict], int(
        bool(problems)
    )


def _sizes(repository: Repository) -> Iterator[str]:
    used = disk_use(repository)
    for path, size in used.worktrees:
        yield f"{in_megabytes(size)} in {path}"
    if used.trash:
        yield f"{in_megabytes(used.trash)} wait to be deleted"


def _in_the_way(repository: Repository) -> Iterator[str]:
    try:
        repository.require_room()
    except GitError as error:
        yield error.message
    if not repository.bare and repository.resolve("HEAD^{commit}") is None:
        yield "There is no commit yet. Make a first one: git commit"


def _tips(repository: Repository) -> dict[str, Oid]:
    lines = repository.runner.run(["for-each-ref", "--format=%(refname) %(objectname)", "refs/heads/spectask"]).text.split("\n")
    return {ref.removeprefix("refs/heads/"): Oid(oid) for ref, oid in (line.split(" ") for line in lines if line)}


def _is_session(name: str) -> bool:
    return name.rpartition("/")[2].startswith("ws-")


_MOST_COMMITS: Final = 10_000


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
