"""The whole loop in a real Neovim with our plugin: keys in, buffers and messages out."""

from __future__ import annotations

import json
import shutil
import time
from contextlib import contextmanager
from pathlib import Path

import pynvim
import pytest

from specthread.agents.demo.human import COMMENT
from specthread.agents.demo.material import PROMPT
from specthread.agents.demo.planner import VAGUE
from support.demo_editing import demo_place, specthread
from support.source_tree import ROOT
from support.workbench import PROGRAM, needs

PATIENCE = 60.0
RECORD = """
vim.g.said, vim.g.progress = {}, {}
vim.notify = function(text) local said = vim.g.said; table.insert(said, text); vim.g.said = said end
vim.api.nvim_create_autocmd("User", { pattern = "LspProgressUpdate", callback = function()
  for _, each in ipairs(vim.lsp.util.get_progress_messages()) do
    local progress = vim.g.progress; table.insert(progress, each.message or each.title or ""); vim.g.progress = progress
  end
end })
pcall(vim.api.nvim_create_autocmd, "LspProgress", { callback = function(event)
  local progress = vim.g.progress; table.insert(progress, event.data.params.value.message or ""); vim.g.progress = progress
end })
"""


class Neovim:
    """A person at a Neovim."""

    def __init__(self, nvim) -> None:
        self.nvim = nvim

    def until(self, condition):
        end = time.monotonic() + PATIENCE
        while not (found := condition()):
            assert time.monotonic() < end, (self.nvim.eval("g:said"), self.nvim.api.get_mode(), self.nvim.command_output("messages"))
            time.sleep(0.05)
        return found

    def said(self, words):
        return self.until(lambda: any(words in each for each in self.nvim.eval("g:said")))

    def name(self):
        return self.nvim.current.buffer.name

    def choose(self, number):
        """Types the number of a choice, once Neovim waits for one."""
        self.until(self.waits)
        self.nvim.input(f"{number}\r")
        self.until(lambda: not self.waits())

    def waits(self):
        mode = self.nvim.api.get_mode()
        return mode["blocking"] or mode["mode"] == "c"

    def lens(self, title):
        """Runs a lens of the open document, as `vim.lsp.codelens.run()` would after the choice."""
        found = "vim.tbl_map(function(each) return each.command.title end, vim.lsp.codelens.get(0))"
        titles = self.until(
            lambda: [each for each in self.nvim.exec_lua(f"return {found}") if title in each] and self.nvim.exec_lua(f"return {found}")
        )
        self.nvim.command("normal! gg")
        self.nvim.exec_lua("vim.schedule(vim.lsp.codelens.run)")
        at_top = [each for each in titles if not each.startswith(("Start task", "merged"))]
        if len(at_top) > 1:
            self.choose(1 + next(index for index, each in enumerate(at_top) if title in each))


@contextmanager
def neovim(environ, folder):
    argv = ["env", "-i", *(f"{name}={value}" for name, value in environ.items())]
    argv += ["nvim", "--embed", "--headless", "-u", "NONE", "-i", "NONE", "-n", "--cmd", f"set rtp^={ROOT}/editors/neovim"]
    nvim = pynvim.attach("child", argv=argv)
    try:
        nvim.command(f"cd {folder}")
        nvim.command("filetype on | runtime plugin/specthread.lua | set hidden")
        nvim.exec_lua(RECORD)
        nvim.exec_lua("require('specthread').setup { cmd = { ..., 'lsp' } }", PROGRAM)
        yield Neovim(nvim)
    finally:
        nvim.async_call(nvim.command, "qa!")
        nvim.close()


def view(environ, repository):
    (summary,) = json.loads(specthread(environ, "list", "--json", cwd=repository))["spectasks"]
    return json.loads(specthread(environ, "show", summary["id"], "--json", cwd=repository))


@needs("nvim", shutil.which("nvim"))
def test_the_whole_loop_in_neovim(tmp_path):
    with demo_place(tmp_path, pause=0.02) as (repository, environ), neovim(environ, repository) as editor:
        nvim = editor.nvim
        nvim.command(f"Spec new {PROMPT}")
        editor.said("To be approved")
        assert nvim.exec_lua("return require('specthread').status()") == "1 needs you"

        nvim.command("Spec open")
        editor.choose(1)
        editor.until(lambda: editor.name().endswith("requirements.md"))
        (line,) = [number for number, text in enumerate(nvim.current.buffer, 1) if VAGUE in text]
        nvim.current.buffer.append("3. The list command is fast.", line)
        editor.until(lambda: nvim.exec_lua("return #vim.diagnostic.get(0)"))
        nvim.command("undo")
        nvim.current.buffer.append(f"<!--? {COMMENT} -->", line)
        nvim.command("write")
        editor.until(
            lambda: any(
                COMMENT in each
                for each in nvim.exec_lua("return vim.tbl_map(function(each) return each.message end, vim.diagnostic.get(0))")
            )
        )

        editor.lens("Request changes")
        editor.until(lambda: editor.name().endswith("request-changes.md"))
        nvim.current.buffer[:] = ["Please see my comment."]
        nvim.command("write")
        editor.until(lambda: len(view(environ, repository)["planning"]) == 2)
        editor.until(lambda: view(environ, repository)["planning"][1]["status"] == "completed")
        assert "Please see my comment." in specthread(environ, "history", view(environ, repository)["id"])

        for name in ("requirements", "design", "tasks"):
            nvim.command(f"Spec open {view(environ, repository)['id']} {name}")
            editor.until(lambda name=name: editor.name().endswith(f"{name}.md"))
            editor.until(lambda name=name: "\n".join(nvim.current.buffer) + "\n" == Path(editor.name()).read_text())
            editor.lens(f"Approve {name}@")
            editor.until(
                lambda name=name: (
                    next(each for each in view(environ, repository)["documents"] if each["name"] == name)["approval"] == "valid"
                )
            )
        nvim.command("Spec start")
        editor.said("In which order should the totals stand")
        nvim.command("Spec answer")
        editor.choose(1)
        editor.said("accept it")
        assert any("tasks merged" in each or "at work" in each for each in nvim.eval("g:progress"))
        nvim.command("Spec list")
        editor.until(lambda: any("implementation review" in each and "4/4" in each for each in nvim.current.buffer))
        nvim.command("Spec accept")
        editor.choose(1)
        editor.until(lambda: view(environ, repository)["state"] == "done")


@needs("nvim", shutil.which("nvim"))
@pytest.mark.parametrize(
    ("command", "said"),
    [
        ("Spec dance", "knows no “dance”"),
        ("Spec approve nobody", "There is no SpecTask nobody"),
        ("Spec answer", "No SpecTask asks you anything"),
    ],
)
def test_what_makes_no_sense_is_said_in_a_message(tmp_path, command, said):
    with demo_place(tmp_path) as (repository, environ), neovim(environ, repository) as editor:
        editor.nvim.command(command)
        editor.until(lambda: said in str(editor.nvim.eval("g:said")) + editor.nvim.command_output("messages"))


@needs("nvim", shutil.which("nvim"))
def test_a_file_outside_of_any_repository_starts_nothing_and_one_inside_is_attached_again_after_the_end(tmp_path):
    (tmp_path / "notes.md").write_text("# Notes\n")
    clients = (
        "return #vim.tbl_filter(function(each) return each.name == 'specthread' end, (vim.lsp.get_clients or vim.lsp.get_active_clients)())"
    )
    attached = (
        "local client = require('specthread.client').get() return client ~= nil and vim.lsp.buf_is_attached(vim.fn.bufnr(), client.id)"
    )
    with demo_place(tmp_path) as (repository, environ), neovim(environ, repository) as editor:
        editor.nvim.command(f"edit {tmp_path}/notes.md")
        assert editor.nvim.exec_lua(clients) == 0
        editor.nvim.command(f"edit {repository}/README.md")
        editor.until(lambda: editor.nvim.exec_lua(attached))
        editor.nvim.exec_lua("require('specthread.client').get().stop(true)")
        editor.until(lambda: not editor.nvim.exec_lua(attached))
        editor.nvim.command("Spec")
        editor.until(lambda: editor.nvim.exec_lua(clients) == 1)
        editor.nvim.command("buffer README.md")
        editor.until(lambda: editor.nvim.exec_lua(attached))


@needs("nvim", shutil.which("nvim"))
def test_a_program_that_is_not_there_is_said_with_the_way_on(tmp_path):
    with demo_place(tmp_path) as (repository, environ), neovim(environ, repository) as editor:
        editor.nvim.exec_lua("require('specthread').setup { cmd = { '/nowhere/specthread', 'lsp' } }")
        editor.nvim.command("Spec new Something")
        editor.said("is not there: install Specthread")
