-- Replaces host names in text that comes in pieces of any size; what comes out is the same for every cut.
-- Pure LuaJIT: nothing of nginx in here. docs/rewriting.md says what is matched.
local ffi = require("ffi")
local automaton = require("softmap.automaton")
local boundaries = require("softmap.boundaries")
local patterns = require("softmap.patterns")
local spelling = require("softmap.spelling")
local urls = require("softmap.urls")

ffi.cdef([[void *memmove(void *to, const void *from, size_t n);]])

local M = {}

local cast = ffi.cast
local pairs_at = ffi.typeof("const uint16_t *")
local fours_at = ffi.typeof("const int32_t *")
local mix = automaton.mix
local source = ffi.typeof("const uint8_t *")
local room = ffi.typeof("uint8_t[?]")
local PIECE = 65536 -- larger chunks are worked through in pieces of this size, so that memory does not depend on them
local LEFT = urls.LEFT
local fold = spelling.fold
local KEEP, TEXT = patterns.KEEP, patterns.TEXT

-- The state of one run over a text: `at` is where the search goes on, everything before `done` is given out (a search never looks for
-- a scheme there), `known` and `start` are the last name whose whole host name was looked for, `out` the pieces of the output.
local function newRun()
  return { at = 0, done = 0, known = -1, start = -1, out = {} }
end

local function put(run, p, upto)
  if upto > run.done then
    run.out[#run.out + 1] = ffi.string(p + run.done, upto - run.done)
    run.done = upto
  end
end

local function replacement(rule, p, s)
  if not rule.dotAt then
    return rule.to
  end
  local dot = rule.dotLength == 1 and "." or ffi.string(p + s + rule.dotAt, rule.dotLength)
  local to = rule.spelt[dot]
  if not to then
    to = patterns.dotted(rule.to, dot)
    rule.spelt[dot] = to
  end
  return to
end

-- The scheme of the URL that this name is the host of, when it has to change: begin and end, else -1; false when the name is an e-mail's.
local function schemeOf(self, run, rule, p, s)
  local w = boundaries.hostStart(p, s, run.known, run.start)
  run.known, run.start = s, w
  if w < 0 then
    return -1, -1
  end
  local a = boundaries.atSign(p, w)
  if a >= 0 then
    w = urls.userStart(p, a)
    if w < 0 then
      return self.emails and -1, -1
    end
  end
  if not rule.words then
    return -1, -1
  end
  return urls.scheme(p, w, rule.words)
end

local UNDECIDED = -1

-- Tries one rule on what stands from `s` to `e`. Returns the end of what it has taken, 0 for nothing, UNDECIDED.
local function apply(self, run, rule, p, s, e, n, final)
  if rule.kind == TEXT then
    put(run, p, s)
    run.out[#run.out + 1] = rule.to
    run.done = e
    return e
  end
  if rule.opens ~= false and not boundaries.opens(p, s) then
    return 0
  end
  if rule.closes ~= false then
    local closes = boundaries.closes(p, e, n, final)
    if closes <= 0 then
      return closes
    end
  end
  if rule.kind == KEEP then
    put(run, p, e)
    return e
  end

  local from, to = schemeOf(self, run, rule, p, s)
  if not from then
    return 0
  end
  local after = e
  if from >= run.done then
    after = urls.port(p, e, n, final, rule.port)
    if after < 0 then
      return UNDECIDED
    end
    if rule.scheme == "plain" then
      put(run, p, to - 1)
      run.done = to
    else
      put(run, p, to)
      run.out[#run.out + 1] = p[to - 1] < 97 and "S" or "s"
    end
  end
  put(run, p, s)
  run.out[#run.out + 1] = replacement(rule, p, s)
  run.done = after
  return after
end

-- Tries everything that begins at `i`, the longest first. Returns the end of what was taken, 0 for nothing, UNDECIDED.
local function try(self, tree, run, p, i, n, final)
  local node = tree.root[p[i]]
  if node == 0 then
    return 0
  end
  local byte, child, sibling = tree.byte, tree.child, tree.sibling
  local j = i + 1
  while true do
    local next = child[node]
    if next == 0 then
      break
    elseif j >= n then
      if not final then
        return UNDECIDED
      end
      break
    end
    local c = fold[p[j]]
    while next ~= 0 and byte[next] ~= c do
      next = sibling[next]
    end
    if next == 0 then
      break
    end
    node = next
    j = j + 1
  end
  node = tree.longest[node]
  while node ~= 0 do
    local depth = tree.depth[node]
    local rules = tree.rules[node]
    for k = 1, #rules do
      local e = apply(self, run, rules[k], p, i, i + depth, n, final)
      if e ~= 0 then
        return e
      end
    end
    node = tree.shorter[node]
  end
  return 0
end

-- The next place from `i` to `last` where a pattern may begin. Pointers, not numbers: the trace then has no floating point in it.
local function skip(set, p, i, last)
  local shift, again, first, window, short = set.shift, set.again, set.first, set.width - 2, set.width < 4
  local q, stop = p + (i + window), p + (last + window)
  while q <= stop do
    local pair = cast(pairs_at, q)[0]
    local far = shift[pair]
    if far ~= 0 then
      q = q + far
    elseif short or first[mix(cast(fours_at, q - window)[0])] ~= 0 then
      break
    else
      q = q + again[pair]
    end
  end
  return q - p - window
end

-- Searches the bytes from run.at to n. What is left behind run.at is undecided.
local function search(self, set, run, p, n, final)
  local tree = set.tree
  local last = n - set.width
  local i = run.at
  while i < n do
    if i <= last then
      i = skip(set, p, i, last)
    end
    if i < n then
      local e = try(self, tree, run, p, i, n, final)
      if e == UNDECIDED then
        break
      end
      i = e == 0 and i + 1 or e
    end
  end
  run.at = i
end

local Matcher = {}
Matcher.__index = Matcher

--- Rewrites a whole text; `html` also replaces the literal texts.
function Matcher:all(text, html)
  local run = newRun()
  local p = cast(source, text)
  search(self, html and self.html or self.names, run, p, #text, true)
  if run.done == 0 then
    return text
  end
  put(run, p, #text)
  return table.concat(run.out)
end

local Stream = {}
Stream.__index = Stream

--- Rewrites a text that comes in chunks.
function Matcher:stream(html)
  local stream = {
    matcher = self,
    set = html and self.html or self.names,
    run = newRun(),
    size = PIECE + 4096,
    used = 0,
  }
  stream.buffer = room(stream.size)
  return setmetatable(stream, Stream)
end

-- Drops what is given out, but for what a look back may need.
local function forget(stream)
  local run = stream.run
  local gone = run.done - LEFT
  if gone <= 0 then
    return
  end
  stream.used = stream.used - gone
  ffi.C.memmove(stream.buffer, stream.buffer + gone, stream.used)
  run.at, run.done = run.at - gone, run.done - gone
  run.known, run.start = run.known - gone, run.start < 0 and -1 or run.start - gone
end

local function append(stream, p, n)
  local need = stream.used + n
  if need > stream.size then
    local larger = room(need + 4096)
    ffi.copy(larger, stream.buffer, stream.used)
    stream.buffer, stream.size = larger, need + 4096
  end
  ffi.copy(stream.buffer + stream.used, p, n)
  stream.used = need
end

--- Takes the next chunk. Returns what is decided by now.
function Stream:feed(chunk)
  local run, words = self.run, self.matcher.words
  local p, n = cast(source, chunk), #chunk
  local from = 0
  while from < n do
    local piece = math.min(n - from, PIECE)
    append(self, p + from, piece)
    from = from + piece
    search(self.matcher, self.set, run, self.buffer, self.used, false)
    put(run, self.buffer, words and urls.openUrl(self.buffer, run.done, run.at, words) or run.at)
    forget(self)
  end
  local out = table.concat(run.out)
  run.out = {}
  return out
end

--- Ends the text. Returns what was held back.
function Stream:finish()
  local run = self.run
  search(self.matcher, self.set, run, self.buffer, self.used, true)
  put(run, self.buffer, self.used)
  local out = table.concat(run.out)
  self.run, self.used = newRun(), 0
  return out
end

--- Builds a matcher. hosts: { from, to, scheme = "plain" | "tls" | nil }; keep: texts that stay as they are; texts: { from, to },
-- replaced in html only; emails: whether host names of e-mail addresses change too.
function M.compile(rules)
  local hosts = rules.hosts or {}
  local names = {}
  patterns.keep(rules.keep or {}, names)
  patterns.names(hosts, names)
  local self = { emails = rules.emails or false, words = patterns.schemeWords(hosts) }
  self.names = automaton.build(names)
  self.html = self.names
  if rules.texts and #rules.texts > 0 then
    patterns.texts(rules.texts, names)
    self.html = automaton.build(names)
  end
  return setmetatable(self, Matcher)
end

return M
