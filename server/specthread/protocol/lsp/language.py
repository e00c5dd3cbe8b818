"""What an editor is told of a place in a spec: hover, places of a symbol, outline, completion, colours. The answers come from `views/assist`.

Places are lines and characters there, and are put into the editor's units here. What is no spec, or a place that is not there any more, has no answer.
All handlers but the search through the workspace are plain functions: each answers from what the documents say at its turn, and none waits.
"""

from specthread.protocol.lsp import language_marks, language_read, language_shape, language_symbols, language_write
from specthread.protocol.lsp.language_place import Language
from specthread.protocol.lsp.session import Session


def install(session: Session) -> None:
    """Registers the features that read specs; they need no daemon."""
    language = Language(session)
    for feature in (language_read, language_shape, language_write, language_marks, language_symbols):
        feature.install(language)
