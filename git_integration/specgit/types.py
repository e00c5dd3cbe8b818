"""The words of git that Specthread uses: object ids, ref names, persons and paths, each checked where it is made."""

import re
import unicodedata
from dataclasses import dataclass
from typing import NewType

from specgit.errors import UnsafePath

Oid = NewType("Oid", str)
"""An object id in hexadecimal, 40 or 64 digits."""
RefName = NewType("RefName", str)
"""A full ref name such as `refs/heads/main`."""

_TASK_ID = re.compile(r"[a-z0-9][a-z0-9-]{0,62}")
_REF_PART = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
_SHORT_NAME = re.compile(r"git~\d+", re.IGNORECASE)
# Characters that the HFS+ file system skips when it compares names, so that ".g<200c>it" opens ".git".
_SKIPPED_BY_HFS = dict.fromkeys([*range(0x200C, 0x2010), *range(0x202A, 0x202F), *range(0x206A, 0x2070), 0xFEFF])
_PART_LIMIT = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """An author or committer."""

    name: str
    email: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SpecRefs:
    """The ref names of one SpecTask."""

    task_id: str

    @property
    def specs(self) -> RefName:
        """The parentless branch of live documents and records."""
        return RefName(f"refs/heads/spectask/{self.task_id}/specs")

    @property
    def feature(self) -> RefName:
        """The branch of merged code."""
        return RefName(f"refs/heads/spectask/{self.task_id}/feature")

    def session(self, number: int) -> RefName:
        """The branch of work session `ws-<number>`."""
        return RefName(f"refs/heads/spectask/{self.task_id}/ws-{number}")

    def tag(self, number: int) -> RefName:
        """The tag of approved version `number`."""
        return RefName(f"refs/tags/spectask/{self.task_id}/v{number}")

    def archive(self, *parts: str) -> RefName:
        """Where a snapshot is kept before something is removed."""
        return _private_ref("archive", self.task_id, parts)

    def archived(self, branch: RefName) -> RefName:
        """Where one of these branches stands once the SpecTask is put away."""
        return self.archive("branches", branch.rpartition("/")[2])

    def pending(self, *parts: str) -> RefName:
        """Where finished but unpublished bytes are kept."""
        return _private_ref("pending", self.task_id, parts)

    def conflicts(self, *parts: str) -> RefName:
        """Where a side of a conflict is kept."""
        return _private_ref("conflicts", self.task_id, parts)


def spec_refs(task_id: str) -> SpecRefs:
    """Returns the ref names of a SpecTask; raises UnsafePath when its id cannot be part of a ref."""
    if not _TASK_ID.fullmatch(task_id):
        raise UnsafePath(f"{task_id!r} is not a SpecTask id. Use lower-case letters, digits and hyphens, at most 63 of them.")
    return SpecRefs(task_id=task_id)


def is_own_ref(ref: str) -> bool:
    """Tells whether a ref belongs to Specthread and may therefore be moved by it."""
    return ref.startswith(("refs/heads/spectask/", "refs/tags/spectask/", "refs/specthread/"))


def validate_path(path: str) -> str:
    """Returns a repository-relative path that every file system can hold safely, else raises UnsafePath."""
    for part in path.split("/"):
        if reason := danger_of(part) or _portability_problem(part):
            raise UnsafePath(f"The path {path!r} cannot be written into the repository: {reason}. Choose another name.")
    return path


def danger_of(part: str) -> str:
    """Says why one component of a path could harm a repository on some file system; empty when it could not."""
    if part in {"", ".", ".."}:
        return "an empty part, `.` or `..` leaves the folder"
    if "/" in part or "\0" in part:
        return "a part holds a separator"
    plain = part.translate(_SKIPPED_BY_HFS).replace("\\", ":").split(":")[0].rstrip(". ").casefold()
    if plain == ".git" or _SHORT_NAME.fullmatch(plain):
        return "`.git`, in any spelling, belongs to git"
    return ""


def _portability_problem(part: str) -> str:
    if any(unicodedata.category(character) in {"Cc", "Cs"} for character in part) or "\\" in part:
        return "control characters and backslashes are not portable"
    if unicodedata.normalize("NFC", part) != part:
        return "its accents are not in composed form (NFC)"
    if len(part.encode()) > _PART_LIMIT:
        return f"a part is longer than {_PART_LIMIT} bytes"
    return ""


def _private_ref(kind: str, task_id: str, parts: tuple[str, ...]) -> RefName:
    words = [word for part in parts for word in part.split("/")]
    bad = [word for word in words if not _REF_PART.fullmatch(word) or ".." in word or word.endswith((".lock", "."))]
    if bad or not words:
        raise UnsafePath(f"{'/'.join(parts)!r} cannot be part of a ref name. Use letters, digits, dots, hyphens and slashes.")
    return RefName("/".join(("refs/specthread", kind, task_id, *words)))
