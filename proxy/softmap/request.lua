-- A request on its way up, in nginx's access phase: after limit_req and limit_conn, which come before it, and before anything is
-- asked of the origin. In Onionspray's order: lists, redirects, what is answered here, allow lists and lock, then onion to domain.
local cookies = require("softmap.cookies")
local lists = require("softmap.lists")
local mapping = require("softmap.mapping")
local origin = require("softmap.origin")
local site = require("softmap.site")
local upload = require("softmap.upload")

local request = {}

-- An answer of this proxy's own: nothing of it is rewritten.
local function answer(status, text, headers)
    ngx.ctx.softmap_own = true
    ngx.status = status
    ngx.header["Content-Type"] = "text/plain; charset=utf-8"
    ngx.header["Content-Length"] = #text
    for name, value in pairs(headers or {}) do ngx.header[name] = value end
    ngx.send_headers()
    if ngx.req.get_method() ~= "HEAD" then ngx.print(text) end
    ngx.exit(ngx.HTTP_OK)
end

local function abort(settings)
    ngx.ctx.softmap_own = true
    ngx.exit(settings.nginxActionAbort)
end

local function refuse(settings)
    answer(403, settings.blockErr .. "\n")
end

local function redirect(code, to)
    answer(code, "", { Location = to })
end

local function redirects(settings, name, subject, fixed)
    for _, each in ipairs(settings[name] or {}) do
        if ngx.re.find(subject, each.match, "joi") then
            redirect(each.code, fixed and each.to or each.to .. ngx.var.request_uri)
        end
    end
end

-- The four kinds of redirects that a config can have.
local function configured_redirects(settings)
    redirects(settings, "redirectHost", ngx.var.host, false)
    redirects(settings, "redirectPath", ngx.var.uri, false)
    redirects(settings, "redirectFixedHost", ngx.var.host, true)
    redirects(settings, "redirectFixedPath", ngx.var.uri, true)
end

-- What a certificate authority looks for: on http and on https, before any redirect to https.
local function proofs(settings)
    local path = ngx.var.uri
    for _, each in ipairs(settings.sslProof or {}) do
        if path:sub(1, #each.path) == each.path then answer(200, each.text) end
    end
end

local function endpoints(settings)
    local path = ngx.var.uri
    if settings.cookieLock and path == settings.cookieLock then
        answer(302, "", { Location = "/", ["Set-Cookie"] = cookies.lock(settings) })
    end
    if settings.nginxHelloOnion and ngx.re.find(path, "^/hello[-_]onion/?$", "jo") then
        answer(200, "Hello from " .. ngx.var.host .. ": this onion works. It shows " .. ngx.var.softmap_origin .. ".\n")
    end
    for _, each in ipairs(settings.hardcodedEndpoint or {}) do
        if ngx.re.find(path, each.path, "joi") then answer(200, each.text) end
    end
end

-- What a client says of where it comes from is made up: behind an onion nobody knows. Also all that begins with x-forwarded.
local made_up = {
    ["forwarded"] = true, ["via"] = true, ["proxy"] = true, ["x-tor2web"] = true, ["x-real-ip"] = true, ["true-client-ip"] = true,
    ["cf-connecting-ip"] = true, ["x-client-ip"] = true, ["x-onion-circuitid"] = true,
}
-- Where a request says an onion that the origin knows by its domain.
local named = { "Origin", "Referer", "Destination" }

-- ETags carry the mark of the mapping that a page was rewritten with. Without it they are the origin's own again; one with another
-- mark is of a page that links elsewhere, and is not asked about.
local function origins_tags(value)
    local kept, marked = {}, false
    for tag in value:gmatch('[^,%s][^,]*') do
        local plain, mark = tag:match('^(.-)(%-sm%x+)"%s*$')
        if not mark then
            kept[#kept + 1] = tag
        elseif mark == mapping.mark then
            kept[#kept + 1] = plain .. '"'
            marked = true
        end
    end
    return kept[1] and table.concat(kept, ", ") or nil, marked
end

local function conditions()
    for _, name in ipairs({ "If-None-Match", "If-Match", "If-Range" }) do
        local value = ngx.var["http_" .. name:gsub("%-", "_"):lower()]
        if value then
            local tags, marked = origins_tags(value)
            ngx.req.set_header(name, tags)
            if marked then ngx.var.softmap_marked = "1" end
        end
    end
end

local function upward(settings)
    for name in pairs(ngx.req.get_headers(0)) do -- in lower case
        if made_up[name] or name:find("x-forwarded", 1, true) == 1 then ngx.req.clear_header(name) end
    end
    -- nginx turns into a tunnel for whoever asked for an upgrade, also when the origin was not asked for it.
    if ngx.var.softmap_upgrade == "" then ngx.req.clear_header("Upgrade") end
    for _, name in ipairs(named) do
        local value = ngx.var["http_" .. name:lower()]
        if value then ngx.req.set_header(name, mapping.requests:all(value)) end
    end
    if settings.injectOrigin then ngx.req.set_header("Origin", settings.injectOrigin) end
    if settings.injectReferer then ngx.req.set_header("Referer", settings.injectReferer) end
    cookies.upward(settings, mapping.requests)
    conditions()
    if settings.xFromOnionValue ~= "" then
        ngx.req.set_header("X-From-Onion", settings.xFromOnionValue)
    else
        ngx.req.clear_header("X-From-Onion")
    end
    -- The address that tor gives a circuit, with torExportCircuitId; on a socket without it there is none.
    if settings.nginxXOnionCircuitId and (ngx.var.proxy_protocol_addr or "") ~= "" then
        ngx.req.set_header("X-Onion-CircuitID", ngx.var.proxy_protocol_addr)
    end
    for name, value in pairs(settings.injectHeadersUpstream or {}) do ngx.req.set_header(name, value) end
end

-- Events and websockets go piece by piece: a buffer would hold them back (nginx decides that by location).
local function is_stream()
    local accept = ngx.var.http_accept
    return ngx.var.softmap_upgrade == "websocket" or (accept ~= nil and accept:lower():find("text/event-stream", 1, true) ~= nil)
end

-- The whole of the access phase of a site. `make` gives its settings.
function request.serve(domain, make)
    local settings = site.settings(domain, make)
    -- CONNECT, `OPTIONS *` and the like are none of a site's business.
    if ngx.var.request_uri:sub(1, 1) ~= "/" then ngx.exit(ngx.HTTP_BAD_REQUEST) end
    if lists.blacklisted(settings) then return abort(settings) end
    if settings.suppressTor2web and ngx.var.http_x_tor2web then return refuse(settings) end
    proofs(settings)
    if settings.tls and settings.forceHttps and ngx.var.https ~= "on" then
        return redirect(307, "https://" .. ngx.var.host .. ngx.var.request_uri)
    end
    if lists.blocked(settings) then return refuse(settings) end
    configured_redirects(settings)
    endpoints(settings)
    if lists.unwelcome(settings) or not cookies.unlocked(settings) then return abort(settings) end
    local method = ngx.req.get_method()
    if settings.suppressMethodsExceptGet and method ~= "GET" and method ~= "HEAD" then
        return answer(405, settings.blockErr .. "\n", { Allow = "GET, HEAD" })
    end
    upward(settings)
    if settings.deonionifyPostBodies then upload.rewrite(mapping.requests) end
    ngx.var.softmap_uri = mapping.requests:all(ngx.var.request_uri)
    if is_stream() then return ngx.exec("@stream") end
    origin.choose(settings)
end

-- nginx's own 502 and 504: which of the many reasons it was is in the error log and no reader's business.
function request.unreachable()
    if ngx.status < 500 then ngx.status = (ngx.var.upstream_status or ""):find("504$") and 504 or 502 end
    ngx.header["Content-Type"] = "text/plain; charset=utf-8"
    ngx.print(ngx.status, ": the site behind this onion does not answer, or did not prove who it is. ",
        "Whether the onion itself works is shown by /hello-onion/.\n")
end

return request
