-- What a person and their configuration use: setup, the :Spec command, and a text for the status line.

local client = require("specthread.client")

local M = {}

--- The verbs of :Spec and the commands of the server behind them.
local VERBS = {
  new = "new-task",
  open = "open-document",
  approve = "approve",
  ["request-changes"] = "request-changes",
  start = "start",
  ["start-task"] = "start-task",
  answer = "answer",
  say = "say",
  spawn = "spawn-session",
  pause = "pause",
  resume = "resume",
  cancel = "cancel",
  retry = "retry",
  accept = "accept",
  sync = "sync",
  land = "land",
  ["pull-request"] = "open-pull-request",
  session = "open-session",
  report = "show-report",
  history = "history",
}

--- Verbs after which everything typed is words, not an id.
local SPOKEN = { new = true, answer = true, say = true, spawn = true, ["request-changes"] = true }

--- Sets options: `cmd` (default {"specthread", "lsp"}) and `notify` (default true: says when something new needs you).
function M.setup(options)
  client.options = vim.tbl_extend("force", client.options, options or {})
end

--- A few words for the status line, such as “2 running · 1 needs you”, or nothing.
function M.status()
  return require("specthread.news").status()
end

local function argument(verb, rest)
  if #rest == 0 then
    return nil
  elseif SPOKEN[verb] then
    return { text = table.concat(rest, " ") }
  elseif verb == "start-task" and #rest == 1 then
    return { task = rest[1] }
  elseif rest[1]:find("/", 1, true) then
    return { id = rest[1]:match("^[^/]*"), run = rest[1] }
  end
  return { id = rest[1], task = rest[2], document = verb == "open" and rest[2] or nil }
end

--- Carries out :Spec with its words; without words it lists the SpecTasks.
function M.run(words)
  local verb, rest = words[1] or "list", vim.list_slice(words, 2)
  if verb == "list" then
    return require("specthread.list").open()
  end
  local command = VERBS[verb]
  if not command then
    vim.notify(("Specthread knows no “%s”. It knows: list, %s."):format(verb, table.concat(M.complete("", "Spec "), ", ")), vim.log.levels.WARN)
    return
  end
  client.execute(command, argument(verb, rest))
end

--- Completes the verb of :Spec.
function M.complete(lead, line)
  if line:match("^%s*%S*Spec!?%s+%S*$") == nil then
    return {}
  end
  local found = vim.tbl_filter(function(verb)
    return vim.startswith(verb, lead)
  end, vim.list_extend(vim.tbl_keys(VERBS), { "list" }))
  table.sort(found)
  return found
end

return M
