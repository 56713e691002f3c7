-- Block and allow lists: does a request match one? Exact words and regular expressions, each list by itself.
local lists = {}

-- Case-insensitive, compiled once. A regular expression that gives up (lua_regex_match_limit) counts as `otherwise`.
local function matches(text, expressions, otherwise)
    if not expressions then return false end
    for _, expression in ipairs(expressions.list) do
        local from, _, fault = ngx.re.find(text, expression, "joi")
        if from then return true end
        if fault then
            ngx.log(ngx.ERR, "regular expression ", expression, ": ", fault)
            return otherwise
        end
    end
    return false
end

-- What a list looks at.
local subjects = {
    host = function() return ngx.var.host end,
    origin = function() return ngx.var.http_origin end,
    path = function() return ngx.var.uri end,
    location = function() return ngx.var.uri end,
    referer = function() return ngx.var.http_referer end,
    userAgent = function() return ngx.var.http_user_agent end,
}

local function parameter_matches(wanted, compare)
    if not wanted or #wanted == 0 then return false end
    local given = ngx.req.get_uri_args(0)
    for _, each in ipairs(wanted) do
        local values = given[each.name]
        for _, value in ipairs(type(values) == "table" and values or { values }) do
            if compare(value == true and "" or value, each.value) then return true end
        end
    end
    return false
end

-- Whether the request is on a list or its regular expressions; `name` is the setting's, e.g. "blockHost".
local function on(settings, name, subject, otherwise)
    if subject == "param" then
        local exact = function(value, wanted) return value == wanted end
        local by_expression = function(value, wanted) return matches(value, { list = { wanted } }, otherwise) end
        return parameter_matches(settings[name], exact) or parameter_matches(settings[name .. "Re"], by_expression)
    end
    local words, expressions = settings[name], settings[name .. "Re"]
    if not words and not expressions then return false end
    local text = subjects[subject]() or ""
    return (words and words.set and words.set[text]) or (expressions and expressions.list and matches(text, expressions, otherwise)) or false
end

local function given(settings, name)
    local list = settings[name]
    return list ~= nil and ((list.list and #list.list > 0) or #list > 0)
end

-- Listed for a polite refusal. An expression that gives up refuses: it is safer to turn one away than to let one in.
function lists.blocked(settings)
    for _, subject in ipairs({ "UserAgent", "Referer", "Origin", "Host", "Path", "Location", "Param" }) do
        local name = subject:sub(1, 1):lower() .. subject:sub(2)
        if on(settings, "block" .. subject, name, true) then return true end
    end
    return false
end

-- Listed for an abrupt one.
function lists.blacklisted(settings)
    for _, subject in ipairs({ "userAgent", "referer", "origin", "host", "path", "param" }) do
        if on(settings, subject .. "Blacklist", subject, true) then return true end
    end
    return false
end

-- Whether a whitelist that is given does not have the request: each must, one entry of a list is enough.
function lists.unwelcome(settings)
    for _, subject in ipairs({ "userAgent", "referer", "origin", "host", "path", "param" }) do
        local name = subject .. "Whitelist"
        if (given(settings, name) or given(settings, name .. "Re")) and not on(settings, name, subject, false) then return true end
    end
    return false
end

return lists
