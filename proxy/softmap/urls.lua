-- The URL around a host name: its user, its scheme, its port; and what may still become one.
local bit = require("bit")
local boundaries = require("softmap.boundaries")
local spelling = require("softmap.spelling")
local band = bit.band
local before, spelt, is, class, fold = spelling.before, spelling.spelt, spelling.is, spelling.class, spelling.fold
local ALNUM, USER, RUN = spelling.ALNUM, spelling.USER, spelling.RUN
local SLASH, COLON = spelling.SLASH, spelling.COLON

local M = {}

local USER_MAX = 128 -- a user with password, in bytes
-- how far a look back goes, from a name to its URL's scheme and the character in front of that
M.REACH = boundaries.HOST_MAX + spelling.MOST + USER_MAX + 3 * spelling.MOST + 5
M.LEFT = M.REACH + spelling.MOST + 1

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
