"""A spec folder in a real Emacs with eglot: what is wrong is shown and mended, ids are renamed and followed as in code."""

from __future__ import annotations

from support.demo_editing import demo_place
from support.emacs import HAS_EGLOT, emacs
from support.spec_editing import MISSING, RENAMED, write_spec, written
from support.workbench import needs


@needs("emacs with eglot", HAS_EGLOT)
def test_a_spec_is_mended_renamed_and_followed_in_emacs(tmp_path):
    with demo_place(tmp_path) as (repository, environ):
        folder = write_spec(repository)
        with emacs(environ, tmp_path, folder / "tasks.md", "lsp", "--standalone") as editor:
            editor.manages("tasks.md")
            editor.until(lambda: MISSING in str(editor.found()))

            editor.go("1.22")
            editor.command("eglot-code-action-quickfix")
            editor.until(lambda: "_(Requirements: 1.2)_" in editor.text())
            editor.until(lambda: not editor.found())
            editor.press("C-x", "C-s")

            editor.go("1.2)")
            editor.press("M-.")
            editor.manages("requirements.md")
            editor.until(lambda: (editor.eval("(thing-at-point 'line)") or "").startswith("2. WHEN the disk"))

            assert editor.eval('(kill-buffer "tasks.md")')  # a file that is not open is renamed in too
            editor.go("1: ")
            editor.command("eglot-rename")
            editor.choose("Rename", "7")
            editor.until(lambda: "Requirement 7" in editor.text())
            editor.eval("(progn (save-some-buffers t) t)")
            assert written(folder) == RENAMED
