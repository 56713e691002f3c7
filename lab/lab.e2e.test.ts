import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { after, before, test } from "node:test";
import {
  blockMirror,
  connectionsOf,
  execOn,
  fetchThroughTor,
  heal,
  hostDown,
  hostShow,
  hostUp,
  labDown,
  labNamed,
  labUp,
  lockCounters,
  partition,
  podman,
  readNetwork,
  reboot,
  sshConnections,
  stopwatch,
  unblockMirror,
} from "./lab";
import { run, runAsRoot } from "./run";

/** The lab itself, on a lab of its own and a second one beside it. Needs podman (installed when missing) and some 700 MiB of memory. */
const lab = labNamed("labtest");
const beside = labNamed("labtesttwo");

/** Everything on this machine that has the name of a test lab. */
async function traces(): Promise<string[]> {
  const lists = await Promise.all([
    podman(["ps", "-a", "--format", "{{.Names}}"]),
    podman(["network", "ls", "-q"]),
    runAsRoot(["nft", "list", "tables"]),
  ]);
  return lists
    .flatMap((ran) => ran.text.split("\n"))
    .filter((line) => /softmap[-_]labtest/.test(line))
    .sort();
}

const ssh = async (address: string, hostKey: string, command: string) => {
  const script =
    'k=$(mktemp); printf "%s %s\\n" "$1" "$2" > "$k"; ssh -F none -i "$3" -o BatchMode=yes -o StrictHostKeyChecking=yes -o UserKnownHostsFile="$k" operator@"$1" "$4"; c=$?; rm -f "$k"; exit $c';
  return run(["sh", "-c", script, "sh", address, hostKey, readNetwork(lab).privateKeyFile, command], { mayFail: true });
};

before(async () => {
  await labDown(lab);
  await labDown(beside);
  await labUp(lab, stopwatch());
});

after(async () => {
  await labDown(beside);
  await labDown(lab);
});

test("a second up finds everything there and changes nothing", async () => {
  const list = async () =>
    (
      await podman([
        "ps",
        "-a",
        "--no-trunc",
        "--filter",
        `label=${lab.label}`,
        "--format",
        "{{.ID}} {{.Names}} {{.CreatedAt}}",
      ])
    ).text;
  const [network, containers] = [readNetwork(lab), await list()];
  assert.deepEqual(await labUp(lab), network);
  assert.equal(await list(), containers);
});

test("hosts boot side by side, with the ssh host keys that the lab made, and without a connection", async () => {
  const [one, two] = await Promise.all([hostUp(lab, "one"), hostUp(lab, "two")]);
  assert.notEqual(one.address, two.address);
  assert.deepEqual(await connectionsOf(lab), { one: 0, two: 0 });
  const wrong = await ssh(one.address, two.hostKey, "true");
  assert.match(wrong.stderr, /Host key verification failed|HOST IDENTIFICATION HAS CHANGED/);
  const login = await ssh(one.address, one.hostKey, "sudo -n id -u; hostname");
  assert.equal(login.text, "0\none");
  assert.equal(await sshConnections(lab, "one"), 1, "the one that logged in");
  assert.deepEqual(await hostUp(lab, "one"), one);
  assert.deepEqual(await hostShow(lab, "one"), one);
  assert.equal(await hostShow(lab, "nobody"), undefined);
});

test("a host that is made anew keeps its address and its key", async () => {
  const { instance, ...before } = (await hostShow(lab, "two")) ?? assert.fail("two is not there");
  assert.equal(await hostDown(lab, "two"), true);
  assert.equal(await hostShow(lab, "two"), undefined);
  const { instance: another, ...after } = await hostUp(lab, "two");
  assert.deepEqual(after, before);
  assert.notEqual(another, instance, "who deployed to the old one can tell that this is another");
  assert.equal(await hostDown(lab, "two"), true);
});

test("nothing gets out: not by address, not by name, not to this machine; every try is counted", async () => {
  const connect = (where: string) => execOn(lab, "one", ["curl", "-sS", "--max-time", "5", where]);
  const before = (await lockCounters(lab)) ?? assert.fail("no lock");
  const gateway = readNetwork(lab).origin.address.replace(/\.2$/, ".1");
  assert.equal((await connect("http://198.51.100.7/")).code, 7);
  assert.equal((await connect("http://example.org/")).code, 6);
  assert.equal((await connect(`http://${gateway}:22/`)).code, 7);
  // a source address of its own choice does not help, and gets no answer that would leave this machine
  await execOn(lab, "one", ["ip", "address", "add", "203.0.113.99/32", "dev", "lo"]);
  assert.equal(
    (
      await execOn(lab, "one", [
        "curl",
        "-sS",
        "--max-time",
        "5",
        "--interface",
        "203.0.113.99",
        "http://198.51.100.7/",
      ])
    ).code,
    28,
  );
  const after = (await lockCounters(lab)) ?? assert.fail("no lock");
  assert.ok(after.refused >= before.refused + 2 && after.machine > before.machine, JSON.stringify({ before, after }));
});

test("the package mirror can be reached, and can be down", async () => {
  const update = () => execOn(lab, "one", ["apt-get", "update", "-q", "-o", "APT::Update::Error-Mode=any"]);
  assert.equal((await update()).code, 0);
  await blockMirror(lab);
  assert.notEqual((await update()).code, 0);
  await unblockMirror(lab);
  assert.equal((await update()).code, 0);
});

test("the origin has certificates that a host trusts, echoes requests, and one site that nobody should trust", async () => {
  const get = (url: string) => execOn(lab, "one", ["curl", "-sS", "-i", url]);
  assert.match((await get("https://cdn.court.test/")).text, /origin of cdn\.court\.test/);
  assert.match((await get("https://www.daily.test/redirect")).text, /^Location: https:\/\/www\.daily\.test\/landing/m);
  assert.match((await get("https://tips.test/cookie")).text, /^Set-Cookie: session=lab; Domain=tips\.test/m);
  assert.match((await get("https://tips.test/none")).text, /^HTTP\/1\.1 404/);
  const echo = await execOn(lab, "one", ["curl", "-sS", "-H", 'X-Odd: "\\é', "https://tips.test/headers?a=1"]);
  const said = JSON.parse(echo.text) as { uri: string; headers: Record<string, string[]> };
  assert.equal(said.uri, "/headers?a=1");
  assert.equal(said.headers["x-odd"]?.length, 1);
  assert.equal((await get("https://untrusted.test/")).code, 60);
});

test("an onion service on a host is fetched through the lab's Tor client", async () => {
  const torrc = [
    ...readNetwork(lab).torrc,
    "SocksPort 0",
    "DataDirectory /var/lib/tor/t",
    "HiddenServiceDir /var/lib/tor/t/hs",
    "HiddenServicePort 80 unix:/run/onion.sock",
    "RunAsDaemon 1",
  ].join("\n");
  const serve =
    "import http.server, os, socketserver\nclass H(http.server.BaseHTTPRequestHandler):\n  def address_string(self): return 'tor'\n  def do_GET(self): self.send_response(200); self.end_headers(); self.wfile.write(b'hello from one')\nsocketserver.UnixStreamServer('/run/onion.sock', H).serve_forever()\n";
  await execOn(lab, "one", ["sh", "-c", "cat > /run/serve.py"], { input: serve, mayFail: false });
  await execOn(lab, "one", ["sh", "-c", "cat > /run/torrc"], { input: torrc + "\n", mayFail: false });
  await execOn(lab, "one", ["systemd-run", "-q", "python3", "/run/serve.py"], { mayFail: false });
  await execOn(
    lab,
    "one",
    [
      "sh",
      "-c",
      "mkdir -p -m 700 /var/lib/tor/t; chown root: /var/lib/tor/t; tor --defaults-torrc /nonexistent -f /run/torrc --hush",
    ],
    { mayFail: false },
  );
  const onion = (await execOn(lab, "one", ["cat", "/var/lib/tor/t/hs/hostname"])).text.trim();
  const deadline = Date.now() + 120_000;
  for (;;) {
    const got = await fetchThroughTor(lab, `http://${onion}/`, { timeout: 20 });
    if (got.status === 200) {
      assert.equal(got.body, "hello from one");
      break;
    }
    assert.ok(Date.now() < deadline, got.error);
  }
});

test("a host that is cut off comes back, and one that reboots keeps its journal", async () => {
  const one = (await hostShow(lab, "one")) ?? assert.fail("no host");
  const connect = `exec 3<>/dev/tcp/${one.address}/22`;
  const reach = async () => (await run(["timeout", "2", "bash", "-c", connect], { mayFail: true })).code === 0;
  await partition(lab, "one");
  assert.equal(await reach(), false);
  await heal(lab, "one");
  assert.equal(await reach(), true);
  const count = await sshConnections(lab, "one");
  await reboot(lab, "one");
  assert.ok((await sshConnections(lab, "one")) >= count);
  assert.equal((await ssh(one.address, one.hostKey, "hostname")).text, "one");
});

test("a lab beside has its own network and lock; taking it down touches nothing of the first", async () => {
  await labUp(beside);
  assert.notEqual(readNetwork(beside).origin.address, readNetwork(lab).origin.address);
  const other = readNetwork(beside).origin.address;
  // refused by this lab's lock or dropped by the other's, whichever the kernel asks first
  const tried = await execOn(lab, "one", ["curl", "-sS", "-k", "--max-time", "5", `https://${other}/`]);
  assert.ok([7, 28].includes(tried.code), tried.stderr);
  const mine = (await traces()).filter((line) => !line.includes("labtesttwo"));
  await labDown(beside);
  assert.deepEqual(await traces(), mine);
});

test("without the lock nothing boots, and up loads it again", async () => {
  await runAsRoot(["nft", "delete", "table", "inet", lab.table]);
  await assert.rejects(hostUp(lab, "three"), /egress lock .* is not in force/);
  assert.equal(await hostShow(lab, "three"), undefined);
  await labUp(lab);
  assert.ok(await lockCounters(lab));
});

test("down leaves nothing", async () => {
  await labDown(lab);
  assert.deepEqual(await traces(), []);
  assert.equal(existsSync(lab.dir), false);
  assert.equal(existsSync(lab.seeds), false);
});
