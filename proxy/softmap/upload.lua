-- A request's body, onion to domain, where a site asks for it (deonionifyPostBodies): forms, JSON, XML, text. Files that readers
-- upload are theirs and stay as they are.
local upload = {}

-- What is longer is sent on as it is: it is a file, and would have to be held in memory.
local LONGEST = 1024 * 1024

local methods = { POST = true, PUT = true, PATCH = true }

local function is_text(kind)
    return kind == "application/x-www-form-urlencoded" or kind:find("json$") or kind:find("xml$") or kind:find("^text/")
end

local function whole_body()
    local body = ngx.req.get_body_data()
    if body then return body end
    local path = ngx.req.get_body_file()
    if not path then return nil end
    local file = io.open(path, "rb")
    if not file then return nil end
    local text = file:read(LONGEST + 1)
    file:close()
    return text
end

function upload.rewrite(reverse)
    local kind = (ngx.var.http_content_type or ""):match("^[^;%s]*"):lower()
    if not methods[ngx.req.get_method()] or not is_text(kind) or ngx.var.http_content_encoding then return end
    if (tonumber(ngx.var.http_content_length) or 0) > LONGEST then return end
    ngx.req.read_body()
    local body = whole_body()
    if not body or #body > LONGEST then return end
    local rewritten = reverse:all(body)
    if rewritten ~= body then ngx.req.set_body_data(rewritten) end
end

return upload
