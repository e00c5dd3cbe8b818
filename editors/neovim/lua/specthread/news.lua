-- What happens in the daemon: asked for anew a moment after an event, told in the status line and, where something new needs you, in a message.

local M = {}

local GATHER_MS = 200
local WORKING = { planning = true, revising = true, implementing = true }
local known, spectasks, pending = nil, {}, false

local function needs_of(all)
  local found = {}
  for _, spectask in ipairs(all) do
    for _, need in ipairs(spectask.needs) do
      if need.kind ~= "trouble" then
        found[table.concat({ spectask.id, need.kind, need.run, need.text }, "|")] = { spectask = spectask, need = need }
      end
    end
  end
  return found
end

local function said(each)
  local run = each.need.run:match("[^/]*$")
  return ("%s: %s%s"):format(each.spectask.id, run ~= "" and run .. " asks: " or "", each.need.text)
end

local function tell(all)
  local now = needs_of(all)
  for key, each in pairs(now) do
    if known and not known[key] and require("specthread.client").options.notify then
      vim.notify(said(each), vim.log.levels.INFO)
    end
  end
  known, spectasks = now, all
  vim.cmd("redrawstatus!")
  pcall(vim.cmd, "doautocmd <nomodeline> User SpecthreadChanged")
end

--- Asks for the SpecTasks of this repository anew.
function M.refresh()
  if pending then
    return
  end
  pending = true
  vim.defer_fn(function()
    pending = false
    local client = require("specthread.client")
    local running = client.get()
    if running then
      client.request("specthread/list", { repository = running.config.root_dir }, function(result)
        tell(result.spectasks)
      end, "not-a-repository")
    end
  end, GATHER_MS)
end

--- An event came.
function M.event()
  M.refresh()
end

--- Follows what happens from now on. A failure with the code `expected` is left unsaid.
function M.follow(expected)
  require("specthread.client").request("specthread/subscribe", vim.empty_dict(), M.refresh, expected)
end

--- The SpecTasks as last heard of.
function M.spectasks()
  return spectasks
end

--- “2 running · 1 needs you”.
function M.status()
  local running, waiting = 0, 0
  for _, spectask in ipairs(spectasks) do
    running = running + (WORKING[spectask.state] and #spectask.needs == 0 and 1 or 0)
    waiting = waiting + #spectask.needs
  end
  local parts = {}
  if running > 0 then
    table.insert(parts, running .. " running")
  end
  if waiting > 0 then
    table.insert(parts, ("%d %s you"):format(waiting, waiting == 1 and "needs" or "need"))
  end
  return table.concat(parts, " · ")
end

return M
