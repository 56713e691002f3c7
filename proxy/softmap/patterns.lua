-- What a matcher looks for, and the rule for each: host names in every spelling of their dots, texts to keep, literal texts.
local urls = require("softmap.urls")

local M = {}

-- How a dot may be written. All dots of one name are written alike.
local DOTS = { ".", "\\.", "\\\\.", "\\\\\\.", "%2e", "%252e", "\\u002e" }
local PORTS = { plain = "443", tls = "80" } -- the default port of the scheme that goes

local KEEP, NAME, TEXT = 1, 2, 3
M.KEEP, M.NAME, M.TEXT = KEEP, NAME, TEXT

local function lower(text)
  return (text:gsub("%u", string.lower))
end

--- `text` with its dots written as `dot`.
function M.dotted(text, dot)
  return (text:gsub("%.", (dot:gsub("%%", "%%%%"))))
end

local function isHostByte(text, at)
  return text:find("^[%w_-]", at) ~= nil
end

--- A pattern for each spelling of each host's dots.
function M.names(hosts, patterns)
  for _, host in ipairs(hosts) do
    local from = lower(host.from)
    local dotAt = from:find(".", 1, true)
    for _, dot in ipairs(dotAt and DOTS or { "." }) do
      patterns[#patterns + 1] = {
        text = M.dotted(from, dot),
        rule = {
          kind = NAME,
          to = host.to,
          dotAt = dotAt and dotAt - 1,
          dotLength = #dot,
          spelt = { ["."] = host.to }, -- dot as written -> replacement
          scheme = host.scheme,
          words = urls.WORDS[host.scheme],
          port = PORTS[host.scheme],
        },
      }
    end
  end
end

--- Texts that stay as they are.
function M.keep(keep, patterns)
  for _, text in ipairs(keep) do
    patterns[#patterns + 1] = {
      text = lower(text),
      -- a text that itself begins or ends with another character than a name's has its boundary there
      rule = { kind = KEEP, opens = isHostByte(text, 1), closes = isHostByte(text, #text) },
    }
  end
end

--- Literal texts of html.
function M.texts(texts, patterns)
  for _, text in ipairs(texts) do
    patterns[#patterns + 1] = { text = lower(text.from), rule = { kind = TEXT, to = text.to } }
  end
end

--- The schemes that some rule changes; nil when none does.
function M.schemeWords(hosts)
  local words, known = {}, {}
  for _, host in ipairs(hosts) do
    if host.scheme and not known[host.scheme] then
      known[host.scheme] = true
      for _, word in ipairs(urls.WORDS[host.scheme]) do
        words[#words + 1] = word
      end
    end
  end
  return #words > 0 and words or nil
end

return M
