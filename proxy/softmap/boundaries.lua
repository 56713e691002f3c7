-- What stands in front of a name and behind it: spelt characters, host names, e-mail addresses, schemes and ports.
-- Everything here works on bytes of a `const uint8_t *p`. Looking back ends at position 0 and reads at most LEFT bytes.
local ffi = require("ffi")
local bit = require("bit")
local band = bit.band

local M = {}

-- bounds of looking back, in bytes: labels in front of a name, a user with password, all of it from the name back to the scheme
local HOST_MAX = 400
local USER_MAX = 128
local SPELT_MAX = 11 -- the longest spelling of one character: %25252525XX
M.REACH = HOST_MAX + SPELT_MAX + USER_MAX + 3 * SPELT_MAX + 5
M.LEFT = M.REACH + SPELT_MAX + 1

-- classes of characters
local HOST, ALNUM, USER, RUN, ENDS = 1, 2, 4, 8, 16
local class = ffi.new("uint8_t[256]")
local fold = ffi.new("uint8_t[256]")
local hex = ffi.new("int8_t[256]")
M.fold = fold

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
  -- all bytes that user, password and host name can be written with, escapes included
  mark(digits .. letters .. "_-.~!$&*+=:%\\@#;", RUN)
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

local BACKSLASH, PERCENT, DOT, SLASH, COLON, AT, STAR = 92, 37, 46, 47, 58, 64, 42
local SEMICOLON = 59
local OTHER = 255 -- a character that is nothing to us

-- Where a run of at most `most` backslashes that ends before `i` begins.
local function backslashes(p, i, most)
  local least = i - most
  while i > 0 and i > least and p[i - 1] == BACKSLASH do
    i = i - 1
  end
  return i
end

local function is(p, from, i, text)
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
local function before(p, i)
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
    if is(p, i - 5, i, "&#64;") then
      return AT, i - 5
    elseif is(p, i - 6, i, "&#x40;") then
      return AT, i - 6
    elseif is(p, i - 8, i, "&commat;") then
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

--- Whether a name may begin at `s`: no host character in front.
function M.opens(p, s)
  local c = before(p, s)
  return band(class[c], HOST) == 0
end

-- The end of the spelling at `i` of the character `raw` (hexadecimal h1 h2); 0: it is not there; -1: the text ends too early to tell.
local function spelt(p, i, n, final, raw, h1, h2)
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

--- Whether a name may end at `e`: 1 yes, 0 no (a host character, or a dot and a host character, follows), -1 not to be told yet.
function M.closes(p, e, n, final)
  if e >= n then
    return final and 1 or -1
  end
  if band(class[p[e]], HOST) ~= 0 then
    return 0
  end
  local j = spelt(p, e, n, final, DOT, 50, 101)
  if j == 0 then
    return 1
  elseif j < 0 then
    return -1
  elseif j >= n then
    return final and 1 or -1
  end
  return band(class[p[j]], HOST) ~= 0 and 0 or 1
end

--- Where the whole host name begins whose last labels begin at `s`; -1 when it is too long for one.
-- `known` and `start` are such a pair from further left: a name that goes back to `known` begins at `start`.
function M.hostStart(p, s, known, start)
  local w, dot = s, false
  local least = s - HOST_MAX
  while true do
    if w == known then
      return start >= least and start or -1
    end
    local c, u = before(p, w)
    if band(class[c], HOST) ~= 0 then
      dot = false
    elseif c == DOT and not dot then
      dot = true
    elseif c == STAR and dot then
      return u >= least and u or -1 -- https://*.example.org
    else
      return w
    end
    if u < least then
      return -1
    end
    w = u
  end
end

--- Where the @ in front of a host name begins, -1 when there is none.
function M.atSign(p, w)
  local c, u = before(p, w)
  return c == AT and u or -1
end

--- Where user and password of a URL begin whose @ begins at `a`; -1 when no two slashes are in front: an e-mail address.
function M.userStart(p, a)
  local u = a
  local least = a - USER_MAX
  while true do
    local c, v = before(p, u)
    if c == SLASH then
      return before(p, v) == SLASH and u or -1
    end
    if band(class[c], USER) == 0 or v < least then
      return -1
    end
    u = v
  end
end

M.WORDS = { plain = { "https", "wss" }, tls = { "http", "ws" } }

--- The scheme of the URL whose host or user begins at `w`, if it is one of `words`: where it begins and ends; -1 when it is none.
function M.scheme(p, w, words)
  local c, u = before(p, w)
  if c ~= SLASH then
    return -1, -1
  end
  c, u = before(p, u)
  if c ~= SLASH then
    return -1, -1
  end
  c, u = before(p, u)
  if c ~= COLON then
    return -1, -1
  end
  for k = 1, #words do
    local q = u - #words[k]
    if is(p, q, u, words[k]) then
      c = before(p, q)
      if band(class[c], ALNUM) == 0 then
        return q, u
      end
    end
  end
  return -1, -1
end

--- The end of `:port` at `e`; `e` when another or no port follows; -1 when it is not to be told yet.
function M.port(p, e, n, final, digits)
  local j = spelt(p, e, n, final, COLON, 51, 97)
  if j <= 0 then
    return j == 0 and e or -1
  end
  for k = 1, #digits do
    if j >= n then
      return final and e or -1
    end
    if p[j] ~= digits:byte(k) then
      return e
    end
    j = j + 1
  end
  if j >= n then
    return final and j or -1
  end
  return (p[j] >= 48 and p[j] <= 57) and e or j
end

-- Whether a URL with one of `words` may begin at `q`, as far as it is written before `n`.
local function mayBeUrl(p, q, n, words)
  for k = 1, #words do
    local word = words[k]
    local j, m = q, 1
    while m <= #word and j < n and fold[p[j]] == word:byte(m) do
      j, m = j + 1, m + 1
    end
    if j >= n then
      return true
    end
    if m > #word then
      j = spelt(p, j, n, false, COLON, 51, 97)
      if j > 0 then
        j = spelt(p, j, n, false, SLASH, 50, 102)
      end
      if j > 0 then
        j = spelt(p, j, n, false, SLASH, 50, 102)
      end
      while j > 0 and j < n and band(class[p[j]], RUN) ~= 0 do
        j = j + 1
      end
      if j < 0 or j >= n then
        return true
      end
    end
  end
  return false
end

--- The first place from `from` on where a URL may begin whose name begins at `n` or later; `n` when there is none.
-- What it begins with must not be given out yet: its scheme may have to change.
function M.openUrl(p, from, n, words)
  local least = math.max(from, n - M.REACH)
  local q = n
  while q > least and (p[q - 1] == SLASH or band(class[p[q - 1]], RUN) ~= 0) do
    q = q - 1
  end
  while q < n do
    local c = fold[p[q]]
    if (c == 104 or c == 119) and mayBeUrl(p, q, n, words) then
      local front = before(p, q)
      if band(class[front], ALNUM) == 0 then
        return q
      end
    end
    q = q + 1
  end
  return n
end

return M
