-- Characters and the many ways to write one: plain, escaped, in percent or backslash notation; read backwards and forwards.
-- Everything here works on bytes of a `const uint8_t *p`. Looking back ends at position 0.
local ffi = require("ffi")
local bit = require("bit")
local band = bit.band

local M = {}

M.MOST = 11 -- the longest spelling of one character, in bytes: %25252525XX

-- classes of characters
local HOST, ALNUM, USER, RUN, ENDS, PLACE = 1, 2, 4, 8, 16, 32
M.HOST, M.ALNUM, M.USER, M.RUN, M.PLACE = HOST, ALNUM, USER, RUN, PLACE
local class = ffi.new("uint8_t[256]")
local fold = ffi.new("uint8_t[256]")
local hex = ffi.new("int8_t[256]")
M.class, M.fold = class, fold

local function mark(chars, flag)
  for i = 1, #chars do
    local c = chars:byte(i)
    class[c] = bit.bor(class[c], flag)
  end
end

do
  local digits = "0123456789"
  local letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
  mark(digits .. letters .. "_-", HOST)
  mark(digits .. letters, ALNUM)
  mark(digits .. letters .. "_-.~!$&*+=:%", USER)
  -- labels that a script fills in, as {s} or ${zone}: names all the same
  mark(digits .. letters .. "_-{}$", PLACE)
  -- all bytes that user, password and host name can be written with, escapes included
  mark(digits .. letters .. "_-.~!$&*+=:%\\@#;{}", RUN)
  -- bytes that can be the last of a spelling of more than one byte
  mark(digits .. "abcdefABCDEFnrt./:@;", ENDS)
  for c = 0, 255 do
    fold[c] = c
    hex[c] = -1
  end
  for c = 65, 90 do
    fold[c] = c + 32
  end
  for v = 0, 15 do
    hex[("0123456789abcdef"):byte(v + 1)] = v
    hex[("0123456789ABCDEF"):byte(v + 1)] = v
  end
end

local BACKSLASH, PERCENT, DOT, SLASH, COLON, AT, SEMICOLON = 92, 37, 46, 47, 58, 64, 59
M.DOT, M.SLASH, M.COLON, M.AT = DOT, SLASH, COLON, AT
local OTHER = 255 -- a character that is nothing to us

-- Where a run of at most `most` backslashes that ends before `i` begins.
local function backslashes(p, i, most)
  local least = i - most
  while i > 0 and i > least and p[i - 1] == BACKSLASH do
    i = i - 1
  end
  return i
end

--- Whether the bytes from `from` to `i` are `text`, in whatever case.
function M.is(p, from, i, text)
  if from < 0 then
    return false
  end
  for k = 1, #text do
    if fold[p[from + k - 1]] ~= text:byte(k) then
      return false
    end
  end
  return true
end

-- %XX with the percent sign itself escaped up to four times; -1 when there is none. `i` is behind XX.
local function percentStart(p, i)
  local k = i - 3
  for _ = 0, 4 do
    if k < 0 then
      return -1
    end
    if p[k] == PERCENT then
      return k
    end
    -- "25" in front
    if k < 2 or p[k] ~= 53 or p[k - 1] ~= 50 then
      return -1
    end
    k = k - 2
  end
  return -1
end

--- The character written before `i` in any spelling. Returns its code (0 at the text's start) and where its spelling begins.
function M.before(p, i)
  if i <= 0 then
    return 0, 0
  end
  local c = p[i - 1]
  if band(class[c], ENDS) == 0 then
    return c, i - 1
  end
  if c == DOT or c == SLASH or c == COLON or c == AT then
    return c, backslashes(p, i - 1, 3)
  end
  if c == SEMICOLON then
    if M.is(p, i - 5, i, "&#64;") then
      return AT, i - 5
    elseif M.is(p, i - 6, i, "&#x40;") then
      return AT, i - 6
    elseif M.is(p, i - 8, i, "&commat;") then
      return AT, i - 8
    end
    return c, i - 1
  end
  if i >= 2 and p[i - 2] == BACKSLASH and (c == 110 or c == 114 or c == 116) then
    return 32, backslashes(p, i - 1, 3)
  end
  if i < 3 or hex[c] < 0 or hex[p[i - 2]] < 0 then
    return c, i - 1
  end
  local code = hex[p[i - 2]] * 16 + hex[c]
  local start = percentStart(p, i)
  if start < 0 then
    if i >= 4 and fold[p[i - 3]] == 120 and p[i - 4] == BACKSLASH then -- \xXX
      start = backslashes(p, i - 3, 3)
    elseif
      i >= 6
      and p[i - 6] == BACKSLASH
      and fold[p[i - 5]] == 117
      and hex[p[i - 4]] >= 0
      and hex[p[i - 3]] >= 0
    then -- \uXXXX
      start = backslashes(p, i - 5, 3)
      if hex[p[i - 4]] > 0 or hex[p[i - 3]] > 0 then
        code = OTHER
      end
    else
      return c, i - 1
    end
  end
  return code, start
end

--- The end of the spelling at `i` of the character `raw` (hexadecimal h1 h2); 0: it is not there; -1: the text ends too early to tell.
function M.spelt(p, i, n, final, raw, h1, h2)
  local short = final and 0 or -1
  if i >= n then
    return short
  end
  local c = p[i]
  if c == raw then
    return i + 1
  end
  local j = i + 1
  if c == PERCENT then
    for k = 0, 4 do
      if j >= n then
        return short
      end
      local d = p[j]
      if d ~= h1 and d ~= 50 then
        return 0
      end
      if j + 1 >= n then
        return short
      end
      local e = fold[p[j + 1]]
      if d == h1 and e == h2 then
        return j + 2
      end
      if d ~= 50 or e ~= 53 or k == 4 then
        return 0
      end
      j = j + 2
    end
    return 0
  elseif c ~= BACKSLASH then
    return 0
  end
  while j < n and j < i + 3 and p[j] == BACKSLASH do
    j = j + 1
  end
  if j >= n then
    return short
  end
  local d = fold[p[j]]
  if d == raw then
    return j + 1
  end
  local zeros
  if d == 117 then
    zeros = 2
  elseif d == 120 then
    zeros = 0
  else
    return 0
  end
  j = j + 1
  for k = 1, zeros + 2 do
    if j >= n then
      return short
    end
    local want = 48
    if k == zeros + 1 then
      want = h1
    elseif k == zeros + 2 then
      want = h2
    end
    if fold[p[j]] ~= want then
      return 0
    end
    j = j + 1
  end
  return j
end

return M
