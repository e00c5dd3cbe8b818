"""A real Neovim with our plugin: keys in, buffers and messages out."""

from __future__ import annotations

from contextlib import contextmanager

import pynvim

from support.patience import until
from support.source_tree import ROOT
from support.workbench import PROGRAM

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
        return until(condition, lambda: (self.nvim.eval("g:said"), self.nvim.api.get_mode(), self.nvim.command_output("messages")))

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

    def ask(self, question, *given, at):
        """Asks the language server with the cursor on these words, which stand on one line."""
        self.nvim.command("normal! gg")
        assert self.nvim.funcs.search(rf"\V{at}")
        self.nvim.exec_lua(f"local given = {{ ... }} vim.schedule(function() vim.lsp.buf.{question}(unpack(given)) end)", *given)

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
def neovim(environ, folder, *server):
    """Yields a Neovim with our plugin, which starts the language server with these arguments."""
    argv = ["env", "-i", *(f"{name}={value}" for name, value in environ.items())]
    argv += ["nvim", "--embed", "--headless", "-u", "NONE", "-i", "NONE", "-n", "--cmd", f"set rtp^={ROOT}/editors/neovim"]
    nvim = pynvim.attach("child", argv=argv)
    try:
        nvim.command(f"cd {folder}")
        nvim.command("filetype on | runtime plugin/specthread.lua | set hidden")
        nvim.exec_lua(RECORD)
        nvim.exec_lua("require('specthread').setup { cmd = ... }", [PROGRAM, *server])
        yield Neovim(nvim)
    finally:
        nvim.async_call(nvim.command, "qa!")
        nvim.close()
