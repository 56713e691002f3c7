import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import fc from "fast-check";
import { LabError } from "./errors";
import { guest } from "./image";
import { DEFAULT_CLIENTS, followLoad, loadSettings, type Load, type LoadOptions } from "./load";
import { loadReport, longestGap, percentile, type LoadRecord } from "./loadReport";
import { BIG_PAGE } from "./originPages";
import { programText } from "./ownTor";

const onion = (letter: string) => `${letter.repeat(56)}.onion`;

const request = (fields: Partial<LoadRecord> = {}): LoadRecord => ({
  ...{ at: 0, seconds: 1, client: "steady", site: onion("a"), path: "/", status: 200 },
  ...{ backend: "", error: "", bytes: 1, tries: 1, firstError: "", ...fields },
});

const requests = fc.array(
  fc
    .record({ at: fc.integer({ min: 0, max: 30 }), seconds: fc.integer({ min: 0, max: 5 }), bad: fc.boolean() })
    .map(({ at, seconds, bad }) => request({ at, seconds, error: bad ? "refused" : "" })),
  { maxLength: 20 },
);

test("the longest gap is the longest time in which every request that started failed", () => {
  fc.assert(
    fc.property(requests, (all) => {
      const ends = all.filter((one) => one.error !== "").map((one) => one.at + one.seconds);
      const last = Math.max(0, ...ends, ...all.map((one) => one.at));
      let longest = 0;
      for (const { at: from, error } of all)
        for (const to of [...all.map((one) => one.at), last]) {
          const started = all.filter((one) => one.at >= from && one.at < to);
          // after the last start nothing can be seen but the failures' ends
          const after = all.filter((one) => one.at >= from);
          const open = to === last && after.every((one) => one.error !== "");
          const end = open ? Math.max(...after.map((one) => one.at + one.seconds)) : to;
          if (error !== "" && end > from && started.every((one) => one.error !== ""))
            longest = Math.max(longest, end - from);
        }
      assert.equal(longestGap(all), longest);
    }),
  );
});

test("one request more that did not fail never makes it longer; no failure, no gap", () => {
  fc.assert(
    fc.property(requests, fc.integer({ min: 0, max: 30 }), (all, at) => {
      fc.pre(all.some((one) => one.at >= at));
      assert.ok(longestGap([...all, request({ at })]) <= longestGap(all));
      assert.equal(longestGap(all.map((one) => ({ ...one, error: "" }))), 0);
    }),
  );
  const bad = (at: number) => request({ at, seconds: 2, error: "refused" });
  assert.equal(longestGap([request(), bad(1), bad(2), request({ at: 5 }), bad(6), request({ at: 7 })]), 4);
  assert.equal(longestGap([request(), bad(1), bad(4)]), 5, "nobody knows that it is over before the last has failed");
});

test("percentiles are values of the list, and as many percent of it do not exceed them", () => {
  fc.assert(
    fc.property(fc.array(fc.integer(), { minLength: 1 }), fc.integer({ min: 1, max: 100 }), (values, percent) => {
      const value = percentile(values, percent);
      assert.ok(values.includes(value));
      assert.ok(values.filter((one) => one <= value).length >= (percent / 100) * values.length);
      assert.ok(values.filter((one) => one < value).length < (percent / 100) * values.length);
    }),
  );
  assert.equal(percentile([], 50), 0);
});

test("a report counts failures and second tries apart, and the seconds of those alone that did not fail", () => {
  const failed = request({ at: 3, seconds: 60, status: 502, backend: "news-worker1-1", error: "HTTP 502" });
  const again = request({ seconds: 0.2, backend: "news-worker2-1", tries: 2, firstError: "SOCKS refused (0x05)" });
  const report = loadReport([again, failed, request({ at: 5, seconds: 0.4, backend: "news-worker1-1" })]);
  assert.deepEqual(report, {
    ...{ requests: 3, failures: 1, failed: [failed], secondTries: 1, triedTwice: [again] },
    ...{ longestGap: 2, median: 0.2, p95: 0.4 },
    backends: { "news-worker1-1": 2, "news-worker2-1": 1 },
  });
  assert.deepEqual(loadReport([]), {
    ...{ requests: 0, failures: 0, failed: [], secondTries: 0, triedTwice: [] },
    ...{ longestGap: 0, median: 0, p95: 0, backends: {} },
  });
});

test("options that cannot be are all named", () => {
  const wrong: LoadOptions = {
    sites: ["www.daily.test"],
    clients: [...DEFAULT_CLIENTS, { name: "fresh", newIdentityEvery: 5 }],
    ...{ concurrency: 0, maxSeconds: -1 },
  };
  assert.throws(
    () => loadSettings(wrong, "torrc"),
    (error: unknown) => {
      assert.ok(error instanceof LabError);
      for (const words of ['"www.daily.test"', '"fresh" is', "newIdentityEvery", "concurrency", "maxSeconds"])
        assert.ok(error.message.includes(words), `${words} is missing in ${error.message}`);
      return true;
    },
  );
  assert.throws(() => loadSettings({ sites: [] }, "torrc"), /there is none/);
});

// What load.py does, with a tor that is none: it has the same sockets, and answers by the site's name.
const folder = mkdtempSync(join(tmpdir(), "softmap-load-"));
after(() => rmSync(folder, { recursive: true }));
const SITES = {
  good: onion("a"), // answers as the lab's origin does
  chunked: onion("b"), // the same in chunks
  short: onion("c"), // ends early, but for the warm-up's request
  wrong: onion("d"), // 502, but for the warm-up's
  refused: onion("e"), // SOCKS 4, but for the warm-up's
  silent: onion("f"), // never answers, but for the warm-up's
  dead: onion("g"), // SOCKS 4, always
  moved: onion("h"), // SOCKS 1 for every second stream
  closed: onion("i"), // every second stream is closed before a byte of the answer
};
writeFileSync(
  join(folder, "tor"),
  `#!/usr/bin/env python3
import collections, os, re, socketserver, sys, threading
torrc = open(sys.argv[sys.argv.index("-f") + 1]).read()
path = lambda key: re.search(rf"^{key} (?:unix:)?(\\S+)", torrc, re.M).group(1)
seen, lock, never = collections.Counter(), threading.Lock(), threading.Event()
class Socks(socketserver.StreamRequestHandler):
    def handle(self):
        self.rfile.read(3); self.wfile.write(b"\\x05\\x02")
        self.rfile.read(2 + self.rfile.read(2)[1]); self.wfile.write(b"\\x01\\x00")
        self.rfile.read(4); site = chr(self.rfile.read(self.rfile.read(1)[0])[0]); self.rfile.read(2)
        with lock:
            seen[site] += 1
            first, second = seen[site] == 1, seen[site] % 2 == 0
        if site == "g" or site == "e" and not first:
            return self.wfile.write(b"\\x05\\x04\\x00\\x01" + bytes(6))
        if site == "h" and second:
            return self.wfile.write(b"\\x05\\x01\\x00\\x01" + bytes(6))
        self.wfile.write(b"\\x05\\x00\\x00\\x01" + bytes(6))
        page = self.rfile.readline().split()[1]
        while self.rfile.readline().strip(): pass
        if site == "f" and not first: never.wait()
        if site == "i" and second: return
        body = b"x" * (${BIG_PAGE.bytes} if page == b"${BIG_PAGE.path}" else 100)
        status = b"502 Bad Gateway" if site == "d" and not first else b"200 OK"
        self.wfile.write(b"HTTP/1.1 " + status + b"\\r\\nX-Softmap-Backend: news-worker1-1\\r\\n")
        if site == "b": self.wfile.write(b"Transfer-Encoding: chunked\\r\\n\\r\\n" + b"%x\\r\\n" % len(body) + body + b"\\r\\n0\\r\\n\\r\\n")
        else: self.wfile.write(b"Content-Length: %d\\r\\n\\r\\n" % len(body) + body[:None if site != "c" or first else 50])
class Control(socketserver.StreamRequestHandler):
    def handle(self):
        for line in self.rfile:
            self.wfile.write(b"250 OK\\r\\n" + (b"650 SIGNAL NEWNYM\\r\\n" if b"NEWNYM" in line else b""))
class Server(socketserver.ThreadingUnixStreamServer):
    daemon_threads = True
    request_queue_size = 50
if "/broken/" in path("SocksPort"): sys.exit("no such option")
open(os.path.join(${JSON.stringify(folder)}, "pids", str(os.getpid())), "w").close()
for key, handler in (("SocksPort", Socks), ("ControlSocket", Control)):
    threading.Thread(target=Server(path(key), handler).serve_forever).start()
print("Bootstrapped 100% (done): Done", flush=True)
`,
  { mode: 0o755 },
);
mkdirSync(join(folder, "pids"));
mkdirSync(join(folder, "tmp"));
writeFileSync(join(folder, "torrc"), "# nothing\n");

const start = (sites: readonly string[], more: Partial<LoadOptions> = {}): Promise<Load> => {
  const settings = loadSettings({ sites, concurrency: 1, ...more }, join(folder, "torrc"));
  const path = `PATH=${folder}:${process.env["PATH"] ?? ""}`;
  const program = ["python3", "-c", programText(guest("load.py"), "visits"), JSON.stringify(settings)];
  return followLoad(["env", path, `TMPDIR=${join(folder, "tmp")}`, ...program], settings);
};

/** The tors that were started since it was last asked, as process ids. */
function tors(): string[] {
  const pids = readdirSync(join(folder, "pids"));
  for (const pid of pids) rmSync(join(folder, "pids", pid));
  return pids;
}

/** Waits until these processes are gone (or zombies, who have nobody to reap them in some containers). */
async function gone(pids: readonly string[]): Promise<void> {
  const alive = (pid: string) => {
    try {
      return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, "utf8"));
    } catch {
      return false;
    }
  };
  const deadline = Date.now() + 10_000;
  while (pids.some(alive)) {
    assert.ok(Date.now() < deadline, `${pids.filter(alive).join(" ")} still run`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

test("all sites in turn, every fifth request of each is the big page, nothing fails, and nothing is left", async () => {
  const load = await start([SITES.good, SITES.chunked]);
  const mark = load.mark();
  await load.until(60, mark);
  await load.settle();
  assert.equal(load.since(mark).failures, 0, JSON.stringify(load.since(mark).failed[0]));
  const report = await load.stop();
  assert.equal(report.failures, 0);
  assert.equal(report.requests, load.requests.length);
  assert.deepEqual(report.backends, { "news-worker1-1": report.requests });
  for (const client of ["steady", "fresh"])
    for (const site of [SITES.good, SITES.chunked]) {
      const mine = load.requests.filter((one) => one.client === client && one.site === site);
      const big = mine.filter((one) => one.path === BIG_PAGE.path && one.bytes === BIG_PAGE.bytes).length;
      assert.ok(mine.length >= 10 && Math.abs(big - mine.length / 5) < 1, `${client}: ${big} of ${mine.length}`);
    }
  await gone(tors());
  assert.deepEqual(readdirSync(join(folder, "tmp")), []);
  await assert.rejects(load.until(1, load.mark()), /It ended: stopped/);
});

test("every way to fail is one record with its reason", async () => {
  const { good, short, wrong, refused, silent } = SITES;
  const sites = [good, short, wrong, refused, silent];
  const load = await start(sites, { timeout: 1, clients: [{ name: "steady", newIdentityEvery: 0 }] });
  await load.until(5, 0);
  const report = await load.stop();
  const said = Object.fromEntries(
    load.requests.slice(0, 5).map((one) => [one.site, `${one.tries} ${one.status} ${one.error}`]),
  );
  assert.deepEqual(said, {
    [good]: "1 200 ",
    [short]: "1 200 the answer ended early",
    [wrong]: "1 502 HTTP 502",
    [refused]: "2 0 SOCKS host unreachable (0x04)",
    [silent]: "1 0 not done after 1 s",
  });
  assert.ok(report.failures >= 4 && report.longestGap > 1);
  await gone(tors());
});

test("a request that got no byte of an answer is tried once more, on a stream of its own, and both are told", async () => {
  const clients = [{ name: "steady", newIdentityEvery: 0 }];
  const load = await start([SITES.moved, SITES.closed], { clients });
  await load.until(12, 0);
  const report = await load.stop();
  assert.equal(report.failures, 0, JSON.stringify(report.failed));
  assert.equal(report.secondTries, report.requests, "the second stream of each request is the one that is answered");
  const why = Object.fromEntries(
    load.requests.map((one) => [one.site, `${one.tries} ${one.status} ${one.firstError}`]),
  );
  assert.deepEqual(why, {
    [SITES.moved]: "2 200 SOCKS general failure (0x01)",
    [SITES.closed]: "2 200 no answer: the connection was closed",
  });
  await gone(tors());
});

test("a load that ends by itself says why, and its stop fails: it did not see what came after", async () => {
  const load = await start([SITES.good], { maxRequests: 7 });
  await assert.rejects(load.until(1000, 0), /7 requests, as many as were allowed/);
  assert.ok(load.requests.length >= 7);
  await assert.rejects(load.stop(), /as many as were allowed/);
  await load.kill();
  await gone(tors());
});

test("a site that does not answer and a tor that does not start are said, and nothing is left running", async () => {
  const refused = {
    name: "LabError",
    message: new RegExp(`not ready after 1 s: ${SITES.dead}: SOCKS host unreachable`),
  };
  await assert.rejects(start([SITES.good, SITES.dead], { warmUp: 1 }), refused);
  const pids = tors();
  assert.equal(pids.length, 2);
  await gone(pids);
  await assert.rejects(start([SITES.good], { clients: [{ name: "broken", newIdentityEvery: 0 }] }), {
    name: "LabError",
    message: /the tor of client broken ended: .*no such option/,
  });
});

test("the tors end with the program that started them, however it ends, and with the one that listens to it", async () => {
  const load = await start([SITES.good]);
  const pids = tors();
  assert.equal(pids.length, 2);
  const parent = /^PPid:\s+(\d+)$/m.exec(readFileSync(`/proc/${pids[0] ?? ""}/status`, "utf8"))?.[1];
  process.kill(Number(parent), "SIGKILL");
  await gone(pids);
  await assert.rejects(load.stop(), LabError);
  const other = await start([SITES.good]);
  await other.kill();
  await gone(tors());
});
