vim9script noclear
# Runebook in Vim 9: who owns this file, who is editing it, what waits, what would help.
#
#   :RunebookAsk REASON     ask to write this file (as the agent of this pane, or of g:runebook_agent)
#   :RunebookDecide [ID]    look at a request, and decide it: a approve, r reject, u reject and undo, q leave
#   b:runebook_notes        the virtual text of a buffer, as a list
#   g:RunebookStatusline()  for a status line: %{g:RunebookStatusline()}
#
# Written by `runebook-tui surface install vim`, and overwritten by the next one.

if exists('g:loaded_runebook')
  finish
endif
g:loaded_runebook = 1

const PROGRAM = @PROGRAM_VIM@
const RECENT = 60  # seconds for which somebody who has written a file is said to be editing it
const VIRTUAL = has('patch-9.0.0067')
var root = ''
var text = ''
var snapshot: dict<any> = {}
var owners: dict<any> = {}
var timer = 0

for [colour, number] in items({cyan: 6, magenta: 5, yellow: 3, green: 2, blue: 4, red: 1})
  execute $'highlight default Runebook{colour} ctermfg={number} guifg={colour}'
  prop_type_add($'runebook{colour}', {highlight: $'Runebook{colour}'})
endfor
highlight default link RunebookNote Comment
highlight default link RunebookAsks WarningMsg
prop_type_add('runebooknote', {highlight: 'RunebookNote'})
prop_type_add('runebookasks', {highlight: 'RunebookAsks'})

# The repository around a file, or the one whose worktree it lies in, and the file's path in it.
def Place(file: string): list<string>
  var folder = fnamemodify(file, ':h')
  while 1
    if filereadable(folder .. '/.runebook/surface.json')
      return [folder, file[len(folder) + 1 : ]]
    endif
    const parent = fnamemodify(folder, ':h')
    if parent =~ '\.worktrees$'
      return [parent[: -11], file[len(folder) + 1 : ]]
    endif
    if parent == folder
      return ['', '']
    endif
    folder = parent
  endwhile
  return ['', '']
enddef

def Here(buffer: number): list<string>
  const name = bufname(buffer)
  if name == '' || getbufvar(buffer, '&buftype') != ''
    return ['', '']
  endif
  return Place(resolve(fnamemodify(name, ':p')))
enddef

def Say(words: string)
  echomsg 'runebook: ' .. words
enddef

# Run the command line without waiting for it; Done gets what it printed, and what it said was wrong.
def Run(where: string, words: list<string>, Done: func(string, string))
  var said: list<string> = []
  var wrong: list<string> = []
  job_start(PROGRAM + words, {
    cwd: where,
    in_io: 'null',
    out_cb: (_, line) => add(said, line),
    err_cb: (_, line) => add(wrong, line),
    close_cb: (_) => Done(join(said, "\n"), join(wrong, ' ')),
  })
enddef

def Decoded(from: string): any
  try
    return json_decode(from)
  catch
    return v:none
  endtry
enddef

# What is known of the file of a buffer; empty outside Runebook.
export def About(buffer: number): dict<any>
  const [top, path] = Here(buffer)
  if top == '' || top != root || empty(snapshot)
    return {}
  endif
  const file: dict<any> = get(get(snapshot, 'files', {}), path, {})
  const asked: dict<any> = get(owners, path, {})
  var owner: any = get(file, 'owner', v:null)
  if owner == v:null
    owner = get(asked, 'owner', v:null)
  endif
  var writer: any = get(file, 'writer', v:null)
  if writer == v:null || localtime() - float2nr(get(file, 'written_at', 0) * 1.0) >= RECENT
    writer = ''
  endif
  return {
    path: path,
    owner: owner == v:null ? '' : owner,
    writer: writer,
    requests: get(snapshot, 'requests', [])->copy()->filter((_, each) => index(each.paths, path) >= 0),
    suggestions: get(snapshot, 'suggestions', [])->copy()->filter((_, each) => each.file == path),
  }
enddef

def TypeOf(agent: string): string
  for each in get(snapshot, 'agents', [])
    if each.id == agent
      return 'runebook' .. each.colour
    endif
  endfor
  return 'runebooknote'
enddef

def Note(buffer: number, line: number, kind: string, words: string)
  prop_add(line, 0, {bufnr: buffer, type: kind, text: '  ' .. words, text_align: 'after'})
  setbufvar(buffer, 'runebook_notes', getbufvar(buffer, 'runebook_notes', []) + [words])
enddef

# The virtual text of a buffer, drawn anew.
def Draw(buffer: number)
  if !VIRTUAL || !bufloaded(buffer)
    return
  endif
  for kind in prop_type_list()->filter((_, each) => each =~ '^runebook')
    prop_remove({type: kind, bufnr: buffer, all: true})
  endfor
  setbufvar(buffer, 'runebook_notes', [])
  const about = About(buffer)
  if empty(about)
    return
  endif
  if about.owner != ''
    Note(buffer, 1, TypeOf(about.owner), about.owner .. "'s")
  endif
  if about.writer != '' && about.writer != about.owner
    Note(buffer, 1, TypeOf(about.writer), about.writer .. ' is editing it')
  endif
  for request in about.requests
    Note(buffer, 1, 'runebookasks', $'◆ {request.id}: {request.who} asks {request.reason}')
  endfor
  const last = getbufinfo(buffer)[0].linecount
  for each in about.suggestions
    const line = type(each.line) == v:t_number ? each.line : 1
    Note(buffer, min([max([line, 1]), last]), 'runebooknote', '▲ ' .. each.title)
  endfor
enddef

def DrawAll()
  for buffer in tabpagebuflist()->sort()->uniq()
    Draw(buffer)
  endfor
  redrawstatus!
enddef

# The file is small, and read only when the timer says so; it is decoded only when it is another.
def Read(_: number)
  var fresh = ''
  try
    fresh = join(readfile(root .. '/.runebook/surface.json'), "\n")
  catch
    fresh = ''
  endtry
  if fresh == text
    return
  endif
  text = fresh
  const found = Decoded(fresh)
  snapshot = type(found) == v:t_dict ? found : {}
  DrawAll()
enddef

def Follow(where: string)
  if where != root
    root = where
    text = ''
    snapshot = {}
    owners = {}
  endif
  if timer == 0
    timer = timer_start(250, Read, {repeat: -1})
  endif
  Read(timer)
enddef

def Enter(buffer: number)
  const [top, path] = Here(buffer)
  if top == ''
    return
  endif
  Follow(top)
  Draw(buffer)
  Run(top, ['who', path, '--json'], (said, _) => {
    const found = Decoded(said)
    if type(found) == v:t_dict && top == root
      owners[path] = found
      DrawAll()
    endif
  })
enddef

# For a status line: the owner, who is editing, and what waits in all.
def g:RunebookStatusline(): string
  if empty(snapshot)
    return ''
  endif
  const about = About(bufnr())
  var words: list<string> = []
  if !empty(about) && about.owner != ''
    add(words, about.owner .. "'s")
  endif
  if !empty(about) && about.writer != '' && about.writer != about.owner
    add(words, about.writer .. ' is editing')
  endif
  return join(add(words, snapshot.prompt), ' · ')
enddef

def Ask(reason: string)
  const [top, path] = Here(bufnr())
  if top == ''
    Say('this file is in no repository that Runebook runs in')
    return
  endif
  var words = ['ask', path, '--reason', reason, '--no-wait', '--json']
  if exists('g:runebook_agent') && !exists('$RUNEBOOK_AGENT')
    words += ['--agent', g:runebook_agent]
  endif
  Run(top, words, (said, wrong) => {
    const found = Decoded(said)
    if type(found) != v:t_dict
      Say(wrong)
      return
    endif
    g:runebook_asked = found
    Say(found.id == v:null ? found.status : $'asked: request {found.id} is {found.status}')
  })
enddef

def Show(top: string, request: dict<any>)
  botright new
  setlocal buftype=nofile bufhidden=wipe noswapfile
  const who = request.requester == v:null ? 'somebody' : request.requester
  var lines = [
    $'{request.id}: {who} wants {join(request.paths, ", ")}, owned by {join(request.owners, ", ")}',
    request.reason,
    'a approve once   r reject   u reject and undo   q leave',
    '',
  ]
  lines += split(request.diff == v:null ? '' : request.diff, "\n")
  setline(1, lines->mapnew((_, line) => substitute(line, '[[:cntrl:]]', '·', 'g')))
  setlocal filetype=diff nomodifiable
  for [key, words] in items({a: ['approve'], r: ['reject'], u: ['reject', '--undo'], q: []})
    b:runebook = get(b:, 'runebook', {})
    b:runebook[key] = {top: top, id: request.id, words: words}
    execute $'nnoremap <buffer> <nowait> {key} <ScriptCmd>Decided("{key}")<CR>'
  endfor
  g:runebook_shown = request.id
enddef

def Decided(key: string)
  const what = b:runebook[key]
  bwipeout!
  if empty(what.words)
    return
  endif
  Run(what.top, [what.words[0], string(what.id), '--json'] + what.words[1 : ], (said, wrong) => {
    g:runebook_decided = said
    Say(said == '' ? wrong : $'request {what.id}: {what.words[0]}')
  })
enddef

def Decide(id: string)
  const top = Here(bufnr())[0] ?? root
  if top == ''
    Say('Runebook runs nowhere here')
    return
  endif
  Run(top, ['requests', '--json'], (said, wrong) => {
    const found = Decoded(said)
    if type(found) != v:t_list
      Say(wrong)
      return
    endif
    var wanted: list<dict<any>> = []
    for each in found
      if id == '' || string(each.id) == id
        add(wanted, each)
      endif
    endfor
    if empty(wanted)
      Say(id == '' ? 'no request waits for a decision' : $'no request {id} is open')
    else
      Show(top, wanted[0])
    endif
  })
enddef

command -nargs=+ RunebookAsk Ask(<q-args>)
command -nargs=? RunebookDecide Decide(<q-args>)
augroup runebook
  autocmd!
  autocmd BufEnter,BufWritePost * Enter(bufnr())
augroup END
