import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { onionspray } from "../../config/onionspray";
import { outcomesOf } from "./settings";

const of = (name: string, value: string) =>
  outcomesOf(
    { file: "x.conf", line: 1, name, words: value.split(" ").filter((word) => word !== "") },
    { domains: ["www.example.org", "example.net"] },
  );

/** A `set` line, and what it becomes: key and value, or the kinds of what is said instead. */
const cases: readonly [name: string, value: string, becomes: readonly unknown[]][] = [
  ["force_https", "0", [["forceHttps", false]]],
  ["suppress_tor2web", "1", [["suppressTor2web", true]]],
  ["tor_export_circuit_id", "haproxy", [["torExportCircuitId", true]]],
  ["tor_single_onion", "off", ["decision"]],
  ["nginx_timeout", "15", [["nginxTimeout", "15s"]]],
  ["nginx_block_size", "8K", [["nginxBlockSize", "8k"]]],
  ["nginx_rlim", "4096", [["nginxRlim", 4096]]],
  ["nginx_rlim", "many", ["decision"]],
  ["nginx_workers", "auto", [["nginxWorkers", "auto"]]],
  ["softmap_nginx_workers", "4", [["nginxWorkers", 4]]],
  ["nginx_action_abort", "return 444", [["nginxActionAbort", 444]]],
  ["nginx_action_abort", "return 301 https://x", ["decision"]],
  ["nginx_resolver", "10.0.0.2 ipv6=off", [["nginxResolver", ["10.0.0.2"]], "dropped"]],
  ["nginx_proxy_ssl_trusted_certificate", "/etc/x.pem", ["authorities"]],
  ["block_err", "Not here, sorry.", [["blockErr", "Not here, sorry."]]],
  ["block_path_re", "^/admin\\\\. /x", [["blockPathRe", ["^/admin\\.", "/x"]]]],
  [
    "block_param",
    "action,delete a,b",
    [
      [
        "blockParam",
        [
          { name: "action", value: "delete" },
          { name: "a", value: "b" },
        ],
      ],
    ],
  ],
  ["block_param_re", "action", ["decision"]],
  ["host_whitelist", "a.onion b.onion", [["hostWhitelist", ["a.onion", "b.onion"]]]],
  [
    "redirect_host",
    "^join\\\\.,307,https://join.example.org",
    [["redirectHost", [{ match: "^join\\.", code: 307, to: "https://join.example.org" }]]],
  ],
  ["ssl_proof_csv", "/.well-known/x,4d0a", [["sslProof", [{ path: "/.well-known/x", text: "4d0a" }]]]],
  [
    "hardcoded_endpoint_csv",
    "^/robots\\\\.txt$,User-agent:*\\nDisallow:/",
    [["hardcodedEndpoint", [{ path: "^/robots\\.txt$", text: "User-agent:*\nDisallow:/" }]]],
  ],
  ["inject_headers_upstream", "X-A,b X-C,d", [["injectHeadersUpstream", { "X-A": "b", "X-C": "d" }]]],
  [
    "inject_origin",
    "www.example.org,https://www.example.org no.example,null",
    [["injectOrigin", "https://www.example.org"], "decision"],
  ],
  ["preserve_csv", "t,press@example\\\\.org,i,press@example.org", [["preserve", ["press@example.org"]]]],
  ["preserve_csv", "t,example\\\\.org,i,example.org", ["decision"]],
  ["preserve_csv", "t,[a-z]+@x\\\\.example,i,y", ["decision"]],
  ["log_separate", "1", [["accessLog", "truncated"]]],
  ["onionspray_cert_days", "90", [["selfSignedDays", 90]]],
  ["hard_mode", "2", ["dropped"]],
  ["tor_pow_enabled", "1", ["dropped"]],
  ["nginx_template", "mine.txt", ["dropped"]],
  ["force_htps", "1", ["decision"]],
  ["forcehttps", "1", ["decision"]],
];

for (const [name, value, becomes] of cases) {
  test(`set ${name} ${value}`, () => {
    const found = of(name, value).map((outcome) =>
      outcome.kind === "project" || outcome.kind === "site" ? [outcome.key, outcome.value] : outcome.kind,
    );
    assert.deepEqual(found, becomes);
  });
}

test("an unknown setting is told with the one that is meant", () => {
  const [outcome] = of("nginx_cache_secnds", "4");
  assert.ok(outcome?.kind === "decision");
  assert.match(outcome.next, /^Did you mean nginx_cache_seconds\?/);
});

test("every setting of the table becomes something, whatever its value; and only what the table says", () => {
  const value = fc.oneof(
    fc.string(),
    fc.constantFrom("0", "1", "a,b", "a,b,c", "/x,301,https://x.example", "auto", "10.0.0.1"),
  );
  fc.assert(
    fc.property(fc.constantFrom(...Object.keys(onionspray)), value, (name, given) => {
      const row = onionspray[name];
      const key = row?.kind === "same" ? row.key : row?.kind === "replaced" ? row.by : undefined;
      for (const outcome of of(name.toLowerCase(), given))
        if (outcome.kind === "project" || outcome.kind === "site") assert.equal(outcome.key, key);
    }),
    { numRuns: 2000 },
  );
  for (const [name, row] of Object.entries(onionspray))
    if (row.kind === "same") assert.ok(of(name, "1").length > 0, name);
});

test("an unknown name never becomes anything", () => {
  fc.assert(
    fc.property(fc.string(), fc.string(), (name, value) => {
      if (Object.hasOwn(onionspray, name)) return;
      for (const { kind } of of(name, value)) assert.notEqual(kind, "project");
    }),
  );
});
