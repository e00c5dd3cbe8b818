-- Loaded when Neovim starts: the :Spec command, and the client as soon as a Markdown file is open in a repository.

if vim.g.loaded_specthread then
  return
end
vim.g.loaded_specthread = true

if vim.fn.has("nvim-0.7") == 0 then
  vim.notify("Specthread needs Neovim 0.7 or newer.", vim.log.levels.WARN)
  return
end

vim.api.nvim_create_user_command("Spec", function(call)
  require("specthread").run(call.fargs)
end, {
  nargs = "*",
  desc = "Specthread: from a sentence to merged, verified code",
  complete = function(lead, line)
    return require("specthread").complete(lead, line)
  end,
})

vim.api.nvim_create_autocmd("FileType", {
  pattern = "markdown",
  group = vim.api.nvim_create_augroup("specthread", { clear = true }),
  callback = function(event)
    require("specthread.client").attach(event.buf)
  end,
})
