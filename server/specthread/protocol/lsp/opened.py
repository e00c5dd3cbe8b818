"""The spec that a document in an editor belongs to, and changes of it as the editor takes them: for exactly the text that was read."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from weakref import WeakKeyDictionary

from lsprotocol import types as lsp
from pygls.uris import from_fs_path, to_fs_path

from specthread.protocol.lsp.diagnostics import LIMIT
from specthread.protocol.lsp.session import Session
from specthread.protocol.lsp.texts import Encoding, text_of
from specthread.spec.changes import Changes
from specthread.spec.dialects import detect, document_of, is_spec_folder
from specthread.spec.document import TASKS, Change, DocumentName
from specthread.spec.source import Source
from specthread.spec.spec import Spec, kind_of, read_spec


@dataclass(frozen=True, slots=True, kw_only=True)
class Opened:
    """A spec as an editor has it: open documents as they read there, the others as they lie on the disk.

    `name` is the document that was asked about; `versions` holds the open ones only.
    """

    spec: Spec
    name: DocumentName
    uris: Mapping[DocumentName, str]
    versions: Mapping[DocumentName, int | None]
    encoding: Encoding

    @property
    def source(self) -> Source:
        """The document that was asked about."""
        return self.spec.sources[self.name]

    def edits(self, name: DocumentName, changes: tuple[Change, ...]) -> list[lsp.TextEdit]:
        """Changes of one document in the editor's positions, from top to bottom."""
        source = self.spec.sources[name]
        text = text_of(source.content, self.encoding)
        made = sorted((source.edit(change) for change in changes), key=lambda edit: edit.range)
        return [lsp.TextEdit(range=text.range(edit.range), new_text=edit.replacement.decode("utf-8", "replace")) for edit in made]

    def workspace_edit(self, session: Session, changes: Changes) -> lsp.WorkspaceEdit:
        """Changes of any documents, each for the version that was read where the editor takes versions."""
        edits = {name: self.edits(name, each) for name, each in changes.items() if each}
        if not session.editor.takes_versions:
            return lsp.WorkspaceEdit(changes={self.uris[name]: each for name, each in edits.items()})
        return lsp.WorkspaceEdit(
            document_changes=[
                lsp.TextDocumentEdit(
                    text_document=lsp.OptionalVersionedTextDocumentIdentifier(uri=self.uris[name], version=self.versions.get(name)),
                    edits=[*each],
                )
                for name, each in edits.items()
            ]
        )

    def is_current(self, session: Session) -> bool:
        """Whether no document was typed in since it was read."""
        return all(_version(session, self.uris[name]) == version for name, version in self.versions.items())


async def opened(session: Session, uri: str) -> Opened | None:
    """The spec around an open document; None where it is no document of a spec, or too long to be read while somebody waits."""
    path = to_fs_path(uri)
    if path is None or document_of(path) is None or not (uri in session.shown or is_spec_folder(path)):
        return None
    folder = _folder_of(Path(path))
    open_uris = {Path(other): each for each in session.editor.workspace.text_documents if (other := to_fs_path(each))}
    texts = {each: session.text(open_uris[each]) for each in open_uris if each.is_relative_to(folder) and document_of(each.name)}
    versions = {_name(folder, each): _version(session, open_uris[each]) for each in texts}
    is_live = uri in session.shown
    contents = {**await asyncio.to_thread(_files_in, folder), **{_name(folder, each): text for each, text in texts.items()}}
    small = {name: content for name, content in contents.items() if len(content) <= LIMIT}
    tasks = next((content for name, content in small.items() if kind_of(name) == TASKS), b"")
    spec = await asyncio.to_thread(read_spec, small, "specthread" if is_live else detect(path, tasks), _LAST.get(session))
    _LAST[session] = spec
    name = _name(folder, Path(path))
    files = {each: folder / f"{each}.md" for each in small}
    uris = {each: open_uris.get(file) or from_fs_path(str(file)) or "" for each, file in files.items()}
    return Opened(spec=spec, name=name, uris=uris, versions=versions, encoding=session.encoding) if name in small else None


_LAST: Final[WeakKeyDictionary[Session, Spec]] = WeakKeyDictionary()
"""What each editor asked about last: only what changed since is read anew."""


def _version(session: Session, uri: str) -> int | None:
    document = session.editor.workspace.text_documents.get(uri)
    return document.version if document else None


def _folder_of(path: Path) -> Path:
    """The folder of a spec: for one capability of an OpenSpec change, that of the change."""
    is_delta = path.name == "spec.md" and path.parent.parent.name == "specs" and "changes" in path.parts
    return path.parents[2] if is_delta else path.parent


def _name(folder: Path, path: Path) -> DocumentName:
    return DocumentName(path.relative_to(folder).with_suffix("").as_posix())


def _files_in(folder: Path) -> dict[DocumentName, bytes]:
    files = [file for file in (*folder.glob("*.md"), *folder.glob("specs/*/spec.md")) if document_of(file.name)]
    return {_name(folder, file): file.read_bytes() for file in sorted(files) if file.is_file() and file.stat().st_size <= LIMIT}
