-- Runs the matcher for the tests. A request on stdin is a line with a length and so many bytes of Lua; it gives back strings, which are
-- written to stdout each as a length, a colon and its bytes, all behind a line with their length together.
local folder = ...
package.path = folder .. "/?.lua;" .. package.path
local matcher = require("softmap.matcher")

local known, built = nil, nil -- the last rules and their matcher

local kit = {}

function kit.matcher(key, make)
  if known ~= key then
    known, built = key, matcher.compile(make())
  end
  return built
end

-- What a stream gives out for each chunk, and at the end.
function kit.feed(m, html, chunks)
  local out = {}
  local stream = m:stream(html)
  for k, chunk in ipairs(chunks) do
    out[k] = stream:feed(chunk)
  end
  out[#out + 1] = stream:finish()
  return out
end

-- Cuts a text into chunks of these sizes, over and over.
function kit.cut(text, sizes)
  local chunks, at = {}, 1
  while at <= #text do
    local size = sizes[#chunks % #sizes + 1]
    chunks[#chunks + 1] = text:sub(at, at + size - 1)
    at = at + size
  end
  return chunks
end

while true do
  local length = io.read("*n", 1)
  if not length then
    break
  end
  local source = io.read(length)
  local results = { assert(loadstring(source, "=request"))(kit, matcher) }
  for k, result in ipairs(results) do
    result = tostring(result)
    results[k] = #result .. ":" .. result
  end
  local all = table.concat(results)
  io.write(#all, "\n", all)
  io.flush()
end
