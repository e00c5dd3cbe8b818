"""The whole loop up to the start of the work in a real Emacs with eglot: keys in, buffers and messages out."""

from __future__ import annotations

import json
import shlex
import shutil
import subprocess
import time
from contextlib import contextmanager
from pathlib import Path

from specthread.agents.demo.human import COMMENT
from specthread.agents.demo.material import PROMPT
from specthread.agents.demo.planner import VAGUE
from support.demo_editing import demo_place, specthread
from support.source_tree import ROOT
from support.workbench import PROGRAM, needs

PATIENCE = 60.0
INIT = f"""
(setq server-name "story" auto-mode-alist '(("\\\\.md\\\\'" . text-mode)) eglot-report-progress 'messages auto-revert-interval 1
      make-backup-files nil create-lockfiles nil auto-save-default nil message-log-max 1000 inhibit-startup-screen t)
(load "{ROOT}/editors/emacs/specthread.el")
(add-to-list 'eglot-server-programs (cons 'text-mode (lambda (&rest _) specthread-command)))
(setq specthread-command '("{PROGRAM}" "lsp"))
(add-hook 'text-mode-hook #'eglot-ensure)
(defvar story-progress nil)
(advice-add 'make-progress-reporter :before (lambda (text &rest _) (push (substring-no-properties text) story-progress)))
(server-start)
"""
HAS_EGLOT = (
    shutil.which("emacs") and not subprocess.run(["emacs", "-Q", "--batch", "-l", "eglot"], capture_output=True, check=False).returncode
)


class Emacs:
    """A person at an Emacs in a terminal."""

    def __init__(self, environ, folder) -> None:
        self.environ = environ
        self.tmux = ["tmux", "-S", str(folder / "tmux")]

    def eval(self, lisp):
        command = [
            "emacsclient",
            "-s",
            "story",
            "--eval",
            f"(with-current-buffer (window-buffer) (json-serialize (vconcat (list {lisp}))))",
        ]
        done = subprocess.run(command, env=self.environ, capture_output=True, text=True, check=False)
        return json.loads(json.loads(done.stdout))[0] if done.returncode == 0 else None

    def press(self, *keys):
        subprocess.run([*self.tmux, "send-keys", *keys], check=True)

    def write(self, text):
        subprocess.run([*self.tmux, "send-keys", "-l", text], check=True)

    def screen(self):
        return subprocess.run([*self.tmux, "capture-pane", "-p"], capture_output=True, text=True, check=False).stdout

    def until(self, condition):
        end = time.monotonic() + PATIENCE
        while not (found := condition()):
            assert time.monotonic() < end, self.screen()
            time.sleep(0.05)
        return found

    def asks(self, words):
        return self.until(
            lambda: (
                words
                in (
                    self.eval(
                        '(or (and (active-minibuffer-window) (with-selected-window (active-minibuffer-window) (minibuffer-prompt))) "")'
                    )
                    or ""
                )
            )
        )

    def choose(self, words, choice):
        """Completes a choice once Emacs asks with these words."""
        self.asks(words)
        self.press("C-a", "C-k")  # eglot writes the first choice down already
        self.write(choice)
        self.press("Enter")

    def shows(self, name):
        return Path(self.until(lambda: (path := self.eval('(or buffer-file-name "")') or "").endswith(name) and path))

    def manages(self, name):
        """Waits for a file that eglot looks after: it begins with the first key after it was shown."""
        file = self.shows(name)
        self.press("C-a")
        self.until(lambda: self.eval("(if (eglot-managed-p) t :false)"))
        return file

    def run(self, verb):
        self.press("M-x")
        self.write("specthread")
        self.press("Enter")
        self.choose("Specthread: ", verb)

    def replace(self, text):
        """Puts other text into the buffer and saves it."""
        self.eval(f"(progn (erase-buffer) (insert {json.dumps(text)}) t)")
        self.press("C-x", "C-s")


@contextmanager
def emacs(environ, folder, file):
    environ = {**environ, "TERM": "screen-256color", "LANG": "C.UTF-8"}
    (folder / "init.el").write_text(INIT)
    editor = Emacs(environ, folder)
    argv = ["env", "-i", *(f"{name}={value}" for name, value in environ.items()), "emacs", "-nw", "-Q", "-l", str(folder / "init.el"), file]
    subprocess.run(
        [*editor.tmux, "new-session", "-d", "-x", "140", "-y", "40", "-c", str(file.parent), shlex.join(map(str, argv))], check=True
    )
    try:
        yield editor
    finally:
        subprocess.run([*editor.tmux, "kill-server"], check=False)


def view(environ, repository):
    (summary,) = json.loads(specthread(environ, "list", "--json", cwd=repository))["spectasks"]
    return json.loads(specthread(environ, "show", summary["id"], "--json", cwd=repository))


@needs("emacs with eglot", HAS_EGLOT)
def test_a_spec_is_asked_for_rejected_and_approved_in_emacs(tmp_path):
    with demo_place(tmp_path, pause=0.02) as (repository, environ), emacs(environ, tmp_path, repository / "README.md") as editor:
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
        editor.until(lambda: COMMENT not in (editor.eval("(buffer-string)") or COMMENT))
        editor.until(
            lambda: any(COMMENT in each for each in editor.eval("(vconcat (mapcar #'flymake-diagnostic-text (flymake-diagnostics)))") or ())
        )
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
        editor.press("M-x")
        editor.write("eglot-code-actions")
        editor.press("Enter")
        editor.choose("Pick an action", "Approve requirements@")
        editor.until(lambda: view(environ, repository)["documents"][0]["approval"] == "valid")
        assert any(view(environ, repository)["id"] in each for each in editor.eval("(vconcat story-progress)"))
