-- What stands in front of a name and behind it: where it may begin and end, the whole host name, an e-mail's sign.
local bit = require("bit")
local spelling = require("softmap.spelling")
local band = bit.band
local before, spelt, class = spelling.before, spelling.spelt, spelling.class
local HOST, PLACE, DOT, AT, STAR = spelling.HOST, spelling.PLACE, spelling.DOT, spelling.AT, 42

local M = {}

M.HOST_MAX = 400 -- labels in front of a name, in bytes: 255 of DNS with some of them escaped

--- Whether a name may begin at `s`: no host character in front.
function M.opens(p, s)
  local c = before(p, s)
  return band(class[c], HOST) == 0
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
  local least = s - M.HOST_MAX
  while true do
    if w == known then
      return start >= least and start or -1
    end
    local c, u = before(p, w)
    if band(class[c], PLACE) ~= 0 then
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

return M
