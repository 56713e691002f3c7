import assert from "node:assert/strict";
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import { after, test } from "node:test";
import { main, usage } from "./check";

const root = join(__dirname, "..");
const dir = mkdtempSync(join(tmpdir(), "softmap-check-"));
after(() => rmSync(dir, { recursive: true }));

function check(...args: string[]): { code: number; out: string; err: string } {
  const lines = { out: "", err: "" };
  const code = main(args, { out: (text) => (lines.out += `${text}\n`), err: (text) => (lines.err += `${text}\n`) });
  return { code, ...lines };
}

function checkText(text: string): { code: number; out: string; err: string } {
  const file = join(dir, "Pulumi.test.yaml");
  writeFileSync(file, text);
  const { code, out, err } = check(file);
  return { code, out: out.replaceAll(file, "FILE"), err: err.replaceAll(file, "FILE") };
}

const right = `config:
  aws:region: eu-central-1
  softmap:hosts: { provider: lab }
  softmap:workers: "1"
  softmap:projects:
    - name: news
      sites:
        - domain: www.example.org
`;

for (const name of [
  ...readdirSync(join(root, "examples/config")).map((file) => `examples/config/${file}`),
  "Pulumi.dev.yaml",
]) {
  test(`${name} is right`, () => {
    const { code, out, err } = check(join(root, name));
    assert.equal(err, "");
    assert.equal(code, 0);
    assert.match(out, /of 20 introduction points/);
  });
}

test("a right file: the plan, exit 0", () => {
  const { code, out } = checkText(right);
  assert.equal(code, 0);
  assert.match(
    out,
    /^FILE: the configuration is right\.\n\n2 hosts, 1 balancer and 1 worker, 1 project, 1 site, 2 backends\./,
  );
});

test("blue/green: who stands by, who is not listed, and the waves; no generation, which nobody knows here", () => {
  const { code, out } = check(join(root, "examples/config/blue-green.yaml"));
  assert.equal(code, 0);
  assert.match(out, /18 backends \(9 listed\)/);
  assert.match(out, /green-balancer +balancer \(stands by\)/);
  assert.match(out, /green1 +worker \(not listed\) +news-1 news-2 news-3\n/);
  assert.match(out, /release, wave 1 \(canary\) +blue1\n/);
  assert.match(out, /18 of 20 introduction points/);
  assert.doesNotMatch(out, /news-[0-9]-[0-9a-f]{4}/);
});

test("a worker that is listed and not there: its line in the file", () => {
  const { code, err } = checkText(`${right}  softmap:listed:\n    - worker1\n    - worker2\n`);
  assert.equal(code, 1);
  assert.match(err, /listed: \[1\] = "worker2" \(line 11\)\n.*\n {4}Next: worker1 is named already/);
});

test("a wrong file: every problem with its line, exit 1", () => {
  const { code, out, err } = checkText(`${right}          onoin: abc
      torIntrosPerDaemon: 21
  softmap:wrokers: 3
  softmap:siteKeys:
    shop.example.org: { secure: v1:abc }
`);
  assert.equal(code, 1);
  assert.equal(out, "");
  assert.equal(
    err,
    `FILE: 4 problems in the configuration:

  stack: wrokers (line 11)
    There is no such key in the stack's config.
    Next: workers is given already: remove this one.

  project news: torIntrosPerDaemon = 21 (line 10)
    It must be from 3 to 20: tor takes no other number of introduction points.
    Next: Choose a number there, e.g. 3.

  project news: sites[0].onoin (line 9)
    There is no such key in a site.
    Next: Did you mean onion?

  siteKeys: shop.example.org (line 13)
    There is a key for this domain, but no site has it.
    Next: Add the site to a project, correct the domain, or remove the key.
`,
  );
});

test("a missing key is at the line of what it would stand in", () => {
  assert.match(
    checkText(right.replace("      sites:\n        - domain: www.example.org\n", "")).err,
    /project news: sites \(line 6\)/,
  );
});

test("siteKeys encrypted as a whole: said, not guessed", () => {
  const { code, out } =
    checkText(`${right}          onion: pg6mmjiyjmcrsslvykfwnntlaru7p5svn6y2ymmju6nubxndf4pscryd.onion
  softmap:siteKeys: { secure: v1:abc }
`);
  assert.equal(code, 0);
  assert.match(out, /siteKeys is encrypted as a whole: `pulumi preview` checks/);
});

test("a site's key in plain text: refused with its line and the command, never shown", () => {
  const key = Buffer.alloc(96, 7).toString("base64");
  const { code, err, out } = checkText(`${right}  softmap:siteKeys:
    www.example.org: ${key}
`);
  assert.equal(code, 1);
  assert.match(err, /siteKeys: www\.example\.org \(line 10\)\n.*plain text.*\n.*config set --secret --path .*as seen/);
  assert.ok(!`${err}${out}`.includes(key.slice(0, 20)));
  assert.equal(checkText(`${right}  softmap:siteKeys: { www.example.org: keys/www }\n`).code, 0);
});

for (const [what, text, says] of [
  ["broken YAML", "config:\n  a: [1, 2\n", /file: YAML \(line \d\)/],
  ["a key twice", `${right}  softmap:workers: 2\n`, /file: YAML \(line 9\)\n    Map keys must be unique\./],
  ["an alias without anchor", "config: *nowhere\n", /file: YAML/],
  ["an empty file", "", /file: config\n    There is no config in this file\./],
  ["a file that is a list", "- a\n", /There is no config in this file\./],
  ["no softmap key", "config:\n  aws:region: x\n", /stack: hosts \(line \d\)|stack: hosts\n/],
] as const) {
  test(`${what}: a report, exit 1, no stack trace`, () => {
    const { code, err } = checkText(text);
    assert.equal(code, 1);
    assert.match(err, says);
    assert.doesNotMatch(err, /\n\s+at /);
  });
}

test("a wrong call: how to call it, exit 2", () => {
  assert.deepEqual(check(), { code: 2, out: "", err: `${usage}\n` });
  assert.deepEqual(check("a", "b"), { code: 2, out: "", err: `${usage}\n` });
  assert.deepEqual(check("--verbose"), { code: 2, out: "", err: `${usage}\n` });
  assert.equal(check("--help").code, 0);
  const file = relative(process.cwd(), join(dir, "none.yaml"));
  assert.deepEqual(check(file), {
    code: 2,
    out: "",
    err: `${file} cannot be read (there is no such file).\n${usage}\n`,
  });
  assert.equal(check(dir).code, 2);
});

test("a site that is in no backup is told, where backups are noted", () => {
  const file = join(dir, "Pulumi.backed.yaml");
  writeFileSync(file, right);
  assert.doesNotMatch(check(file).out, /backup/, "nothing is noted: it may be a stack that is not deployed yet");
  const note = (domain: string): void => {
    const site = { domain, address: "a.onion" };
    const backup = { made: "2026-01-01T00:00:00.000Z", file: "one.age", sha256: "0".repeat(64), sites: [site] };
    writeFileSync(join(dir, "Pulumi.backed.backup.json"), JSON.stringify({ version: 1, backups: [backup] }));
  };
  note("www.example.org");
  assert.doesNotMatch(check(file).out, /backup/);
  note("other.example.org");
  const { code, out } = check(file);
  assert.equal(code, 0);
  assert.match(out, /\n\nThe key of www\.example\.org is in no backup: run `npx softmap backup`\.\n$/);
});
