"""A spec folder in a real Neovim: what is wrong is shown and mended, ids are renamed and followed as in code."""

from __future__ import annotations

import shutil

import pytest

from support.demo_editing import demo_place
from support.neovim import neovim
from support.spec_editing import MISSING, RENAMED, write_spec, written
from support.workbench import needs

FOUND = "return vim.tbl_map(function(each) return each.message end, vim.diagnostic.get(0))"
SHOWN = """
local shown = {}
for _, window in ipairs(vim.api.nvim_list_wins()) do
  vim.list_extend(shown, vim.api.nvim_buf_get_lines(vim.api.nvim_win_get_buf(window), 0, -1, false))
end
return shown
"""


@needs("nvim", shutil.which("nvim"))
@pytest.mark.parametrize("server", [["lsp", "--standalone"], ["lsp"]], ids=["standalone", "daemon"])
def test_a_spec_is_mended_renamed_and_followed_in_neovim(tmp_path, server):
    with demo_place(tmp_path) as (repository, environ), neovim(environ, repository, *server) as editor:
        nvim, folder = editor.nvim, write_spec(repository)
        nvim.command(f"edit {folder}/tasks.md")
        editor.until(lambda: MISSING in str(nvim.exec_lua(FOUND)))

        editor.ask("code_action", at="1.22")
        editor.choose(1)
        editor.until(lambda: nvim.current.buffer[4].endswith("_(Requirements: 1.2)_"))
        editor.until(lambda: nvim.exec_lua(FOUND) == [])

        nvim.command("write")

        editor.ask("hover", at="1.2)")
        editor.until(lambda: any("WHEN the disk is full" in each for each in nvim.exec_lua(SHOWN)))
        editor.ask("definition", at="1.2)")
        editor.until(lambda: editor.name().endswith("requirements.md") and nvim.current.line.startswith("2. WHEN the disk"))

        nvim.command("bwipeout tasks.md")  # a file that is not open is renamed in too
        editor.ask("rename", "7", at="1: ")
        editor.until(lambda: "Requirement 7" in nvim.current.buffer[2])
        nvim.command("wall")
        assert written(folder) == RENAMED
        assert nvim.eval("g:said") == []


@needs("nvim", shutil.which("nvim"))
def test_without_a_daemon_what_needs_one_is_said_when_it_is_asked_for(tmp_path):
    with demo_place(tmp_path) as (repository, environ), neovim(environ, repository, "lsp", "--standalone") as editor:
        editor.nvim.command("Spec list")
        editor.said("This needs the daemon; this editor runs `")
