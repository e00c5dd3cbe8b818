"""The spec that a document in an editor belongs to, and changes of it as the editor takes them: for exactly the text that was read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from lsprotocol import types as lsp

from specthread.plan.judgement import judge
from specthread.protocol.lsp.session import Session
from specthread.protocol.lsp.texts import Encoding, text_of
from specthread.spec.changes import Changes
from specthread.spec.document import Change, DocumentName, Problem
from specthread.spec.levels import Levels
from specthread.spec.source import Source
from specthread.spec.spec import Spec


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
    levels: Levels

    @property
    def problems(self) -> list[Problem]:
        """What is wrong with the document that was asked about, as its margin says."""
        return [problem for problem in judge(self.spec, self.levels) if problem.document == self.name]

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
        documents = session.editor.workspace.text_documents
        return all(
            (document := documents.get(self.uris[name])) is not None and document.version == version
            for name, version in self.versions.items()
        )


def opened(session: Session, uri: str) -> Opened | None:
    """The spec around an open document; None where it is no document of a spec, or too long to be read while somebody waits."""
    found = session.shelves.at(uri)
    if found is None:
        return None
    shelf, name = found
    versions = {each: version for each, version in shelf.versions.items() if each in shelf.uris}
    return Opened(spec=shelf.index.spec, name=name, uris=shelf.uris, versions=versions, encoding=session.encoding, levels=shelf.levels)
