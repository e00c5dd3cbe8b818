"""The whole loop in a real Neovim with our plugin: keys in, buffers and messages out."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from specthread.agents.demo.human import COMMENT
from specthread.agents.demo.material import PROMPT
from specthread.agents.demo.planner import VAGUE
from support.demo_editing import demo_place, specthread, view
from support.neovim import neovim
from support.workbench import needs


@needs("nvim", shutil.which("nvim"))
def test_the_whole_loop_in_neovim(tmp_path):
    with demo_place(tmp_path, pause=0.02) as (repository, environ), neovim(environ, repository, "lsp") as editor:
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
    with demo_place(tmp_path) as (repository, environ), neovim(environ, repository, "lsp") as editor:
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
    with demo_place(tmp_path) as (repository, environ), neovim(environ, repository, "lsp") as editor:
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
    with demo_place(tmp_path) as (repository, environ), neovim(environ, repository, "lsp") as editor:
        editor.nvim.exec_lua("require('specthread').setup { cmd = { '/nowhere/specthread', 'lsp' } }")
        editor.nvim.command("Spec new Something")
        editor.said("is not there: install Specthread")
