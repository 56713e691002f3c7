-- An answer's headers, in nginx's header filter: domain to onion, and what does not hold behind an onion goes. Here it is decided
-- whether the body is rewritten (body.lua), or refused: what cannot be rewritten is not passed on.
local body = require("softmap.body")
local cookies = require("softmap.cookies")
local mapping = require("softmap.mapping")
local origin = require("softmap.origin")
local site = require("softmap.site")
local types = require("softmap.types")

local response = {}

-- Headers that name hosts. ngx.header gives one that comes more than once as a table.
local named = {
    "Access-Control-Allow-Origin", "Content-Location", "Content-Security-Policy", "Content-Security-Policy-Report-Only",
    "Feature-Policy", "Link", "Location", "Permissions-Policy", "Refresh", "Report-To", "Reporting-Endpoints", "SourceMap",
    "Speculation-Rules", "Timing-Allow-Origin", "X-Frame-Options", "X-Pingback", "X-SourceMap",
}
-- Promises about the domain, ways back to it, and what tells one machine of the origin's from another.
local gone = {
    "Age", "Alt-Svc", "Expect-CT", "NEL", "Onion-Location", "Server", "Via", "X-From-Nginx", "X-NA", "X-Powered-By",
    "X-Request-Id", "X-Runtime", "X-Varnish",
}
-- Lengths and hashes of the body as it was.
local of_the_old_body = { "Accept-Ranges", "Content-Length", "Content-MD5", "Digest", "Repr-Digest", "Content-Digest" }

local function each_value(name, change)
    local value = ngx.header[name]
    if not value then return end
    if type(value) ~= "table" then
        ngx.header[name] = change(value)
        return
    end
    local changed = {}
    for _, one in ipairs(value) do changed[#changed + 1] = change(one) end
    ngx.header[name] = changed
end

-- An onion over plain http: a page told to use TLS for everything would load nothing.
local function policy(text)
    text = text:gsub("[Uu]pgrade%-[Ii]nsecure%-[Rr]equests%s*;?%s*", "")
    return (text:gsub("[Bb]lock%-[Aa]ll%-[Mm]ixed%-[Cc]ontent%s*;?%s*", ""))
end

-- Why an answer cannot be passed on, or nil.
local function fault(rewritable, kind)
    local status = ngx.status
    -- nginx takes an interim answer for the final one, and what follows it would go by unseen.
    if status < 200 and not (status == 101 and ngx.var.softmap_upgrade == "websocket") then
        return "the origin sent an interim answer " .. status
    end
    -- Several parts at once have no type of their own: they may be a page's.
    if status == 206 and kind == "multipart/byteranges" then return "the origin sent parts of something that may be a page" end
    if not rewritable then return nil end
    if status == 206 then return "the origin sent a part of a page that is rewritten as a whole" end
    local encoding = ngx.header["Content-Encoding"]
    if type(encoding) == "table" then encoding = table.concat(encoding, ", ") end
    if encoding and not body.can_decode(encoding) then
        return "the origin compressed its answer (" .. encoding:gsub("[^%w%-, ]", "?") .. ") although it was asked not to"
    end
end

local function refuse(reason)
    ngx.log(ngx.ERR, "refused: ", reason)
    for name in pairs(ngx.resp.get_headers(0)) do
        if name ~= "connection" and name ~= "date" then ngx.header[name] = nil end
    end
    ngx.header["Server"] = nil
    ngx.status = 502
    local text = "502: " .. reason .. "\n"
    ngx.header["Content-Type"] = "text/plain; charset=utf-8"
    ngx.header["Content-Length"] = #text
    body.replace(text)
end

-- The origin's tag for one text, which the mapping makes another one.
local function mark_tag()
    local tag = ngx.header["ETag"]
    if type(tag) == "string" and tag:sub(-1) == '"' then ngx.header["ETag"] = tag:sub(1, -2) .. mapping.mark .. '"' end
end

local function suppressed(settings)
    if settings.suppressHeaderHsts or not settings.tls then ngx.header["Strict-Transport-Security"] = nil end
    if settings.suppressHeaderHpkp then
        ngx.header["Public-Key-Pins"] = nil
        ngx.header["Public-Key-Pins-Report-Only"] = nil
    end
    if settings.suppressHeaderCsp then
        ngx.header["Content-Security-Policy"] = nil
        ngx.header["Content-Security-Policy-Report-Only"] = nil
    end
    for _, name in ipairs(gone) do ngx.header[name] = nil end
end

-- The whole of the header filter.
function response.headers()
    local settings = site.current()
    if not settings or ngx.ctx.softmap_own then return end
    origin.learn(settings)
    local kind = types.of(ngx.header["Content-Type"])
    local rewritable = types.rewritten(kind, settings)
    local status = ngx.status
    -- To a websocket's request nginx is a tunnel from here on: with any other protocol in it the connection ends.
    if status == 101 and ngx.var.softmap_upgrade == "websocket" and tostring(ngx.header["Upgrade"]):lower() ~= "websocket" then
        error("the origin switched to another protocol than websocket")
    end
    -- nginx changes the last one of these alone: the first would lead away from the onion.
    for _, name in ipairs({ "Location", "Refresh" }) do
        if type(ngx.header[name]) == "table" then error("the origin sent " .. name .. " more than once") end
    end
    local reason = fault(rewritable and status ~= 204 and status ~= 304, kind)
    if reason then return refuse(reason) end

    suppressed(settings)
    local forward = mapping.answers(settings.tls, settings.kludgeDisableSri)
    local to_onion = function(text) return forward:all(text) end
    for _, name in ipairs(named) do each_value(name, to_onion) end
    if not settings.tls then
        each_value("Content-Security-Policy", policy)
        each_value("Content-Security-Policy-Report-Only", policy)
    end
    each_value("Set-Cookie", function(text) return cookies.downward(text, settings, forward) end)

    if status == 304 then
        if ngx.var.softmap_marked == "1" then mark_tag() end
        return
    end
    if not rewritable or status == 101 or status == 204 then return end
    for _, name in ipairs(of_the_old_body) do ngx.header[name] = nil end
    mark_tag()
    body.rewrite(forward:stream(types.is_html(kind)), ngx.header["Content-Encoding"])
    ngx.header["Content-Encoding"] = nil
end

return response
