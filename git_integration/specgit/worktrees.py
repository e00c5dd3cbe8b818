"""Worktrees for sessions: made without filters or hooks, committed by our own file list, removed without waiting.

A worktree's own `.git` file is never believed, since the agent can write it: its git folder is looked up by the back-link that git keeps
in the shared folder.
"""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from specgit.commits import CommitRequest, Writer
from specgit.errors import HOW_TO_FETCH, CheckedOutElsewhere, GitError, ObjectMissing, writing
from specgit.folder import delete_tree
from specgit.lock import write_lock
from specgit.repository import Repository
from specgit.scan import Dropped, WorktreeScan, evidence_in, scan_worktree
from specgit.trees import write_entries
from specgit.types import Oid, Person, RefName

_REASON = "specthread"
_TRASH = ".trash-"


@dataclass(frozen=True, slots=True, kw_only=True)
class Worktree:
    """A worktree made here; `branch` is None when it is detached."""

    path: Path
    head: Oid
    branch: RefName | None


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionCommit:
    """What a session's work came to; `oid` equals `parent` when it had changed nothing.

    `changed` are the paths that differ from the parent, or from the branch merged in where there is one.
    """

    oid: Oid
    tree: Oid
    parent: Oid
    changed: tuple[str, ...]
    dropped: tuple[Dropped, ...]
    evidence: tuple[str, ...]


class Worktrees:
    """The worktrees of one repository; calls for different paths may run at the same time."""

    def __init__(self, repository: Repository) -> None:
        self._repository = repository
        self._writer = Writer(repository)

    @writing()
    def add(self, path: Path, *, branch: RefName, start: Oid) -> None:
        """Makes a worktree with `branch`, which begins at `start` unless it exists; one that is there already is kept as it is.

        Raises CheckedOutElsewhere when the branch has another worktree.
        """
        elsewhere = self._repository.checked_out().get(branch)
        if elsewhere is not None and elsewhere != _real(path):
            raise CheckedOutElsewhere(branch, elsewhere)
        if elsewhere is None and path.exists() and self._is_finished(path):
            raise GitError(f"{path} is a worktree of something other than {branch}. Remove that worktree, or use another folder.")
        if self._repository.resolve(branch) is None:
            self._writer.set_ref(branch, start, None)
        self._add(path, [branch.removeprefix("refs/heads/")], branch)

    @writing()
    def add_detached(self, path: Path, commit: Oid) -> None:
        """Makes a worktree that stands on a commit and on no branch; one that is there already is kept as it is."""
        self._add(path, ["--detach", commit], commit)

    def gitdir_of(self, path: Path) -> Path:
        """Returns the git folder of the worktree at `path`; raises GitError when there is no such worktree."""
        found = self._find(path)
        if found is None:
            raise GitError(f"{path} is not a worktree of this repository. Retry the session with a fresh worktree.")
        return found

    def list(self) -> tuple[Worktree, ...]:
        """Lists the worktrees that were made here, also those whose folder has gone."""
        records = self._git(["list", "--porcelain", "-z"]).split("\0\0")
        facts = [dict(line.partition(" ")[::2] for line in record.split("\0")) for record in records if record]
        return tuple(
            Worktree(path=Path(fact["worktree"]), head=Oid(fact["HEAD"]), branch=RefName(fact["branch"]) if "branch" in fact else None)
            for fact in facts
            if fact.get("locked") == _REASON
        )

    @writing()
    def remove(self, path: Path) -> None:
        """Removes a worktree with everything in it; its branch stays. Nothing happens when there is none."""
        if self._find(path) is None:
            return
        if path.exists():
            path.rename(path.parent / f"{_TRASH}{uuid.uuid4().hex}")
        self._git(["remove", "--force", "--force", str(path)])
        # Also what an earlier removal was too short-lived to delete.
        for trash in path.parent.glob(f"{_TRASH}*"):
            delete_tree(trash)

    @writing()
    def restore_git_file(self, path: Path) -> None:
        """Puts back the `.git` file of a worktree, whatever an agent has made of it."""
        expected = f"gitdir: {self.gitdir_of(path)}\n"
        link = path / ".git"
        if link.is_file() and not link.is_symlink() and link.read_bytes() == expected.encode():
            return
        if link.is_symlink() or link.exists():
            delete_tree(link)
        link.write_text(expected)

    def scan(self, path: Path, *, against: Oid, drop_prefixes: Sequence[str] = ()) -> WorktreeScan:
        """Compares the files of a worktree with a commit."""
        return scan_worktree(self._repository, path, against=against, drop_prefixes=drop_prefixes)

    @writing()
    def commit(
        self,
        path: Path,
        *,
        branch: RefName,
        message: str,
        author: Person,
        when: datetime,
        trailers: Sequence[tuple[str, str]] = (),
        event: str | None = None,
        since: Oid | None = None,
        merge_parents: Sequence[Oid] = (),
        drop_prefixes: Sequence[str] = (),
    ) -> SessionCommit:
        """Commits the files of a worktree on its branch; with merge parents the commit is made even when nothing changed.

        Whatever is dropped keeps the content it has in the last merge parent, else in the parent: it is left alone, not undone.
        An `event` that made a commit after `since` already makes no second one.
        """
        tip = self._repository.resolve(branch)
        if tip is None or self._repository.checked_out().get(branch) != _real(path):
            raise GitError(f"{branch} is not checked out in {path}, so its files were not committed. Retry the session.")
        if event is not None and (found := self._repository.find_event(branch, event, since=since)):
            return self._replayed(path, found, drop_prefixes)
        base = merge_parents[-1] if merge_parents else tip
        scan = self.scan(path, against=base, drop_prefixes=drop_prefixes)
        changed = tuple(sorted([*scan.files, *scan.deleted]))
        if not changed and not merge_parents:
            tree = self._repository.tree_of(tip)
            return SessionCommit(oid=tip, tree=tree, parent=tip, changed=(), dropped=scan.dropped, evidence=())
        request = CommitRequest(
            ref=branch,
            message=message,
            author=author,
            when=when,
            trailers=trailers,
            event=event,
            since=since,
            tree=self._repository.tree_of(base),
            files=dict.fromkeys(scan.deleted),
            worktree_files=scan.files,
            merge_parents=merge_parents,
            expect=tip,
        )
        made = self._writer.commit([request], allow_checked_out={branch})[0]
        self._set_index(self.gitdir_of(path), made.oid)
        return SessionCommit(oid=made.oid, tree=made.tree, parent=tip, changed=changed, dropped=scan.dropped, evidence=scan.evidence)

    @writing()
    def reset_files(self, path: Path, commit: Oid) -> None:
        """Makes the files of a worktree exactly those of a commit; all else in it is deleted, ignored files included."""
        git_dir = self.gitdir_of(path)
        (git_dir / "index").unlink(missing_ok=True)
        for child in path.iterdir():
            delete_tree(child)
        self.restore_git_file(path)
        write_entries(self._repository, self._repository.entries(commit), path)
        self._set_index(git_dir, commit)

    def _add(self, path: Path, what: Sequence[str], commitish: str) -> None:
        if path.exists() and self._is_finished(path):
            self.restore_git_file(path)
            return
        # What a crash left unfinished, or somebody deleted, is made anew.
        self.remove(path)
        path.parent.mkdir(parents=True, exist_ok=True)
        self._git(["add", "--no-checkout", "--lock", "--reason", _REASON, str(path), *what])
        commit = self._repository.resolve(f"{commitish}^{{commit}}")
        if commit is None:
            sentence = (
                f"There is no commit {commitish} in this repository. In a shallow or partial clone, fetch it first with: {HOW_TO_FETCH}"
            )
            raise ObjectMissing(sentence)
        self.reset_files(path, commit)

    def _git(self, args: Sequence[str]) -> str:
        """Runs `git worktree` one at a time: it gives up when it meets a worktree that is half made or half removed."""
        with write_lock(self._repository):
            return self._repository.runner.run(["worktree", *args]).text

    def _find(self, path: Path) -> Path | None:
        wanted = _real(path) / ".git"
        folder = self._repository.git_dir / "worktrees"
        for candidate in sorted(folder.iterdir()) if folder.is_dir() else []:
            try:
                found = Path((candidate / "gitdir").read_text().rstrip("\n"))
            except OSError:  # another worktree, half made or half removed
                continue
            if found == wanted:
                return candidate
        return None

    def _is_finished(self, path: Path) -> bool:
        """Tells whether there is a worktree at `path` that was filled to the end: the index comes last."""
        known = self._find(path)
        return known is not None and (known / "index").exists()

    def _set_index(self, git_dir: Path, commit: Oid) -> None:
        """Writes a new index beside the old one and swaps it in, so that no lock file can be left behind."""
        fresh = git_dir / f"index.{uuid.uuid4().hex}"
        self._repository.runner.at(git_dir).run(["read-tree", commit], env={"GIT_INDEX_FILE": str(fresh)})
        fresh.replace(git_dir / "index")

    def _replayed(self, path: Path, oid: Oid, drop_prefixes: Sequence[str]) -> SessionCommit:
        """Tells of a commit that was made before a crash; what was left out of it is still in the worktree."""
        self._set_index(self.gitdir_of(path), oid)
        commit = self._repository.log(oid, limit=1)[0]
        base = commit.parents[-1]
        changed = self._repository.changed_paths(base, oid)
        return SessionCommit(
            oid=oid,
            tree=self._repository.tree_of(oid),
            parent=commit.parents[0],
            changed=changed,
            dropped=self.scan(path, against=base, drop_prefixes=drop_prefixes).dropped,
            evidence=evidence_in(changed),
        )


def _real(path: Path) -> Path:
    """The path as git records it: links above the worktree resolved, the worktree itself not."""
    return path.parent.resolve() / path.name
