-- Runebook in WezTerm (20220903 and later): the right status says what waits in the repository of this pane,
-- and, where the file is read, the best suggestion.
--
-- It reads the user variable `runebook` that the shell's snippet sets (`surface install bash`, zsh or fish),
-- also from inside tmux; else the file `.runebook/surface.json` above the pane's folder.
--
-- Written by `runebook-tui surface install wezterm`, and overwritten by the next one.

local wezterm = require('wezterm')
local M = {}

M.colours = { held = 'Red', asking = 'Yellow', failed = 'Red', over = 'Grey', calm = 'Green' }

-- The first fields of the snapshot stand on lines of their own: prompt, mood and advice, plain ASCII words.
function M.read(folder)
  while folder and folder ~= '' do
    local file = io.open(folder .. '/.runebook/surface.json', 'r')
    if file then
      local head = file:read(4096) or ''
      file:close()
      local prompt = head:match('\n"prompt": "([%w%s,()]*)"')
      local mood = head:match('\n"mood": "(%a+)"')
      local advice = head:match('\n"advice": "([ -~]-)"')
      return prompt and { prompt = prompt, mood = mood or 'calm', advice = advice } or nil
    end
    folder = folder:match('^(.*)/[^/]*$')
  end
  return nil
end

-- What a user variable says: `MOOD PROMPT`. Anything can print one, so only plain words are taken.
function M.parse(value)
  local mood, prompt = (value or ''):match('^(%a+) ([%w%s,()]*)$')
  if prompt and #prompt <= 200 then
    return { mood = mood, prompt = prompt }
  end
  return nil
end

function M.folder(pane)
  local found = pane:get_current_working_dir()
  if found == nil then
    return nil
  end
  if type(found) == 'string' then -- before 20240127, a URL
    local path = found:gsub('^file://[^/]*', '')
    return (path:gsub('%%(%x%x)', function(digits) return string.char(tonumber(digits, 16)) end))
  end
  return found.file_path
end

function M.status(pane)
  local now = M.parse(pane:get_user_vars().runebook) or M.read(M.folder(pane))
  if not now then
    return ''
  end
  local items = {
    { Foreground = { AnsiColor = M.colours[now.mood] or 'Green' } },
    { Text = '◆ ' .. now.prompt .. ' ' },
  }
  if now.advice and now.advice ~= '' then
    table.insert(items, { Foreground = { AnsiColor = 'Aqua' } })
    table.insert(items, { Text = '▲ ' .. now.advice:sub(1, 60) .. ' ' })
  end
  return wezterm.format(items)
end

local function show(window, pane)
  window:set_right_status(M.status(pane))
end

wezterm.on('update-status', show)
wezterm.on('user-var-changed', function(window, pane, name)
  if name == 'runebook' then
    show(window, pane)
  end
end)

return M
