-- Runebook in Neovim (0.7 and later): who owns this file, who is editing it, what waits, what would help.
--
--   :RunebookAsk REASON     ask to write this file (as the agent of this pane, or of g:runebook_agent)
--   :RunebookDecide [ID]    look at a request, and decide it: a approve, r reject, u reject and undo, q leave
--   require('runebook').statusline()    for a status line: %{v:lua.require'runebook'.statusline()}
--
-- Written by `runebook-tui surface install nvim`, and overwritten by the next one.

local M = {}
local uv = vim.loop
local program = @PROGRAM_LUA@
local space = vim.api.nvim_create_namespace('runebook')
local recent = 60 -- seconds for which somebody who has written a file is said to be editing it
local most_bytes = 1048576

M.snapshot = nil
M.root = nil
M.owners = {}
local watch, watched = nil, nil

for kind, colour in pairs({ cyan = 6, magenta = 5, yellow = 3, green = 2, blue = 4, red = 1 }) do
  vim.cmd(('highlight default Runebook%s ctermfg=%d guifg=%s'):format(kind, colour, kind))
end
vim.cmd('highlight default link RunebookNote Comment')
vim.cmd('highlight default link RunebookAsks WarningMsg')

-- The repository around a file, or the one whose worktree it lies in; and the file's path in it.
function M.place(file)
  local folder = vim.fn.fnamemodify(file, ':h')
  while true do
    if uv.fs_stat(folder .. '/.runebook/surface.json') then
      return folder, file:sub(#folder + 2)
    end
    local parent = vim.fn.fnamemodify(folder, ':h')
    if vim.endswith(parent, '.worktrees') then
      return parent:sub(1, -11), file:sub(#folder + 2)
    end
    if parent == folder then
      return nil, nil
    end
    folder = parent
  end
end

local function here(buffer)
  local name = vim.api.nvim_buf_get_name(buffer)
  if name == '' or vim.bo[buffer].buftype ~= '' then
    return nil, nil
  end
  return M.place(uv.fs_realpath(name) or vim.fn.fnamemodify(name, ':p'))
end

local function say(text, level)
  vim.notify('runebook: ' .. text, level or vim.log.levels.INFO)
end

-- Run the command line without waiting for it; `done` gets what it printed and its exit status.
local function run(root, words, done)
  local said, wrong = {}, {}
  local command = vim.list_extend(vim.list_extend({}, program), words)
  local job = vim.fn.jobstart(command, {
    cwd = root,
    stdout_buffered = true,
    stderr_buffered = true,
    on_stdout = function(_, lines) said = lines end,
    on_stderr = function(_, lines) wrong = lines end,
    on_exit = function(_, status)
      done(table.concat(said, '\n'), status, vim.trim(table.concat(wrong, ' ')))
    end,
  })
  if job <= 0 then
    say('cannot run ' .. command[1], vim.log.levels.ERROR)
  end
end

-- What is known of the file of a buffer: a table, or nil outside Runebook.
function M.about(buffer)
  local root, path = here(buffer)
  local now = M.snapshot
  if not path or not now or root ~= M.root then
    return nil
  end
  local file = (now.files or {})[path] or {}
  local asked = M.owners[path] or {}
  local found = { path = path, owner = file.owner or asked.owner, requests = {}, suggestions = {} }
  if file.owner == vim.NIL then found.owner = asked.owner end
  if found.owner == vim.NIL then found.owner = nil end
  if type(file.writer) == 'string' and type(file.written_at) == 'number' and os.time() - file.written_at < recent then
    found.writer = file.writer
  end
  for _, request in ipairs(now.requests or {}) do
    if vim.tbl_contains(request.paths or {}, path) then
      table.insert(found.requests, request)
    end
  end
  for _, suggestion in ipairs(now.suggestions or {}) do
    if suggestion.file == path then
      table.insert(found.suggestions, suggestion)
    end
  end
  return found
end

local function colour_of(agent)
  for _, each in ipairs((M.snapshot or {}).agents or {}) do
    if each.id == agent then
      return 'Runebook' .. each.colour
    end
  end
  return 'RunebookNote'
end

-- The virtual text of a buffer, drawn anew.
function M.draw(buffer)
  if not vim.api.nvim_buf_is_loaded(buffer) then
    return
  end
  vim.api.nvim_buf_clear_namespace(buffer, space, 0, -1)
  local about = M.about(buffer)
  if not about then
    return
  end
  local words = {}
  if about.owner then
    table.insert(words, { '  ' .. about.owner .. "'s", colour_of(about.owner) })
  end
  if about.writer and about.writer ~= about.owner then
    table.insert(words, { '  ' .. about.writer .. ' is editing it', colour_of(about.writer) })
  end
  for _, request in ipairs(about.requests) do
    table.insert(words, { ('  ◆ %d: %s asks %s'):format(request.id, request.who, request.reason), 'RunebookAsks' })
  end
  if #words > 0 then
    vim.api.nvim_buf_set_extmark(buffer, space, 0, 0, { virt_text = words, hl_mode = 'combine' })
  end
  local last = vim.api.nvim_buf_line_count(buffer)
  for _, each in ipairs(about.suggestions) do
    local line = type(each.line) == 'number' and each.line or 1
    line = math.min(math.max(line, 1), last)
    vim.api.nvim_buf_set_extmark(buffer, space, line - 1, 0, {
      virt_text = { { '  ▲ ' .. each.title, 'RunebookNote' } },
    })
  end
end

local function draw_all()
  for _, window in ipairs(vim.api.nvim_list_wins()) do
    M.draw(vim.api.nvim_win_get_buf(window))
  end
  vim.cmd('redrawstatus!')
end

local function take(text)
  local good, found = pcall(vim.json.decode, text)
  M.snapshot = good and type(found) == 'table' and found or nil
  draw_all()
end

-- Read the snapshot without blocking.
local function read(root)
  uv.fs_open(root .. '/.runebook/surface.json', 'r', 438, function(failed, file)
    if failed then
      return vim.schedule(function() M.snapshot = nil draw_all() end)
    end
    uv.fs_read(file, most_bytes, 0, function(_, text)
      uv.fs_close(file)
      vim.schedule(function() if root == M.root then take(text or '') end end)
    end)
  end)
end

local function follow(root)
  if watched == root then
    return
  end
  if watch then
    watch:stop()
  end
  watched, M.root, M.snapshot, M.owners = root, root, nil, {}
  watch = uv.new_fs_poll()
  watch:start(root .. '/.runebook/surface.json', 250, function() read(root) end)
  read(root)
end

local function enter(buffer)
  local root, path = here(buffer)
  if not root then
    return
  end
  follow(root)
  run(root, { 'who', path, '--json' }, function(text, status)
    local good, found = pcall(vim.json.decode, text)
    if status == 0 and good and root == M.root then
      M.owners[path] = found
      draw_all()
    end
  end)
end

-- For a status line: the owner, who is editing, and what waits in all.
function M.statusline()
  local now = M.snapshot
  if not now then
    return ''
  end
  local words = {}
  local about = M.about(vim.api.nvim_get_current_buf())
  if about and about.owner then
    table.insert(words, about.owner .. "'s")
  end
  if about and about.writer and about.writer ~= about.owner then
    table.insert(words, about.writer .. ' is editing')
  end
  table.insert(words, now.prompt or '')
  return table.concat(words, ' · '):gsub('%%', '%%%%')
end

function M.ask(reason)
  local root, path = here(vim.api.nvim_get_current_buf())
  if not root then
    return say('this file is in no repository that Runebook runs in', vim.log.levels.WARN)
  end
  local words = { 'ask', path, '--reason', reason, '--no-wait', '--json' }
  if vim.g.runebook_agent and not vim.env.RUNEBOOK_AGENT then
    vim.list_extend(words, { '--agent', vim.g.runebook_agent })
  end
  run(root, words, function(text, status, wrong)
    local good, found = pcall(vim.json.decode, text)
    if not good then
      return say(wrong, vim.log.levels.ERROR)
    end
    M.asked = found
    say(found.id ~= vim.NIL and ('asked: request %s is %s'):format(found.id, found.status) or found.status)
  end)
end

local function show(root, request)
  vim.cmd('botright new')
  local buffer = vim.api.nvim_get_current_buf()
  local head = ('%d: %s wants %s, owned by %s'):format(
    request.id, request.requester ~= vim.NIL and request.requester or 'somebody',
    table.concat(request.paths, ', '), table.concat(request.owners, ', '))
  local lines = { head, request.reason, 'a approve once   r reject   u reject and undo   q leave', '' }
  local diff = request.diff ~= vim.NIL and request.diff or ''
  vim.list_extend(lines, vim.split(diff, '\n'))
  for at, line in ipairs(lines) do
    lines[at] = line:gsub('%c', '·')
  end
  vim.api.nvim_buf_set_lines(buffer, 0, -1, false, lines)
  vim.bo[buffer].buftype, vim.bo[buffer].bufhidden = 'nofile', 'wipe'
  vim.bo[buffer].filetype, vim.bo[buffer].modifiable = 'diff', false
  local function key(name, words)
    vim.keymap.set('n', name, function()
      if words then
        run(root, vim.list_extend({ words[1], tostring(request.id), '--json' }, vim.list_slice(words, 2)),
          function(_, status, wrong)
            M.decided = status
            say(status == 0 and ('request %d: %s'):format(request.id, words[1]) or wrong)
          end)
      end
      vim.api.nvim_buf_delete(buffer, { force = true })
    end, { buffer = buffer, nowait = true })
  end
  key('a', { 'approve' })
  key('r', { 'reject' })
  key('u', { 'reject', '--undo' })
  key('q', nil)
  M.shown = request.id
end

function M.decide(id)
  local root = here(vim.api.nvim_get_current_buf()) or M.root
  if not root then
    return say('Runebook runs nowhere here', vim.log.levels.WARN)
  end
  run(root, { 'requests', '--json' }, function(text, _, wrong)
    local good, found = pcall(vim.json.decode, text)
    if not good then
      return say(wrong, vim.log.levels.ERROR)
    end
    for _, request in ipairs(found) do
      if id == '' or tostring(request.id) == id then
        return show(root, request)
      end
    end
    say(id == '' and 'no request waits for a decision' or ('no request %s is open'):format(id))
  end)
end

vim.api.nvim_create_user_command('RunebookAsk', function(given) M.ask(given.args) end, { nargs = '+' })
vim.api.nvim_create_user_command('RunebookDecide', function(given) M.decide(given.args) end, { nargs = '?' })
local group = vim.api.nvim_create_augroup('runebook', { clear = true })
vim.api.nvim_create_autocmd({ 'BufEnter', 'BufWritePost' }, {
  group = group,
  callback = function(given) enter(given.buf) end,
})
package.loaded.runebook = M
return M
