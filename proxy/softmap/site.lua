-- The sites of this nginx, each with its settings. A site's nginx file brings its settings along as a function that makes the
-- table, so that a site that leaves the plan still has them; they are made once in each worker process.
local site = {}

local known = {}

-- What a worker process makes of a site's settings the first time: lists become sets.
local function prepared(settings)
    for name, list in pairs(settings) do
        if type(list) == "table" and #list > 0 and type(list[1]) == "string" then
            local set = {}
            for _, each in ipairs(list) do set[each] = true end
            settings[name] = { set = set, list = list }
        end
    end
    return settings
end

-- The settings of a domain; `make` is called the first time.
function site.settings(domain, make)
    local found = known[domain]
    if not found then
        found = prepared(make())
        known[domain] = found
    end
    return found
end

-- The settings of the site that this request is for, or nil where no site is concerned.
function site.current()
    return known[ngx.var.softmap_site or ""]
end

return site
