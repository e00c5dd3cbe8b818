"""Worktrees for sessions: made without filters or hooks, committed by our own file list, removed without waiting and never with unsaved work.

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
from specgit.include import Included, include_once, noted
from specgit.known import KnownFiles
from specgit.lock import write_lock
from specgit.removal import LOCK_REASON, empty_trash, put_away
from specgit.repository import Repository
from specgit.scan import Dropped, WorktreeScan, evidence_in, scan_worktree
from specgit.snapshot import Keep, Kept, keep_snapshot
from specgit.sparse import Cone, cone_of, mark_absent, read_cone
from specgit.trees import write_entries
from specgit.types import Oid, Person, RefName

_STANDS_ON_NOTHING = "The worktree {path} stands on no commit that is there. Look at it: git -C {path} status"


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
    def add(self, path: Path, *, branch: RefName, start: Oid, sparse: Sequence[str] = ()) -> None:
        """Makes a worktree with `branch`, which begins at `start` unless it exists; one that is there already is kept as it is.

        With `sparse` it holds only the files at the top and in those folders; what is left out counts as unchanged. Raises UnsafePath for what is no folder,
        and CheckedOutElsewhere when the branch has another worktree.
        """
        elsewhere = self._repository.checked_out().get(branch)
        if elsewhere is not None and elsewhere != _real(path):
            raise CheckedOutElsewhere(branch, elsewhere)
        if elsewhere is None and path.exists() and self._is_finished(path):
            raise GitError(f"{path} is a worktree of something other than {branch}. Remove that worktree, or use another folder.")
        if self._repository.resolve(branch) is None:
            if elsewhere is not None:
                name = branch.removeprefix("refs/heads/")
                raise GitError(
                    f"Somebody deleted {name}, on which {path} stands. Put it back: git branch {name} COMMIT; git fsck --lost-found finds it."
                )
            self._writer.set_ref(branch, start, None)
        self._add(path, [branch.removeprefix("refs/heads/")], branch, cone_of(sparse) if sparse else None)

    @writing()
    def add_detached(self, path: Path, commit: Oid) -> None:
        """Makes a worktree that stands on a commit and on no branch; one that is there already is kept as it is."""
        self._add(path, ["--detach", commit], commit, None)

    def cone(self, path: Path) -> Cone | None:
        """Returns what the worktree at `path` was made to hold; None where that is everything, or there is none."""
        git_dir = self._find(path)
        return read_cone(git_dir) if git_dir is not None else None

    @writing()
    def include(self, path: Path, patterns: Sequence[str]) -> tuple[str, ...]:
        """Copies ignored files of the checkout that patterns name into a new worktree, once; returns what it has copies of, none of which is ever committed."""
        return include_once(self._repository, self.gitdir_of(path), path, patterns)

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
            if fact.get("locked") == LOCK_REASON
        )

    @writing()
    def remove(self, path: Path, *, keep: Keep | None) -> Kept | None:
        """Removes a worktree with everything in it; its branch stays. Nothing happens when there is none.

        Where its files differ from the commit it stands on, or no ref leads to that commit, `keep` says where they are kept first, and what was kept is
        returned. None as `keep` throws them away: only for a worktree that the caller filled and nobody works in.
        """
        git_dir = self._find(path)
        if git_dir is None:
            return None
        kept = self._kept(path, git_dir, keep) if keep is not None else None
        put_away(self._repository, path, git_dir)
        return kept

    @writing()
    def snapshot(self, path: Path, keep: Keep) -> Kept:
        """Keeps what a worktree holds now: the commit it stands on, and over it what is changed or new and not ignored."""
        head = self._head_of(self.gitdir_of(path))
        if head is None:
            raise ObjectMissing(_STANDS_ON_NOTHING.format(path=path))
        return keep_snapshot(self._repository, self._writer, keep, head=head, scan=self.scan(path, against=head))

    @writing()
    def empty_trash(self, *folders: Path) -> None:
        """Deletes what removals that were cut off left in these folders."""
        empty_trash(self._repository, *folders)

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

    def scan(self, path: Path, *, against: Oid, drop_prefixes: Sequence[str] = (), known: KnownFiles | None = None) -> WorktreeScan:
        """Compares the files of a worktree with a commit; files that are `known` to be unchanged are not read."""
        git_dir = self._find(path)
        return scan_worktree(
            self._repository,
            path,
            against=against,
            drop_prefixes=drop_prefixes,
            known=known,
            cone=read_cone(git_dir) if git_dir is not None else None,
            copied_in=noted(git_dir) if git_dir is not None else Included(),
        )

    def strange_files(self, path: Path, *, against: Oid) -> tuple[str, ...]:
        """Returns the paths of what somebody has put into a worktree that was made to hold a commit and what was copied in: changed or new, ignored or not."""
        scan, copied = self.scan(path, against=against), noted(self.gitdir_of(path))
        tracked = {entry.path for entry in self._repository.entries(against)}
        left_out = {dropped.path for dropped in scan.dropped} - copied.paths
        return tuple(sorted({*scan.files, *left_out, *copied.strange_files(path, tracked)}))

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
        self._set_index(path, self.gitdir_of(path), made.oid)
        return SessionCommit(oid=made.oid, tree=made.tree, parent=tip, changed=changed, dropped=scan.dropped, evidence=scan.evidence)

    @writing()
    def withdraw(self, path: Path, *, branch: RefName, tip: Oid, to: Oid) -> None:
        """Takes the commits after `to` off the branch of a worktree; its files stay, and are what the next commit holds. Raises RefMoved."""
        self._writer.set_ref(branch, to, tip, allow_checked_out={branch})
        self._set_index(path, self.gitdir_of(path), to)

    @writing()
    def reset_files(self, path: Path, commit: Oid) -> None:
        """Makes the files of a worktree exactly those of a commit that it was made to hold; all else in it is deleted, ignored files included."""
        git_dir = self.gitdir_of(path)
        cone = read_cone(git_dir)
        (git_dir / "index").unlink(missing_ok=True)
        for child in path.iterdir():
            delete_tree(child)
        self.restore_git_file(path)
        write_entries(self._repository, [each for each in self._repository.entries(commit) if cone is None or cone.holds(each.path)], path)
        self._set_index(path, git_dir, commit)

    def _add(self, path: Path, what: Sequence[str], commitish: str, cone: Cone | None) -> None:
        if path.exists() and self._is_finished(path):
            self.restore_git_file(path)
            return
        # What a crash left unfinished, or somebody deleted, is made anew.
        self.remove(path, keep=None)
        if path.exists() and any(path.iterdir()):
            raise GitError(
                f"{path} holds files, but git no longer knows it as a worktree. Nothing in it was touched: move it away, then retry."
            )
        path.parent.mkdir(parents=True, exist_ok=True)
        self._git(["add", "--no-checkout", "--lock", "--reason", LOCK_REASON, str(path), *what])
        commit = self._repository.resolve(f"{commitish}^{{commit}}")
        if commit is None:
            sentence = (
                f"There is no commit {commitish} in this repository. In a shallow or partial clone, fetch it first with: {HOW_TO_FETCH}"
            )
            raise ObjectMissing(sentence)
        if cone is not None:
            cone.write(self.gitdir_of(path))
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

    def _head_of(self, git_dir: Path) -> Oid | None:
        found = self._repository.runner.at(git_dir).run(["rev-parse", "--verify", "--quiet", "HEAD^{commit}"], check=False)
        return Oid(found.text) if found.exit_code == 0 else None

    def _kept(self, path: Path, git_dir: Path, keep: Keep) -> Kept | None:
        head = self._head_of(git_dir)
        if not (git_dir / "index").exists():  # never filled to the end, so nobody has worked in it
            return None
        if head is None and path.exists():
            raise ObjectMissing(_STANDS_ON_NOTHING.format(path=path))
        if head is None:
            return None
        scan = self.scan(path, against=head) if path.exists() else WorktreeScan.empty()
        if not scan.files and not scan.deleted and self._repository.is_held(head):
            return None
        return keep_snapshot(self._repository, self._writer, keep, head=head, scan=scan)

    def _is_finished(self, path: Path) -> bool:
        """Tells whether there is a worktree at `path` that was filled to the end: the index comes last."""
        known = self._find(path)
        return known is not None and (known / "index").exists()

    def _set_index(self, path: Path, git_dir: Path, commit: Oid) -> None:
        """Writes a new index beside the old one and swaps it in, so that no lock file can be left behind."""
        fresh = git_dir / f"index.{uuid.uuid4().hex}"
        runner = self._repository.runner.at(git_dir)
        runner.run(["read-tree", commit], env={"GIT_INDEX_FILE": str(fresh)})
        if (cone := read_cone(git_dir)) is not None:
            mark_absent(runner, fresh, path, [each.path for each in self._repository.entries(commit) if not cone.holds(each.path)])
        fresh.replace(git_dir / "index")

    def _replayed(self, path: Path, oid: Oid, drop_prefixes: Sequence[str]) -> SessionCommit:
        """Tells of a commit that was made before a crash; what was left out of it is still in the worktree."""
        self._set_index(path, self.gitdir_of(path), oid)
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
