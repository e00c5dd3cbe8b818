"""A real Emacs with eglot, in a terminal: keys in, buffers and messages out."""

from __future__ import annotations

import json
import shutil
import subprocess
from base64 import b64decode
from contextlib import contextmanager
from pathlib import Path

from support.source_tree import ROOT
from support.terminal import Terminal, terminal
from support.workbench import PROGRAM

INIT = f"""
(setq server-name "story" auto-mode-alist '(("\\\\.md\\\\'" . text-mode)) eglot-report-progress 'messages auto-revert-interval 1
      make-backup-files nil create-lockfiles nil auto-save-default nil message-log-max 1000 inhibit-startup-screen t)
(load "{ROOT}/editors/emacs/specthread.el")
(add-to-list 'eglot-server-programs (cons 'text-mode (lambda (&rest _) specthread-command)))
(add-hook 'text-mode-hook #'eglot-ensure)
(defvar story-progress nil)
(advice-add 'make-progress-reporter :before (lambda (text &rest _) (push (substring-no-properties text) story-progress)))
"""
HAS_EGLOT = (
    shutil.which("emacs") and not subprocess.run(["emacs", "-Q", "--batch", "-l", "eglot"], capture_output=True, check=False).returncode
)


TRIES = 10
"""How often Emacs is asked what was written; each time takes some hundredths of a second."""


class Emacs(Terminal):
    """A person at an Emacs in a terminal."""

    def eval(self, lisp):
        # Emacs prints what is not ASCII in a way of its own.
        asked = f"(with-current-buffer (window-buffer) (base64-encode-string (json-serialize (vconcat (list {lisp}))) t))"
        done = subprocess.run(["emacsclient", "-s", "story", "--eval", asked], env=self.environ, capture_output=True, check=False)
        return json.loads(b64decode(done.stdout.strip(b'"\n')))[0] if done.returncode == 0 else None

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
        self.until(lambda: self._has_written(choice))
        self.press("Enter")

    def _has_written(self, choice):
        """Writes a choice anew until it stands there: what is typed while Emacs is just beginning to ask may be lost."""
        written = "(with-selected-window (active-minibuffer-window) (minibuffer-contents-no-properties))"
        self.press("C-a", "C-k")  # eglot writes the first choice down already
        self.write(choice)
        return any(self.eval(f'(or (and (active-minibuffer-window) {written}) "")') == choice for _ in range(TRIES))

    def shows(self, name):
        return Path(self.until(lambda: (path := self.eval('(or buffer-file-name "")') or "").endswith(name) and path))

    def manages(self, name):
        """Waits for a file that eglot looks after: it begins with the first key after it was shown."""
        file = self.shows(name)
        self.press("C-a")
        self.until(lambda: self.eval("(if (eglot-managed-p) t :false)"))
        return file

    def command(self, name):
        self.press("M-x")
        self.write(name)
        self.press("Enter")

    def run(self, verb):
        self.command("specthread")
        self.choose("Specthread: ", verb)

    def go(self, words):
        """Puts the cursor on words that stand on one line."""
        assert self.eval(
            f"(progn (goto-char (point-min)) (search-forward {json.dumps(words)}) (goto-char (match-beginning 0)) (set-window-point nil (point)) t)"
        )

    def text(self):
        return self.eval("(buffer-string)") or ""

    def found(self):
        return self.eval("(vconcat (mapcar #'flymake-diagnostic-text (flymake-diagnostics)))") or []

    def replace(self, text):
        """Puts other text into the buffer and saves it."""
        self.eval(f"(progn (erase-buffer) (insert {json.dumps(text)}) t)")
        self.press("C-x", "C-s")


@contextmanager
def emacs(environ, folder, file, *server):
    """Yields an Emacs that shows a file, with our file loaded; eglot starts the language server with these arguments."""
    command = f"(setq specthread-command '{lisp([PROGRAM, *server])})\n"
    (folder / "init.el").write_text(f"{INIT}{command}(server-start)\n")
    with terminal(Emacs(environ, folder), ["emacs", "-nw", "-Q", "-l", folder / "init.el", file], file.parent) as editor:
        yield editor


def lisp(words):
    return f"({' '.join(map(json.dumps, words))})"
