-- Which kinds of content are rewritten: everything that can hold a link and is text.
local types = {}

local rewritten = {
    [""] = true, -- a browser may take it for a page
    ["text/html"] = true, ["text/css"] = true, ["text/javascript"] = true, ["text/ecmascript"] = true, ["text/xml"] = true,
    ["text/event-stream"] = true, ["text/x-json"] = true, ["text/json"] = true,
    ["application/javascript"] = true, ["application/x-javascript"] = true, ["application/ecmascript"] = true,
    ["application/json"] = true, ["application/x-ndjson"] = true, ["application/xml"] = true, ["application/vnd.apple.mpegurl"] = true,
    ["application/x-mpegurl"] = true, ["audio/mpegurl"] = true, ["audio/x-mpegurl"] = true,
}

-- The type without parameters, in lower case; "" when there is none.
function types.of(header)
    if type(header) == "table" then header = header[#header] end
    return ((header or ""):match("^%s*([^;%s]*)") or ""):lower()
end

function types.rewritten(kind, settings)
    local more = settings.extraSubsFilterTypes
    return rewritten[kind] or kind:find("%+json$") ~= nil or kind:find("%+xml$") ~= nil or (more and more.set and more.set[kind]) or false
end

function types.is_html(kind)
    return kind == "text/html" or kind == "application/xhtml+xml" or kind == ""
end

return types
