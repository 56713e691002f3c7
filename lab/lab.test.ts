import assert from "node:assert/strict";
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { shellExports } from "./environment";
import { LabError } from "./errors";
import { nextAddress } from "./hosts";
import { debootstrap, imageName } from "./image";
import { parse } from "./main";
import { mirrorHosts, parseMirror } from "./mirror";
import { withLock } from "./mutex";
import { BIG_PAGE, dnsConfig, originConfig, originNames, pages } from "./originPages";
import { containerName, labNamed } from "./places";
import { ensureRequirements, missing } from "./requirements";
import { age, statusTable } from "./status";
import { parseAnswer } from "./torNetwork";
import { labUp } from "./upDown";

test("names of labs and hosts become names of containers, networks and tables, and nothing else", () => {
  const lab = labNamed("dev");
  assert.deepEqual(
    [lab.network, lab.table, lab.label, containerName(lab, "worker-1")],
    ["softmap-dev", "softmap_dev", "softmap.lab=dev", "softmap-dev-worker-1"],
  );
  for (const name of ["", "Dev", "a-b", "a_b", "../x", "1a", "a b", "a".repeat(17)])
    assert.throws(() => labNamed(name), LabError, name);
  for (const name of ["", "A", "-a", "a-", "a_b", "a/b", "a b"])
    assert.throws(() => containerName(lab, name), LabError, name);
});

test("a Tor network with too few relays for Onionbalance, or with too many for its ports, is not made", async () => {
  for (const relays of [5, 6.5, 101, NaN])
    await assert.rejects(labUp(labNamed("nobody"), undefined, { relays }), /cannot have .* relays/);
  assert.equal(existsSync(labNamed("nobody").dir), false);
});

test("the mirror is the machine's own, with the settings it needs", () => {
  const targets = "http://deb.example/debian/\nhttp://deb.example/debian-security/\nhttp://other.example/node\n";
  const mirror = parseMirror(targets, 'Acquire::Check-Date "false";\nAcquire::Check-Date "false";\nDir "/";\n');
  assert.deepEqual(mirror, {
    archive: "http://deb.example/debian",
    security: "http://deb.example/debian-security",
    options: ['Acquire::Check-Date "false"'],
  });
  assert.deepEqual(mirrorHosts(mirror), ["deb.example"]);
  assert.throws(() => parseMirror("http://archive.example/ubuntu\n", ""), /SOFTMAP_DEBIAN_MIRROR/);
});

test("tor, nginx and Onionbalance are masked before any package is installed", () => {
  const line = debootstrap({ archive: "http://m/debian", security: "http://m/debian-security", options: [] }, "x.tar");
  const hook = line.find((word) => word.startsWith("--essential-hook")) ?? "";
  for (const unit of ["tor.service", "tor@default.service", "nginx.service", "onionbalance.service", "dnsmasq.service"])
    assert.ok(hook.includes(`/${unit}`), unit);
  assert.match(imageName(), /^localhost\/softmap-host:[0-9a-f]{12}$/);
});

test("Debian 12 unless 13 is asked for, each from its own suites, and another image", () => {
  const mirror = { archive: "http://m/debian", security: "http://m/debian-security", options: [] };
  const sources = (line: readonly string[]) => line.filter((word) => word.startsWith("deb ")).join("\n");
  const of = (suite: string) =>
    `deb ${mirror.archive} ${suite} main\ndeb ${mirror.archive} ${suite}-updates main\ndeb ${mirror.security} ${suite}-security main`;
  assert.equal(sources(debootstrap(mirror, "x.tar")), of("bookworm"));
  assert.equal(sources(debootstrap(mirror, "x.tar", "trixie")), of("trixie"));
  assert.equal(imageName(), imageName("bookworm"));
  assert.notEqual(imageName(), imageName("trixie"));
});

test("of what is missing each thing is said with its reason, and without a package manager the message names all of it", async () => {
  const all = [
    { package: "here", why: "x", found: () => Promise.resolve(true) },
    { package: "podman", why: "runs the lab's hosts", found: () => Promise.resolve(false) },
  ];
  assert.deepEqual(
    (await missing(all)).map((one) => one.package),
    ["podman"],
  );
  const path = process.env["PATH"];
  const empty = mkdtempSync(join(tmpdir(), "softmap-path-"));
  try {
    // sh and nothing else: no apt-get, no sudo
    const { symlinkSync } = await import("node:fs");
    symlinkSync("/bin/sh", join(empty, "sh"));
    process.env["PATH"] = empty;
    await assert.rejects(
      ensureRequirements(() => undefined, all),
      /podman|sudo/,
    );
  } finally {
    process.env["PATH"] = path;
    rmSync(empty, { recursive: true });
  }
});

test("addresses are handed out from 11 to 240, the lowest free one first", () => {
  assert.equal(nextAddress([]), 11);
  assert.equal(nextAddress([11, 12, 14]), 13);
  assert.equal(nextAddress(Array.from({ length: 240 }, (_, n) => n + 11)), undefined);
});

test("a lock file keeps others out, and one left by a dead process does not", async () => {
  const folder = mkdtempSync(join(tmpdir(), "softmap-lock-"));
  try {
    const file = join(folder, "lock");
    writeFileSync(file, "999999999");
    let inside = 0;
    let most = 0;
    const work = () =>
      withLock(file, async () => {
        most = Math.max(most, ++inside);
        await new Promise(setImmediate);
        inside--;
      });
    await Promise.all([work(), work(), work(), work()]);
    assert.equal(most, 1);
    await assert.rejects(
      withLock(file, () => Promise.reject(new Error("no"))),
      /^Error: no$/,
    );
    assert.equal(existsSync(file), false, "released after a failure");
    let waited = 0;
    writeFileSync(file, String(process.pid));
    await assert.rejects(withLock(file, work, { patience: 0.1, onWait: () => waited++ }), /has held/);
    assert.ok(waited > 0, "the one who waits is told");
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test("the origin's pages name their domain in every form that a proxy must find", () => {
  const all = Object.values(pages("www.daily.test", ["www.daily.test", "court.test"])).join("\n");
  for (const form of [
    "https://www.daily.test/",
    "//cdn.www.daily.test/app.js",
    "https:\\/\\/www.daily.test\\/",
    "https://court.test/",
    "desk@www.daily.test",
  ])
    assert.ok(all.includes(form), form);
});

test("the big page is so long to the byte, ASCII, the same each time, and another for every name", () => {
  const big = (name: string) => pages(name, ["www.daily.test", "court.test"])[BIG_PAGE.path.slice(1)] ?? "";
  const [one, other] = [big("www.daily.test"), big("cdn.court.test")];
  assert.deepEqual(
    [one, other].map((text) => Buffer.byteLength(text)),
    [BIG_PAGE.bytes, BIG_PAGE.bytes],
  );
  assert.match(one, /^[\n -~]+$/);
  assert.equal(one, big("www.daily.test"));
  assert.notEqual(one, other);
});

test("DNS knows the origin's names and the mirror's, and sends nobody further", () => {
  const names = originNames(["a.test"]);
  const text = dnsConfig("10.70.1.2", names, { "deb.example": ["203.0.113.80"] });
  assert.deepEqual(names, ["a.test", "cdn.a.test", "untrusted.test"]);
  assert.deepEqual(text.match(/^host-record=.*$/gm), [
    "host-record=a.test,10.70.1.2",
    "host-record=cdn.a.test,10.70.1.2",
    "host-record=untrusted.test,10.70.1.2",
    "host-record=deb.example,203.0.113.80",
  ]);
  assert.match(text, /^no-resolv$/m);
  assert.match(text, /^address=\/#\/$/m);
  assert.equal(originConfig(["a.test"], "/c", "/f").match(/server_name /g)?.length, 3);
});

test("an answer is taken apart into head, cookies and body", () => {
  const raw = Buffer.from(
    "HTTP/1.1 200 OK\r\nX-A: 1\r\nx-a: 2\r\nSet-Cookie: a=1\r\nSet-Cookie: b=2\r\n\r\nbody\r\n\r\nmore",
  );
  assert.deepEqual(parseAnswer(raw), { headers: { "x-a": "1, 2" }, cookies: ["a=1", "b=2"], body: "body\r\n\r\nmore" });
});

test("what follows `ssh HOST` is the host's, dashes and all", () => {
  assert.deepEqual(parse(["--name", "x", "ssh", "web", "ls", "-l", "--all"]), {
    words: ["ssh", "web", "ls", "-l", "--all"],
    values: { __proto__: null, name: "x" },
  });
  assert.deepEqual(parse(["host", "up", "web", "--name", "x"]).words, ["host", "up", "web"]);
  assert.throws(() => parse(["up", "--nmae", "x"]), /nmae/);
});

test("the environment survives a shell", () => {
  assert.equal(shellExports({ A: "it's", B: "" }), "export A='it'\\''s'\nexport B=''");
});

test("the status says what is missing", () => {
  assert.equal(age(59), "59 s");
  assert.equal(age(3700), "1 h 1 min");
  const host = { name: "worker1", role: "host", running: true, address: "10.70.1.11", memory: 2 ** 24, age: 61 };
  const table = statusTable({ name: "dev", subnet: "10.70.1", lock: undefined, torAge: undefined, containers: [host] });
  assert.match(table, /worker1 +host +10\.70\.1\.11 +running +1 min 1 s +16 MiB/);
  assert.match(table, /MISSING/);
  assert.match(table, /does not run/);
});
