"""The whole loop up to the start of the work in a real Emacs with eglot: keys in, buffers and messages out."""

from __future__ import annotations

from specthread.agents.demo.human import COMMENT
from specthread.agents.demo.material import PROMPT
from specthread.agents.demo.planner import VAGUE
from support.demo_editing import demo_place, specthread, view
from support.emacs import HAS_EGLOT, emacs
from support.workbench import needs


@needs("emacs with eglot", HAS_EGLOT)
def test_a_spec_is_asked_for_rejected_and_approved_in_emacs(tmp_path):
    with demo_place(tmp_path, pause=0.02) as (repository, environ), emacs(environ, tmp_path, repository / "README.md", "lsp") as editor:
        editor.manages("README.md")
        editor.run("new-task")
        editor.shows("new-task.md")
        editor.replace(PROMPT + "\n")
        editor.choose("wait for you", "Open")
        editor.choose("Which document", "requirements")
        file = editor.manages("requirements.md")
        text = file.read_text()
        (line,) = [each for each in text.splitlines() if VAGUE in each]
        editor.replace(text.replace(line, f"{line}\n<!--? {COMMENT} -->"))
        editor.until(lambda: view(environ, repository)["comments"])
        editor.until(lambda: COMMENT not in (editor.text() or COMMENT))
        editor.until(lambda: any(COMMENT in each for each in editor.found()))
        editor.run("request-changes")
        editor.shows("request-changes.md")
        editor.replace("Please see my comment.\n")
        editor.until(
            lambda: len(view(environ, repository)["planning"]) == 2 and view(environ, repository)["planning"][1]["status"] == "completed"
        )
        assert "Please see my comment." in specthread(environ, "history", view(environ, repository)["id"])
        editor.choose("wait for you", "Later")
        editor.press("C-x", "o")
        editor.manages("requirements.md")
        editor.command("eglot-code-actions")
        editor.choose("Pick an action", "Approve requirements@")
        editor.until(lambda: view(environ, repository)["documents"][0]["approval"] == "valid")
        assert any(view(environ, repository)["id"] in each for each in editor.eval("(vconcat story-progress)"))
