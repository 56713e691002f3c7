-- Which name becomes which: the two matchers of this nginx, made once before its worker processes are forked.
local matcher = require("softmap.matcher")

local mapping = {}

-- What else a page says that does not hold behind an onion: literal texts of HTML.
local hashes = {
    -- A rewritten script is another file than its hash says (kludgeDisableSri).
    { from = 'integrity="sha', to = 'data-integrity="sha' },
    { from = "integrity='sha", to = "data-integrity='sha" },
    { from = "integrity=sha", to = "data-integrity=sha" },
}
local https_only = {
    -- An onion served over plain http has nothing to upgrade to: the page would load none of its parts.
    { from = "upgrade-insecure-requests", to = "" },
    { from = "block-all-mixed-content", to = "" },
}

-- What a kind of site needs beside names.
local function texts_for(tls, without_hashes)
    local texts = {}
    for _, list in ipairs({ tls and {} or https_only, without_hashes and hashes or {} }) do
        for _, each in ipairs(list) do texts[#texts + 1] = each end
    end
    return texts
end

-- How an onion is served decides what a link to it begins with. Of a foreign one nobody knows it.
local schemes = { [true] = "tls", [false] = "plain" }

local plan, forward = nil, {}

-- Domain to onion, for answers of a site: `tls` is whether the site itself has TLS, `without_hashes` its kludgeDisableSri.
function mapping.answers(tls, without_hashes)
    local kind = (tls and "tls" or "plain") .. (without_hashes and "-sri" or "")
    if not forward[kind] then
        local hosts = {}
        for _, each in ipairs(plan.names) do
            hosts[#hosts + 1] = { from = each.domain, to = each.onion, scheme = schemes[each.tls] }
        end
        local texts = texts_for(tls, without_hashes)
        forward[kind] = matcher.compile({ hosts = hosts, keep = plan.preserve, texts = texts, emails = plan.emails })
    end
    return forward[kind]
end

-- plan: { names = { { domain, onion, tls } ... }, preserve = { text ... }, emails = bool, mark = text }, foreign maps among the
-- names: nobody knows how they are served, so their scheme stays as it is written (tls = nil).
function mapping.setup(given)
    plan, forward = given, {}
    local hosts = {}
    -- An origin is always asked with TLS, so what the reader's side calls http is https to it.
    for _, each in ipairs(given.names) do
        hosts[#hosts + 1] = { from = each.onion, to = each.domain, scheme = each.tls ~= nil and "tls" or nil }
    end
    -- Addresses have no e-mail: what a reader sends is rewritten wherever it stands.
    mapping.requests = matcher.compile({ hosts = hosts, keep = {}, texts = {}, emails = true })
    mapping.mark = "-sm" .. given.mark
    -- Before the fork: the memory is shared.
    for _, tls in ipairs({ true, false }) do mapping.answers(tls, false) end
end

return mapping
