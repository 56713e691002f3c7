import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import {
  BIG_PAGE,
  containerName,
  execOn,
  hostUp,
  labDown,
  labNamed,
  labUp,
  podman,
  readNetwork,
  startLoad,
} from "./lab";
import { stopwatch } from "./progress";

/** Real tors on both sides: a load on one onion service whose web server goes and comes back. */
const lab = labNamed("loadtest");
let onion = "";

const SERVE = `
import http.server, os, socketserver
class Pages(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    def address_string(self): return "tor"
    def log_request(self, *_): pass
    def do_GET(self):
        body = b"x" * (${BIG_PAGE.bytes} if self.path == "${BIG_PAGE.path}" else 100)
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("X-Softmap-Backend", "one")
        self.end_headers()
        self.wfile.write(body)
class Server(socketserver.ThreadingUnixStreamServer):
    daemon_threads = True
if os.path.exists("/run/onion.sock"): os.unlink("/run/onion.sock")
Server("/run/onion.sock", Pages).serve_forever()
`;

/** A command on the onion service's host that must succeed; its output. */
const onHost = async (argv: readonly string[], input = "") =>
  (await execOn(lab, "one", argv, { input, mayFail: false })).text.trim();
const serve = () => onHost(["systemd-run", "-q", "--unit", "pages", "python3", "/run/serve.py"]);

/** Folders of load.py in the Tor container, and the tors that run in them. */
async function left(): Promise<string> {
  const script =
    'ls -d /tmp/lab-load-* 2>/dev/null; for p in /proc/[0-9]*; do tr "\\0" " " < $p/cmdline 2>/dev/null | grep -o "^tor .*lab-load-[^ ]*"; done; true';
  return (await podman(["exec", containerName(lab, "tor"), "sh", "-c", script])).text;
}

before(async () => {
  await labDown(lab);
  await labUp(lab, stopwatch());
  await hostUp(lab, "one");
  const torrc = [
    ...readNetwork(lab).torrc,
    ...["SocksPort 0", "DataDirectory /var/lib/tor/t", "RunAsDaemon 1"],
    ...["HiddenServiceDir /var/lib/tor/t/hs", "HiddenServicePort 80 unix:/run/onion.sock"],
  ];
  await onHost(["sh", "-c", "cat > /run/serve.py"], SERVE);
  await onHost(["sh", "-c", "cat > /run/torrc"], torrc.join("\n") + "\n");
  await serve();
  await onHost(["install", "-d", "-m", "700", "-o", "root", "/var/lib/tor/t"]);
  await onHost(["tor", "--defaults-torrc", "/nonexistent", "-f", "/run/torrc", "--hush"]);
  onion = await onHost(["cat", "/var/lib/tor/t/hs/hostname"]);
});

after(() => labDown(lab));

test("requests succeed while the service serves, fail while it does not, and succeed again: nothing is left in the end", async () => {
  const load = await startLoad(lab, { sites: [onion] });
  try {
    await load.until(60, load.mark());
    await load.settle();
    const quiet = load.since(0);
    assert.equal(quiet.failures, 0, JSON.stringify(quiet.failed));
    assert.deepEqual(quiet.backends, { one: quiet.requests });
    const both = new Set(load.requests.map((one) => `${one.client} ${one.path}`));
    assert.deepEqual([...both].sort(), ["fresh /", `fresh ${BIG_PAGE.path}`, "steady /", `steady ${BIG_PAGE.path}`]);

    const broken = load.mark();
    await onHost(["systemctl", "stop", "pages"]);
    await load.until(12, broken);
    await serve();
    await load.settle();
    const back = load.mark();
    await load.until(20, back);
    const gap = load.since(broken);
    assert.ok(gap.failures >= 6 && gap.longestGap > 1, JSON.stringify(gap));
    assert.equal(load.since(back).failures, 0, JSON.stringify(load.since(back).failed));
    const all = await load.stop();
    assert.equal(all.failures, gap.failures);
  } finally {
    await load.kill();
  }
  assert.equal(await left(), "");
});

/** Waits until what is left of loads looks like that. */
async function leftSoon(expected: RegExp): Promise<void> {
  const deadline = Date.now() + 15_000;
  for (let found = await left(); !expected.test(found); found = await left()) assert.ok(Date.now() < deadline, found);
}

test("a load whose podman is killed leaves no tor and no folder", async () => {
  const load = await startLoad(lab, { sites: [onion] });
  assert.match(await left(), /^\/tmp\/lab-load-\w+\ntor .*steady.*\ntor .*fresh/);
  process.kill(load.pid ?? assert.fail("it does not run"), "SIGKILL");
  await leftSoon(/^$/);
  await assert.rejects(load.until(1, load.mark()), /It ended/);
  await load.kill();
});

test("no tor outlives a load.py that is killed", async () => {
  const load = await startLoad(lab, { sites: [onion] });
  const kill = `import os, re, signal
for pid in filter(str.isdigit, os.listdir("/proc")):
    try: words = open(f"/proc/{pid}/cmdline").read().split("\\0")
    except OSError: continue
    if words[0] == "python3" and "newIdentityEvery" in words[3]: os.kill(int(pid), signal.SIGKILL)`;
  await podman(["exec", containerName(lab, "tor"), "python3", "-c", kill]);
  await leftSoon(/^\/tmp\/lab-load-\w+$/); // nobody was there to remove the folder
  await assert.rejects(load.stop(), /It ended: exit code 137/);
});
