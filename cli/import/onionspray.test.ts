import assert from "node:assert/strict";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { parse } from "yaml";
import { inputFromStackFile } from "../../config/input";
import { parseStackConfig } from "../../config/parse";
import { issue } from "../../tests/certificates";
import { bare, folderOf, keysOf, run, secretsOf } from "./kit";

const [a, b, c] = [keysOf("a"), keysOf("b"), keysOf("c")];
const base64 = (keys: typeof a): string => Buffer.from(keys.secretFile).toString("base64");

interface Report {
  readonly ready: boolean;
  readonly written?: string;
  readonly yaml?: string;
  readonly mapped: readonly Line[];
  readonly dropped: readonly Line[];
  readonly decisions: readonly (Line & { next: string; blocks: boolean })[];
  readonly problems: readonly (Line & { next: string })[];
  readonly keys: readonly { key: string; name: string; address?: string; command: string; set: boolean }[];
}
interface Line {
  readonly file: string;
  readonly line?: number;
  readonly what: string;
  readonly why: string;
  readonly to?: string;
}

async function report(...args: string[]): Promise<Report & { code: number }> {
  const { code, out, err } = await run(["onionspray", ...args, "--json"]);
  assert.equal(err, "");
  return { ...(JSON.parse(out) as Report), code };
}

/** The checked config of a stack's file; throws when there is anything wrong with it beside keys that are still to be set. */
function checked(yaml: string) {
  const { raw } = inputFromStackFile((parse(yaml) as { config: Record<string, unknown> }).config);
  return parseStackConfig(raw);
}

/** `UPDATE_GOLDEN=1` writes it. */
function sameAsGolden(name: string, text: string): void {
  const file = join(__dirname, "golden", name);
  if (process.env["UPDATE_GOLDEN"] === "1") writeFileSync(file, text);
  assert.equal(text, readFileSync(file, "utf8"));
}

const softmap = `# three softmaps of a template, resolved
set project softexample
softmap ${a.address} example.com
softmap ${b.address} example.org cdn
softmap ${c.address} example.net
`;

test("Onionspray on one machine: the config is right as it is, and the keys are found", async (t) => {
  const home = folderOf(t, { "site.conf": softmap, ...secretsOf(a), ...secretsOf(b), ...secretsOf(c) });
  const { code, yaml = "", ready, problems, keys, decisions } = await report(home);
  assert.deepEqual([code, ready, problems], [0, false, []]);
  sameAsGolden("one-machine.yaml", yaml);
  const { hosts, projects, workersOnBalancers } = checked(yaml);
  assert.deepEqual([hosts.provider, workersOnBalancers], ["local", true]);
  assert.deepEqual(
    projects[0]?.sites.map(({ domain, onion, subdomains }) => [domain, onion, subdomains]),
    [
      ["example.com", a.address, []],
      ["example.org", b.address, ["cdn"]],
      ["example.net", c.address, []],
    ],
  );
  assert.deepEqual(
    keys.map(({ key, name, address, set }) => [key, name, address, set]),
    [
      ["siteKeys", "example.com", a.address, false],
      ["siteKeys", "example.org", b.address, false],
      ["siteKeys", "example.net", c.address, false],
    ],
  );
  assert.equal(
    keys[0]?.command,
    `base64 < ${home}/secrets/${bare(a)}.v3sec.key | npx pulumi config set --secret --path 'softmap:siteKeys["example.com"]'`,
  );
  assert.ok(decisions.every(({ blocks }) => !blocks));
  // Nothing is written, and nobody is shown a key.
  assert.ok(!existsSync(join(home, "Pulumi.prod.yaml")));
});

test("EOTK with workers: hosts, certificates, settings of every kind", async (t) => {
  const other = await issue("authority", { authority: true, use: "any" });
  const signed = await issue(a.address, { names: [a.address, `*.${a.address}`], by: other });
  const own = await issue(b.address, { names: [b.address] });
  const short = (keys: typeof a): string => `${bare(keys).slice(0, 20)}-v3`;
  const home = folderOf(t, {
    "eotk-site.conf": "set nginx_modules_dirs /etc/nginx/modules-enabled\nset nginx_timeout 30\n",
    "news.tconf": "set project news\nsoftmap %NEW_V3_ONION% www.example.org\nsoftmap %NEW_V3_ONION% late.example.org\n",
    "news.conf": `set nginx_resolver 10.0.0.2 ipv6=off
set tor_single_onion 1
set block_path_re ^/admin\\\\. \\
  ^/wp-
set block_err Not over Onion, sorry.
set hardcoded_endpoint_csv ^/robots\\\\.txt$,no
set inject_origin www.example.org,https://www.example.org
set x_from_onion_value yes
set softmap_nginx_workers 4
set nginx_workers 2
set tor_pow_enabled 1
set project news
softmap ${a.address} www.example.org cdn
softmap ${bare(b)} shop.example.org
foreignmap ${c.address} friends.example
`,
    "eotk-workers.conf": "localhost\nadmin@w1.example.net\n203.0.113.7\n",
    ...secretsOf(a, "secrets.d"),
    ...secretsOf(b, "secrets.d"),
    [`projects.d/news.d/ssl.d/${short(a)}.cert`]: signed.certificate + other.certificate,
    [`projects.d/news.d/ssl.d/${short(a)}.pem`]: signed.key,
    [`projects.d/news.d/ssl.d/${b.address}.cert`]: own.certificate,
    [`projects.d/news.d/ssl.d/${b.address}.pem`]: own.key,
    "projects.d/news.d/hs-1.d/hostname": "x\n",
  });
  const { code, yaml = "", problems, mapped, dropped, decisions, keys } = await report(home);
  assert.deepEqual([code, problems], [0, []]);
  const plain = yaml.replaceAll(/-----BEGIN[^-]+-----[^-]+-----END [A-Z]+-----/g, "PEM");
  sameAsGolden("workers.yaml", plain);
  assert.equal(plain.split("PEM").length - 1, 2);
  const of = (entries: readonly Line[], name: string) => {
    const entry = entries.find(({ what }) => what === name);
    return entry && `${entry.file.slice(home.length + 1)}:${entry.line ?? ""} ${entry.to ?? ""}`;
  };
  assert.equal(of(mapped, "set nginx_timeout"), "eotk-site.conf:2 nginxTimeout");
  assert.equal(of(mapped, "set block_path_re"), "news.conf:3 blockPathRe");
  assert.equal(of(mapped, "worker w1.example.net"), "eotk-workers.conf:2 workers");
  assert.equal(of(mapped, "set nginx_workers"), undefined);
  assert.equal(of(dropped, "set nginx_workers"), "news.conf:10 ");
  assert.equal(of(dropped, "set tor_pow_enabled"), "news.conf:11 ");
  assert.equal(of(dropped, "hs-1.d"), "projects.d/news.d: ");
  assert.equal(of(dropped, "certificate"), `projects.d/news.d/ssl.d/${b.address}.cert: onionTls`);
  assert.equal(of(decisions, "worker 203.0.113.7"), "eotk-workers.conf:3 ");
  assert.equal(of(decisions, "softmap late.example.org"), "news.tconf:3 ");
  assert.deepEqual(
    decisions.filter(({ blocks }) => blocks).map(({ next }) => /npx softmap hostkey [^`]+/.exec(next)?.[0]),
    ["npx softmap hostkey w1.example.net", "npx softmap hostkey 203.0.113.7"],
  );
  assert.deepEqual(
    keys.map(({ key, name }) => `${key} ${name}`),
    ["siteKeys www.example.org", "tlsKeys www.example.org", "siteKeys shop.example.org"],
  );
  // With host keys written, nothing else is wrong.
  const key = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIM/zf2yfZZZx26ujhIOQOhsFGcTWFkbbxXqDXaHSZW0X";
  checked(yaml.replaceAll(/( +)address: .*/g, `$&\n$1hostKey: ${key}`));
});

test("a template that was never configured gets new addresses; beside its .conf it has those", async (t) => {
  const home = folderOf(t, {
    "examples/x.tconf": "hardmap %NEW_V3_ONION% example.org\n",
    "x.conf": `hardmap ${a.address} example.org\n`,
    ...secretsOf(a),
    "new/y.tconf": "set project x\nsoftmap %NEW_V3_ONION% example.org\n",
  });
  const resolved = await report(join(home, "examples", "x.tconf"));
  assert.deepEqual([resolved.code, resolved.keys.map(({ address }) => address)], [0, [a.address]]);
  assert.match(resolved.decisions.map(({ why }) => why).join("\n"), /Here it is a softmap/);
  const fresh = await report(join(home, "new", "y.tconf"));
  assert.deepEqual(
    [fresh.code, fresh.keys, checked(fresh.yaml ?? "").projects[0]?.sites[0]?.onion],
    [0, [], undefined],
  );
  assert.match(fresh.decisions.map(({ why }) => why).join("\n"), /gets one at the first `pulumi up`/);
});

test("with --stack the file is written and the keys are set, on stdin; none is printed or in the file", async (t) => {
  const home = folderOf(t, { "site.conf": softmap, ...secretsOf(a), ...secretsOf(b), ...secretsOf(c) });
  const file = join(home, "Pulumi.prod.yaml");
  // As `pulumi stack init` leaves it.
  writeFileSync(file, "encryptionsalt: v1:abc\n");
  const { code, out, err, set } = await run(["onionspray", home, "--stack", "prod", "--out", file]);
  assert.deepEqual([code, err], [0, ""]);
  assert.deepEqual(
    set.map(({ path, stack, file: where, value }) => [path, stack, where, value]),
    [
      ['softmap:siteKeys["example.com"]', "prod", file, base64(a)],
      ['softmap:siteKeys["example.org"]', "prod", file, base64(b)],
      ['softmap:siteKeys["example.net"]', "prod", file, base64(c)],
    ],
  );
  const text = readFileSync(file, "utf8");
  assert.match(text, /^encryptionsalt: v1:abc$/m);
  checked(text);
  for (const keys of [a, b, c]) assert.ok(!`${text}${out}`.includes(base64(keys).slice(50, 70)));
  // A second time it is there: left as it is, unless --force.
  const again = await run(["onionspray", home, "--out", file]);
  assert.equal(again.code, 1);
  assert.match(
    again.err,
    /Pulumi.prod.yaml {2}stack's file\n {4}It is there already, with a config of softmap in it\.\n {4}Next: .*--force/,
  );
  assert.equal(readFileSync(file, "utf8"), text);
  writeFileSync(file, `${text}# mine\n`.replace("config:", "config:\n  softmap:retireGrace: 5m"));
  assert.equal((await run(["onionspray", home, "--out", file, "--force"])).code, 0);
  const forced = readFileSync(file, "utf8");
  assert.match(forced, /^encryptionsalt: v1:abc$/m);
  assert.match(forced, /^ {2}softmap:retireGrace: 5m$/m);
});

test("a key that Pulumi does not take ends with 1, and says how to set it and the others", async (t) => {
  const home = folderOf(t, { "site.conf": softmap, ...secretsOf(a), ...secretsOf(b), ...secretsOf(c) });
  const out = join(home, "Pulumi.x.yaml");
  const fail = { 'softmap:siteKeys["example.org"]': "no stack named 'x' found" };
  const ran = await run(["onionspray", home, "--stack", "x", "--out", out], { fail });
  assert.deepEqual([ran.code, ran.set.length], [1, 2]);
  assert.match(ran.out, /siteKeys of example\.org was not set: no stack named 'x' found/);
  assert.match(ran.out, /set as secrets: each command reads the file on stdin \(2\)/);
});

test("settings that change between projects, mixed maps and unknown settings are decisions, with their lines", async (t) => {
  const home = folderOf(t, {
    "x.conf": `set nginx_timeout 15
set project one
softmap ${a.address} example.com
hardmap ${b.address} example.org
set nginx_timeout 60
set force_htps 1
set block_path_re a*
set project Two_Two
softmap ${c.address} example.net
`,
    ...secretsOf(a),
    ...secretsOf(b),
    ...secretsOf(c),
  });
  const { code, decisions, mapped, yaml = "" } = await report(home);
  const lines = decisions.filter(({ line }) => line !== undefined).map(({ line, what }) => `${line} ${what}`);
  assert.equal(code, 0);
  for (const wanted of [
    "1 set nginx_timeout",
    "4 project one",
    "4 hardmap example.org",
    "6 set force_htps",
    "7 blockPathRe[0]",
    "8 project Two_Two",
  ])
    assert.ok(lines.includes(wanted), `${wanted}: ${lines.join(", ")}`);
  assert.ok(!mapped.some(({ to }) => to === "blockPathRe"));
  const { projects } = checked(yaml);
  assert.deepEqual(
    projects.map(({ name, nginxTimeout }) => [name, nginxTimeout]),
    [
      ["one", 60],
      ["two-two", 60],
    ],
  );
});

test("more backends than can be published are told before `pulumi up`", async (t) => {
  const workers = Array.from({ length: 61 }, (_, i) => `w${i}.example.net`).join("\n");
  const home = folderOf(t, {
    "x.conf": `softmap ${a.address} example.com\n`,
    "onionspray-workers.conf": workers,
    ...secretsOf(a),
  });
  const { code, decisions } = await report(home, "--user", "admin");
  assert.equal(code, 0);
  assert.ok(decisions.some(({ what, blocks }) => blocks && what === "project default: softmapTorWorkers"));
});
