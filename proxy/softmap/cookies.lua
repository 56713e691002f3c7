-- Cookies, both ways: of an answer's Set-Cookie the Domain and what plain http cannot have, of a request's Cookie names and values.
local cookies = {}

local LOCK = "softmap_lock"
local LOCK_SECONDS = 7 * 24 * 3600

-- A browser takes a cookie with these names over TLS alone (RFC 6265bis 4.1.3): over plain http they go by other names.
local guarded = { { "__Host-", "softmap_Host-" }, { "__Secure-", "softmap_Secure-" } }

local function renamed(name, from, to)
    for _, pair in ipairs(guarded) do
        local prefix = pair[from]
        if name:sub(1, #prefix):lower() == prefix:lower() then return pair[to] .. name:sub(#prefix + 1) end
    end
    return name
end

-- The Domain of a cookie as the browser can take it. One for a parent of the site's domain would be refused on the onion: the
-- onion itself is the nearest thing to it.
local function onion_domain(value, settings, forward)
    local host = value:gsub("^%.", ""):lower()
    if ("." .. settings.domain):sub(-#host - 1) == "." .. host then return settings.onion end
    return forward:all(value)
end

-- One Set-Cookie header.
function cookies.downward(value, settings, forward)
    local parts = {}
    for part in (value .. ";"):gmatch("([^;]*);") do parts[#parts + 1] = part end
    local kept = {}
    for at, part in ipairs(parts) do
        local name, is = part:match("^%s*([^=%s]+)%s*=?%s*(.-)%s*$")
        local attribute = at > 1 and (name or ""):lower()
        if at == 1 then
            kept[1] = settings.tls and part or renamed(part, 1, 2)
        elseif attribute == "domain" and is ~= "" then
            kept[#kept + 1] = " Domain=" .. onion_domain(is, settings, forward)
        elseif settings.tls or not (attribute == "secure" or (attribute == "samesite" and is:lower() == "none")) then
            kept[#kept + 1] = part
        end
    end
    return table.concat(kept, ";")
end

-- The Set-Cookie that opens a site with cookieLock.
function cookies.lock(settings)
    local secure = settings.tls and ngx.var.https == "on" and "; Secure" or ""
    return LOCK .. "=" .. ngx.escape_uri(settings.cookieLock) .. "; Path=/; Max-Age=" .. LOCK_SECONDS .. "; HttpOnly; SameSite=Lax" .. secure
end

-- Whether a site with cookieLock may be seen: the cookie has the right value.
function cookies.unlocked(settings)
    return not settings.cookieLock or ngx.var["cookie_" .. LOCK] == ngx.escape_uri(settings.cookieLock)
end

-- The request's Cookie header as the origin knows it.
function cookies.upward(settings, reverse)
    local value = ngx.var.http_cookie
    if not value then return end
    local kept = {}
    for pair in value:gmatch("[^;]+") do
        local name = pair:match("^%s*([^=]*)")
        if name ~= LOCK then kept[#kept + 1] = settings.tls and pair or pair:gsub("^(%s*)(.*)$", function(space, rest) return space .. renamed(rest, 2, 1) end) end
    end
    local text = table.concat(kept, ";"):gsub("^%s+", "")
    ngx.req.set_header("Cookie", text ~= "" and reverse:all(text) or nil)
end

return cookies
