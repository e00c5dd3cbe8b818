-- The language client: one per Neovim, for the Markdown files of all repositories. Works with the client of Neovim 0.7 and with the newer ones.

local M = {}

M.options = { cmd = { "specthread", "lsp" }, notify = true }

local POLL_MS = 500
-- What a server without a daemon answers to the daemon's own requests.
local UNKNOWN = -32601
local id = nil
local is_missing_told = false

--- Returns the running client, or nil.
function M.get()
  return id and vim.lsp.get_client_by_id(id)
end

local function capabilities()
  local all = vim.lsp.protocol.make_client_capabilities()
  -- Unasked questions would stop a terminal editor, so this client shows them itself; see news.lua.
  all.experimental = { specthread = { comments = false } }
  all.window = all.window or {}
  all.window.showDocument = { support = true }
  all.workspace = all.workspace or {}
  all.workspace.codeLens = { refreshSupport = true }
  return all
end

--- Opens the file the server asks for; Neovim 0.7 has no handler of its own.
local function show_document(_, params)
  if params.external then
    return { success = false }
  end
  vim.cmd("silent edit " .. vim.fn.fnameescape(vim.uri_to_fname(params.uri)))
  if params.selection then
    local start = params.selection.start
    pcall(vim.api.nvim_win_set_cursor, 0, { start.line + 1, start.character })
  end
  return { success = true }
end

local function ask(client, method, params, answered)
  -- Since 0.11 the functions of a client are methods.
  if vim.fn.has("nvim-0.11") == 1 then
    return client:request(method, params, answered)
  end
  return client.request(method, params, answered)
end

--- Asks for the lenses itself: the refresh of Neovim 0.7 waits for ever once an answer did not come.
local function draw_lenses(buffer)
  local client = M.get()
  if vim.lsp.codelens.enable or not (client and client.initialized and vim.api.nvim_buf_is_loaded(buffer)) then
    return
  end
  ask(client, "textDocument/codeLens", { textDocument = { uri = vim.uri_from_bufnr(buffer) } }, function(failure, lenses)
    if not failure and M.get() and vim.api.nvim_buf_is_loaded(buffer) then
      vim.lsp.codelens.save(lenses, buffer, id)
      vim.lsp.codelens.display(lenses, buffer, id)
    end
  end)
end

--- The server says that lenses have changed.
local function draw_all_lenses()
  for _, buffer in ipairs(vim.api.nvim_list_bufs()) do
    if id and vim.lsp.buf_is_attached(buffer, id) then
      draw_lenses(buffer)
    end
  end
  return vim.NIL
end

--- Lenses and actions carry the server's own commands; they go back to it as they came.
local function lens_commands()
  local commands = {}
  for _, verb in ipairs({ "approve", "request-changes", "start", "start-task", "pause", "resume", "retry", "answer", "accept", "open-session", "show-report", "bring-in" }) do
    commands["specthread." .. verb] = function(command)
      M.execute(verb, command.arguments and command.arguments[1])
    end
  end
  return commands
end

--- Returns the repository around a folder, or nil; in a linked worktree `.git` is a file.
local function repository(folder)
  local git = vim.fn.finddir(".git", folder .. ";")
  git = git ~= "" and git or vim.fn.findfile(".git", folder .. ";")
  return git ~= "" and vim.fn.fnamemodify(git, ":p"):gsub("/?%.git/?$", "") or nil
end

local function root()
  return repository(vim.fn.getcwd()) or vim.fn.getcwd()
end

local function config()
  local news = require("specthread.news")
  return {
    name = "specthread",
    cmd = M.options.cmd,
    root_dir = root(),
    capabilities = capabilities(),
    commands = lens_commands(),
    handlers = {
      ["window/showDocument"] = show_document,
      ["workspace/codeLens/refresh"] = draw_all_lenses,
      ["specthread/event"] = news.event,
      ["specthread/resync"] = news.refresh,
      ["specthread/reconnected"] = function()
        news.follow()
      end,
      ["specthread/tick"] = function() end,
      ["specthread/stopping"] = function() end,
    },
    -- Neovim 0.7 finds the client by its id only once this function has returned.
    on_init = vim.schedule_wrap(function()
      news.follow(UNKNOWN)
      for _, buffer in ipairs(vim.api.nvim_list_bufs()) do
        if vim.b[buffer].specthread_follows and vim.api.nvim_buf_is_loaded(buffer) then
          vim.lsp.buf_attach_client(buffer, id)
        end
      end
      draw_all_lenses()
    end),
    on_exit = function(code)
      id = nil
      if code ~= 0 then
        vim.schedule(function()
          vim.notify(("Specthread ended (code %d). :Spec starts it again; `specthread doctor` says what is wrong."):format(code), vim.log.levels.WARN)
        end)
      end
    end,
  }
end

--- Starts the client where none runs; returns false where the program is missing.
function M.start(is_quiet)
  if id then
    return true
  end
  if vim.fn.executable(M.options.cmd[1]) == 0 then
    -- Once is enough while files are opened; who asks for something is told each time.
    if is_missing_told and is_quiet then
      return false
    end
    is_missing_told = true
    vim.notify(("%s is not there: install Specthread as its README says, or name the program in setup { cmd = … }."):format(M.options.cmd[1]), vim.log.levels.WARN)
    return false
  end
  -- Newer versions know vim.lsp.start, and complain about start_client.
  id = vim.lsp.start and vim.lsp.start(config(), { attach = false }) or vim.lsp.start_client(config())
  return id ~= nil
end

local function is_live(path)
  return path:find("/desk/", 1, true) ~= nil
end

--- Reads a live document again when the daemon has written it, unless there is unsaved text in it.
local function follow_file(buffer)
  local path = vim.api.nvim_buf_get_name(buffer)
  if not is_live(path) then
    return
  end
  local poll = vim.loop.new_fs_poll()
  poll:start(path, POLL_MS, vim.schedule_wrap(function()
    if not vim.api.nvim_buf_is_loaded(buffer) then
      return poll:is_closing() or poll:close()
    end
    if not vim.bo[buffer].modified then
      vim.cmd("silent! checktime " .. buffer)
      draw_lenses(buffer)
    end
  end))
end

--- Attaches a buffer of a repository or of a desk, and draws its lenses whenever they may have changed.
function M.attach(buffer)
  local path = vim.api.nvim_buf_get_name(buffer)
  if vim.bo[buffer].buftype ~= "" or path == "" or not (is_live(path) or repository(vim.fn.fnamemodify(path, ":p:h"))) then
    return
  end
  if not M.start(true) then
    return
  end
  vim.lsp.buf_attach_client(buffer, id)
  if vim.b[buffer].specthread_follows then
    return
  end
  vim.b[buffer].specthread_follows = true
  follow_file(buffer)
  if vim.lsp.codelens.enable then
    vim.lsp.codelens.enable(true, { bufnr = buffer })
  end
  vim.api.nvim_create_autocmd({ "BufEnter", "InsertLeave", "BufWritePost" }, {
    buffer = buffer,
    callback = function()
      draw_lenses(buffer)
    end,
  })
end

local function when_ready(act)
  local function try(left)
    -- Each time anew: a client that is just ending is still there, and cannot be asked any more.
    if not M.start() then
      return
    end
    local client = M.get()
    if client and client.initialized then
      act(client)
    elseif left > 0 then
      vim.defer_fn(function()
        try(left - 1)
      end, 50)
    else
      vim.notify("Specthread does not answer. `specthread doctor` says what is wrong.", vim.log.levels.WARN)
    end
  end
  try(200)
end

--- Sends one of the daemon's own requests; `answered` is called with its result. Failures with a code in `expected` are left unsaid.
function M.request(method, params, answered, expected)
  when_ready(function(client)
    ask(client, method, params, function(failure, result)
      if not failure then
        return answered(result)
      end
      local data = type(failure.data) == "table" and failure.data or {}
      if expected == (data.code or failure.code) then
        return
      elseif failure.code == UNKNOWN then
        vim.notify(("This needs the daemon; this editor runs `%s`."):format(table.concat(M.options.cmd, " ")), vim.log.levels.WARN)
      else
        vim.notify(vim.trim(failure.message .. " " .. (data.hint or "")), vim.log.levels.WARN)
      end
    end)
  end)
end

--- Begins a command of the server; what comes of it is shown by messages.
function M.execute(command, given)
  when_ready(function(client)
    local params = { command = "specthread." .. command, arguments = given and { given } or nil }
    ask(client, "workspace/executeCommand", params, function(failure)
      if failure then
        vim.notify(failure.message, vim.log.levels.WARN)
      end
    end)
  end)
end

return M
