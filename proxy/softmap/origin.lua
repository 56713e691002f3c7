-- Connections to origins that stay open. nginx keeps connections in an `upstream{}` alone, and such a group resolves its name when nginx
-- starts, or keeps it from starting. So the first request for a name goes by the name (resolver, TLS handshake, proof of the
-- certificate); the address that answered is then asked through a group of that name for a while, on connections that are kept. One
-- group for each name: a kept connection has been proved for its name, and for no other.
local balancer = require("ngx.balancer")

local origin = {}

-- After this long the name is resolved again: nginx's own `valid` of a resolver's answer.
local SECONDS = 30

-- By name, in each worker process: the address that answered last.
local peers = {}

-- Only what can be asked twice without harm: an origin may close a kept connection at the moment when it is used again.
local repeatable = { GET = true, HEAD = true }

-- In the access phase: through the name's group when it has one and its address is known.
function origin.choose(settings)
    local name = ngx.var.softmap_origin
    local group, peer = settings.groups and settings.groups[name], peers[name]
    if not group or not peer or not repeatable[ngx.req.get_method()] then return end
    if peer.till < ngx.now() then
        peers[name] = nil
        return
    end
    ngx.ctx.softmap_peer = peer
    ngx.var.softmap_upstream = group
end

-- Whether this request goes through a group.
local function kept()
    return ngx.var.softmap_upstream ~= ngx.var.softmap_origin
end

-- In the header filter: an answer came by the name, so its address is the origin's.
function origin.learn(settings)
    local name = ngx.var.softmap_origin
    if kept() or not (settings.groups and settings.groups[name]) then return end
    -- The last of several, when nginx had to try more than one.
    local host, port = (ngx.var.upstream_addr or ""):match("([%x%.:%[%]]+):(%d+)$")
    if host then peers[name] = { host = host, port = tonumber(port), till = ngx.now() + SECONDS } end
end

-- The group's choice.
function origin.balance()
    local peer = ngx.ctx.softmap_peer
    local done, fault = balancer.set_current_peer(peer.host, peer.port)
    if not done then
        ngx.log(ngx.ERR, "origin ", ngx.var.softmap_origin, ": ", fault)
        ngx.exit(ngx.HTTP_BAD_GATEWAY)
    end
end

-- After a 502 or 504 of nginx's own: a known address may be one no more, so the name is asked once. Everything else is told to the reader.
function origin.again()
    if not kept() then return ngx.exec("@unreachable") end
    peers[ngx.var.softmap_origin] = nil
    ngx.var.softmap_upstream = ngx.var.softmap_origin
end

return origin
