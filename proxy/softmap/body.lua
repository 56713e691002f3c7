-- An answer's body, in nginx's body filter: piece by piece through a matcher's stream, decompressed before where the origin
-- compressed it all the same.
local inflate = require("softmap.inflate")

local body = {}

-- Whether a Content-Encoding is one that can be undone here.
function body.can_decode(encoding)
    local name = encoding:lower():match("^%s*(.-)%s*$")
    return name == "" or name == "identity" or inflate.knows(name)
end

-- From here on this request's body goes through `stream`; `encoding` is the origin's Content-Encoding or nil.
function body.rewrite(stream, encoding)
    local name = encoding and encoding:lower():match("^%s*(.-)%s*$")
    ngx.ctx.softmap_body = { stream = stream, decoder = name and inflate.knows(name) and inflate.new() or nil }
end

-- From here on this request's body is this text.
function body.replace(text)
    ngx.ctx.softmap_body = { text = text }
end

-- The whole of the body filter. An error in here closes the connection: the reader has a part, and sees that it is one.
function body.filter()
    local job = ngx.ctx.softmap_body
    if not job then return end
    if job.text then
        ngx.arg[1] = job.text
        ngx.arg[2] = true
        job.text = ""
        return
    end
    local piece, last = ngx.arg[1], ngx.arg[2]
    if job.decoder then piece = job.decoder:feed(piece, last) end
    local out = piece ~= "" and job.stream:feed(piece) or ""
    if last then out = out .. job.stream:finish() end
    ngx.arg[1] = out
end

return body
