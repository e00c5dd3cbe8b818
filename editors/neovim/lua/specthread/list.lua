-- :Spec list: the SpecTasks of this repository in a buffer of its own, kept up to date; a key on a line acts on it.

local client = require("specthread.client")
local news = require("specthread.news")

local M = {}

local NAME = "specthread://list"
local KEYS = {
  ["<CR>"] = { "open-document", "open a document" },
  a = { "approve", "approve" },
  c = { "request-changes", "request changes" },
  s = { "start", "start" },
  q = { "answer", "answer" },
  p = { "pause", "pause" },
  r = { "show-report", "report" },
  A = { "accept", "accept" },
}
local lines_of = {}

local function bar(spectask)
  if spectask.total == 0 then
    return ""
  end
  return (" %s%s %d/%d"):format(("■"):rep(spectask.merged), ("·"):rep(spectask.total - spectask.merged), spectask.merged, spectask.total)
end

local function rows()
  local found, owners = { "Enter opens · a approves · c requests changes · s starts · q answers · p pauses · r report · A accepts", "" }, {}
  for _, spectask in ipairs(news.spectasks()) do
    local first = #found + 1
    local state = spectask.state:gsub("_", " ")
    table.insert(found, ("%s%s  %s  [%s]%s  $%.2f"):format(#spectask.needs > 0 and "! " or "  ", vim.split(spectask.prompt, "\n")[1], spectask.label, state, bar(spectask), tonumber(spectask.cost_usd)))
    table.insert(found, "    " .. spectask.id .. (#spectask.needs == 0 and "  " .. spectask.why or ""))
    for _, need in ipairs(spectask.needs) do
      table.insert(found, "    → " .. need.text:gsub("%s+", " "))
    end
    for line = first, #found do
      owners[line] = spectask.id
    end
  end
  if #found == 2 then
    table.insert(found, "No SpecTask yet in this repository. :Spec new asks for one.")
  end
  return found, owners
end

local function draw(buffer)
  if not vim.api.nvim_buf_is_valid(buffer) then
    return
  end
  local found, owners = rows()
  lines_of[buffer] = owners
  vim.bo[buffer].modifiable = true
  vim.api.nvim_buf_set_lines(buffer, 0, -1, false, found)
  vim.bo[buffer].modifiable = false
end

local function buffer_of_list()
  local known = vim.fn.bufnr("^" .. NAME .. "$")
  if known > 0 then
    return known
  end
  local buffer = vim.api.nvim_create_buf(false, true)
  vim.api.nvim_buf_set_name(buffer, NAME)
  vim.bo[buffer].bufhidden = "hide"
  for key, act in pairs(KEYS) do
    vim.api.nvim_buf_set_keymap(buffer, "n", key, "", {
      noremap = true,
      nowait = true,
      desc = "Specthread: " .. act[2],
      callback = function()
        local spectask = (lines_of[buffer] or {})[vim.api.nvim_win_get_cursor(0)[1]]
        if spectask then
          client.execute(act[1], { id = spectask })
        end
      end,
    })
  end
  vim.api.nvim_create_autocmd("User", {
    pattern = "SpecthreadChanged",
    callback = function()
      draw(buffer)
    end,
  })
  return buffer
end

--- Shows the list in the current window.
function M.open()
  local buffer = buffer_of_list()
  vim.api.nvim_win_set_buf(0, buffer)
  draw(buffer)
  news.follow()
end

return M
