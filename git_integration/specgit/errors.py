"""Everything that can go wrong between Specthread and git, each with a sentence that says what to do next."""
# ruff: noqa: N818  the names say what happened; that they are errors is said by their base class

import errno
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

HOW_TO_FETCH = "git fetch --unshallow (or --refetch)"
"""What brings the objects that a shallow or a partial clone lacks."""

_STDERR_LIMIT = 4096
_CHANGES_TOLD = 5
_CREDENTIALS = re.compile(r"(?<=://)[^/@\s]+(?=@)")


class GitError(Exception):
    """A git operation that did not happen; carries the command, its exit code and what git printed (at most 4 kB, credentials masked)."""

    def __init__(self, message: str, *, command: Sequence[str] = (), exit_code: int | None = None, stderr: str = "") -> None:
        super().__init__(mask(message))
        self.command = tuple(mask(word) for word in command)
        self.exit_code = exit_code
        self.stderr = mask(stderr)[-_STDERR_LIMIT:]

    @property
    def message(self) -> str:
        """The sentence to show to a user."""
        return str(self.args[0])


class NotARepository(GitError):
    """The folder belongs to no git repository."""


class NoCommitYet(GitError):
    """The repository has no commit to start from."""


class GitMissing(GitError):
    """There is no git program on PATH."""


class GitTooOld(GitError):
    """The git program lacks `merge-tree --write-tree`, which came with 2.38."""


class GitTimeout(GitError):
    """Git did not end in time and was killed with its children; no ref moved."""


class OutputTooLarge(GitError):
    """Git printed more than the caller was ready to hold and was killed."""


class DubiousOwnership(GitError):
    """The repository belongs to another user and git refuses to use it."""


class DiskFull(GitError):
    """The disk, the quota or a file size limit left no room; no ref moved."""


class NotWritable(GitError):
    """A file or folder that may not be written: the file system is read-only, or it belongs to somebody else; no ref moved."""


class ObjectMissing(GitError):
    """An object is not in this repository: a wrong id, a shallow or partial clone, or damage."""


class UnsafePath(GitError):
    """A path that must not be written into a repository."""


class RefMoved(GitError):
    """A ref no longer has the value the change was built on."""

    def __init__(
        self, ref: str, *, expected: str = "", command: Sequence[str] = (), exit_code: int | None = None, stderr: str = ""
    ) -> None:
        back = f"`git update-ref {ref} {expected}`" if expected.strip("0") else f"`git reflog {ref}` and `git update-ref`"
        sentence = (
            f"Somebody else moved or deleted {ref}, so nothing was changed. Put it back with {back}, "
            "and keep commits of your own on a branch of your own; the work then goes on by itself."
        )
        super().__init__(sentence, command=command, exit_code=exit_code, stderr=stderr)
        self.ref = ref


class RefLocked(GitError):
    """Another git process holds the lock file of a ref."""

    def __init__(self, ref: str, *, command: Sequence[str] = (), exit_code: int | None = None, stderr: str = "") -> None:
        sentence = (
            f"{ref} is locked by another git process, so nothing was changed. "
            f"Wait until that process ends; if none is running, remove the file {ref}.lock in the git folder."
        )
        super().__init__(sentence, command=command, exit_code=exit_code, stderr=stderr)
        self.ref = ref


class CheckedOutElsewhere(GitError):
    """A ref that is checked out in a worktree, and therefore is not moved."""

    def __init__(self, ref: str, path: Path) -> None:
        super().__init__(
            f"{ref} is checked out in {path}, so Specthread does not move it. Check out another branch there; the work then goes on by itself."
        )
        self.ref = ref
        self.path = path


class UnsavedWork(GitError):
    """Files of a worktree that no commit holds, where a merge would write over them."""

    def __init__(self, path: Path, names: Sequence[str]) -> None:
        more = f" and {len(names) - 1} more" if names[1:] else ""
        super().__init__(
            f"{path / names[0]}{more} changed since the last commit, so no merge was written over it. Commit it, or move it away; then try again."
        )
        self.path = path
        self.names = tuple(names)


class BranchInUse(GitError):
    """A branch of the user's that is checked out, or that a rebase or bisection will come back to."""

    def __init__(self, ref: str, path: Path, how: str) -> None:
        super().__init__(f"{ref} is {how} in {path}, so it was not moved. Finish that first.")
        self.ref = ref
        self.path = path
        self.how = how


class SymbolicBranch(GitError):
    """A branch that only stands for another one."""

    def __init__(self, ref: str, meant: str) -> None:
        super().__init__(f"{ref} stands for {meant}, so it was not moved. Name that one.")
        self.ref = ref
        self.meant = meant


class NotAhead(GitError):
    """A branch that would lose commits if it moved there."""

    def __init__(self, ref: str) -> None:
        super().__init__(f"{ref} has commits that the work does not hold, so it was not moved. Merge the work into it.")
        self.ref = ref


class BlockingBranch(GitError):
    """A branch or tag whose name leaves no room for the names below `spectask/`."""

    def __init__(
        self, name: str, *, tag: bool = False, command: Sequence[str] = (), exit_code: int | None = None, stderr: str = ""
    ) -> None:
        rename = f"git tag {name}-old {name} && git tag -d {name}" if tag else f"git branch -m {name} {name}-old"
        kind = "tag" if tag else "branch"
        sentence = f"There is a {kind} named {name}, and git allows no {kind} below it. Rename it, for example with: {rename}"
        super().__init__(sentence, command=command, exit_code=exit_code, stderr=stderr)
        self.name = name


class UntrustedConfig(GitError):
    """The repository's own settings or hooks have changed, and git would run or follow what they say; `changes` tells each in a few words."""

    def __init__(self, changes: Sequence[str], *, leave: str) -> None:
        told = "; ".join(changes[:_CHANGES_TOLD]) + (f"; and {len(changes) - _CHANGES_TOLD} more" if len(changes) > _CHANGES_TOLD else "")
        super().__init__(
            f"Git would run or follow settings of this repository that are new since you last saw them: {told}. "
            f"Do not run git here before you know where they come from. {leave}"
        )
        self.changes = tuple(map(mask, changes))


class RepositoryBusy(GitError):
    """Another daemon owns the repository."""

    def __init__(self, owner: str) -> None:
        super().__init__(f"This repository is already served by another Specthread daemon ({owner}). Use that one, or stop it first.")
        self.owner = owner


def mask(text: str) -> str:
    """Hides user names, passwords and tokens that stand before the host of an address."""
    return _CREDENTIALS.sub("***", text)


def error_from_git(command: Sequence[str], exit_code: int, stderr: str) -> GitError:
    """Finds the error class that fits what git printed."""
    for pattern, kind, sentence in _FAILURES:
        if pattern.search(stderr):
            return kind(sentence, command=command, exit_code=exit_code, stderr=stderr)
    for pattern, ref_kind in _REF_FAILURES:
        if found := pattern.search(stderr):
            if ref_kind is BlockingBranch:
                tag = "refs/tags/" in found[0]
                return BlockingBranch(found["ref"], tag=tag, command=command, exit_code=exit_code, stderr=stderr)
            return ref_kind(found["ref"], command=command, exit_code=exit_code, stderr=stderr)
    if exit_code in _FILE_SIZE_SIGNALS:
        return DiskFull(_DISK_FULL, command=command, exit_code=exit_code, stderr=stderr)
    said = stderr.strip().splitlines()[-1:] or ["it printed nothing"]
    sentence = (
        f"`git {_verb(command)}` failed with exit code {exit_code}: {said[0]}. Run `specthread doctor` for the state of the repository."
    )
    return GitError(sentence, command=command, exit_code=exit_code, stderr=stderr)


@contextmanager
def writing() -> Iterator[None]:
    """Tells a full disk and a place that may not be written as git itself would, wherever files are written without it; also a decorator."""
    try:
        yield
    except OSError as error:
        if error.errno in {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}:
            raise DiskFull(_DISK_FULL) from error
        if error.errno in {errno.EROFS, errno.EACCES, errno.EPERM}:
            raise NotWritable(_NOT_WRITABLE.format(place=error.filename or "The git folder")) from error
        raise


def _verb(command: Sequence[str]) -> str:
    """The git subcommand in a full command line: the first word that is neither an option nor the value of `-c` or `-C`."""
    words = iter(command[1:])
    for word in words:
        if word in {"-c", "-C"}:
            next(words, "")
        elif not word.startswith("-"):
            return word
    return ""


_DISK_FULL = "There is no room left on the disk that holds the repository, so nothing was changed. Free some space and repeat the command."
_NOT_WRITABLE = (
    "{place} cannot be written, so nothing was changed. Make it writable for the user that runs Specthread and repeat the command."
)
_FILE_SIZE_SIGNALS = {-25, 128 + 25}
_FOREIGN = (
    "The repository belongs to another user, and git refuses to use it. "
    'If you trust it, run, in that folder: git config --global --add safe.directory "$PWD"'
)
_NO_REPOSITORY = "This folder is not in a git repository. Go to a repository, or make one with: git init"
_NO_OBJECT = (
    "A commit or file that is needed is not in this repository. "
    f"In a shallow or partial clone, fetch it first with: {HOW_TO_FETCH}; otherwise run: git fsck"
)
_MISSING = (
    r"could not fetch|promisor|bad object|missing (?:blob|tree|object|commit)|unable to (?:read|find) [0-9a-f]{40}|not a valid object"
    r"|nonexistent object|unable to read tree|not a valid (?:commit|object|tree)|not a tree(?:-ish| object)|bad revision|invalid dataref"
    r"|not something we can merge|bad tree object|object file .* is empty|unknown revision"
)
# Where git writes a ref or an index, it does not say why it could not.
_NO_ROOM = r"No space left on device|Out of diskspace|Disk quota exceeded|File too large|couldn't write '[^']*\.lock'|unable to write new index file"
_LOCKED_OUT = r"Read-only file system|Permission denied|insufficient permission|Operation not permitted"
_FAILURES: tuple[tuple[re.Pattern[str], type[GitError], str], ...] = (
    (re.compile(r"detected dubious ownership"), DubiousOwnership, _FOREIGN),
    (re.compile(r"not a git repository|not in a git directory", re.IGNORECASE), NotARepository, _NO_REPOSITORY),
    (re.compile(_NO_ROOM), DiskFull, _DISK_FULL),
    (re.compile(_LOCKED_OUT), NotWritable, _NOT_WRITABLE.format(place="The git folder")),
    (re.compile(_MISSING, re.IGNORECASE), ObjectMissing, _NO_OBJECT),
)
_REF_FAILURES: tuple[tuple[re.Pattern[str], type[RefLocked | RefMoved | BlockingBranch]], ...] = (
    (re.compile(r"Unable to create '(?:.*?/(?=refs/|packed-refs))?(?P<ref>[^']+)\.lock': File exists"), RefLocked),
    (re.compile(r"'(?:refs/(?:heads|tags)/)(?P<ref>[^']+)' exists; cannot create"), BlockingBranch),
    (re.compile(r"cannot lock ref '(?P<ref>[^']+)': (?:is at|reference already|reference is missing|unable to resolve)"), RefMoved),
)
