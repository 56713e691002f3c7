-- Block and allow lists: does a request match one? Exact words and regular expressions, each list by itself.
local lists = {}

-- Case-insensitive, compiled once. A regular expression that gives up (lua_regex_match_limit) counts as `otherwise`.
local function matches(text, expressions, otherwise)
    for _, expression in ipairs(expressions) do
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

-- The lists of one kind, in the order in which they are looked at: `name_of` makes a setting's name of a subject, as "blockHost".
local function checks(name_of)
    local found = {}
    for _, subject in ipairs({ "userAgent", "referer", "origin", "host", "path", "location", "param" }) do
        local name = name_of(subject)
        found[#found + 1] = { subject = subject, words = name, expressions = name .. "Re" }
    end
    return found
end

local block = checks(function(subject) return "block" .. subject:sub(1, 1):upper() .. subject:sub(2) end)
local black = checks(function(subject) return subject .. "Blacklist" end)
local white = checks(function(subject) return subject .. "Whitelist" end)

local function parameter_matches(wanted, compare)
    if not wanted then return false end
    local given = ngx.req.get_uri_args(0)
    for _, each in ipairs(wanted) do
        local values = given[each.name]
        for _, value in ipairs(type(values) == "table" and values or { values }) do
            if compare(value == true and "" or value, each.value) then return true end
        end
    end
    return false
end

-- Whether the request is on a list or its regular expressions; nil where neither is given. (A list that is there has entries.)
local function on(settings, check, otherwise)
    local words, expressions = settings[check.words], settings[check.expressions]
    if not words and not expressions then return nil end
    if check.subject == "param" then
        local exact = function(value, wanted) return value == wanted end
        local by_expression = function(value, wanted) return matches(value, { wanted }, otherwise) end
        return parameter_matches(words, exact) or parameter_matches(expressions, by_expression)
    end
    local text = subjects[check.subject]() or ""
    return (words and words.set[text]) or (expressions and matches(text, expressions.list, otherwise)) or false
end

local function on_any(settings, kind)
    for _, check in ipairs(kind) do
        -- An expression that gives up counts as a match: it is safer to turn one away than to let one in.
        if on(settings, check, true) then return true end
    end
    return false
end

-- Listed for a polite refusal.
function lists.blocked(settings)
    return on_any(settings, block)
end

-- Listed for an abrupt one.
function lists.blacklisted(settings)
    return on_any(settings, black)
end

-- Whether a whitelist that is given does not have the request: each must, one entry of a list is enough.
function lists.unwelcome(settings)
    for _, check in ipairs(white) do
        if on(settings, check, false) == false then return true end
    end
    return false
end

return lists
