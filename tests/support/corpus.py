"""Real spec documents, where they are at hand: never part of this repository."""

import os
from collections.abc import Mapping
from pathlib import Path

import pytest

from specthread.spec.dialects import Dialect, detect, document_of
from specthread.spec.document import DocumentName

CORPUS = Path(os.environ.get("SPECTHREAD_CORPUS") or Path(__file__).parents[2].parent / "shared" / "corpus")
FILES = sorted(CORPUS.glob("*/**/*.md"))
needs_corpus = pytest.mark.skipif(not FILES, reason="no corpus of real documents here; name its folder in SPECTHREAD_CORPUS")

_FOLDERS = {"kiro": ".kiro/specs", "openspec": "openspec/changes", "speckit": "specs", "specworkflow": ".spec-workflow/specs"}


def home_of(path: Path) -> str:
    """The path the document had in its own repository, or one like it."""
    family, _, name, *rest = path.relative_to(CORPUS).parts
    name = f"001-{name}" if family == "speckit" and not name[:3].isdecimal() else name
    return "/".join((_FOLDERS[family], name, *rest))


def folders() -> list[Path]:
    """The spec folders of the corpus."""
    return sorted({path.parents[2] if path.parent.parent.name == "specs" else path.parent for path in FILES if document_of(str(path))})


def documents_in(folder: Path) -> tuple[Dialect, Mapping[DocumentName, bytes]]:
    """The documents of a folder and their dialect."""
    files = [path for path in sorted(folder.rglob("*.md")) if document_of(str(path))]
    contents = {DocumentName(str(path.relative_to(folder).with_suffix(""))): path.read_bytes() for path in files}
    tasks = contents.get(DocumentName("tasks"), b"")
    return detect(home_of(files[0]), tasks), contents
