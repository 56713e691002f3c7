import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { test } from "node:test";
import { programText } from "../lab/ownTor";
import {
  bearings,
  costs,
  costTable,
  daemonsFor,
  daemonsTable,
  loadCsv,
  rates,
  requestsIn,
  speedTable,
  threadLines,
  type Point,
} from "./loadFigures";
import {
  parseCores,
  parseStat,
  PARTS,
  partOf,
  usedBetween,
  type Part,
  type Process,
  type Sample,
} from "./loadProcesses";

test("a process's name may have blanks and brackets", () => {
  const text = "42 (a (b) c) S 7 1 1 0 -1 4194560 1 2 3 4 150 50 9 9 20 0 3 0 100 1 1";
  assert.deepEqual(parseStat(text), { name: "a (b) c", parent: 7, cpu: 2 });
});

test("a core works when it is neither idle, nor waiting, nor another machine's", () => {
  const text = "cpu  9 9 9 9 9 9 9 9\ncpu0 100 0 200 5000 700 0 100 30 0 0\ncpu1 0 100 0 1 1 100 0 0 0 0\nintr 1\n";
  const { cores, stolen } = parseCores(text);
  assert.deepEqual([cores.map((core) => core.toFixed(2)), stolen.toFixed(2)], [["4.00", "2.00"], "0.30"]);
});

const process = (parent: number, name: string, cpu: number, command = name): Process => ({
  ...{ parent, name, command, cpu, loop: cpu / 2 },
});
const clients = "python3 -c load_clients.py SETTINGS, JSON";
const network = "tor -f /var/lib/lab-tor/r1/torrc";
const at = (time: number, used: number): Sample => ({
  at: time,
  processes: new Map([
    [10, process(1, "systemd", 0)],
    [11, process(10, "tor", used)],
    [12, process(10, "tor", 3 * used)],
    [13, process(10, "nginx", used)],
    [14, process(13, "nginx", used)],
    [20, process(1, "python3", 0)],
    [21, process(20, "tor", 2 * used, network)],
    [30, process(1, "python3", used, clients)],
    [31, process(30, "tor", used, "tor -f /tmp/bench-load-x/0/torrc")],
    [40, process(1, "node", 100 * used)],
  ]),
  ...{ cores: [8 * used, 4 * used], stolen: 0 },
});
const roots = new Map([
  [10, "worker1"],
  [20, "tor"],
]);

test("each process is one part's, by its container and what it is", () => {
  const used = usedBetween(at(100, 1), at(110, 2), roots);
  const { "worker tor": tor, "worker nginx": nginx, relays } = used.parts;
  assert.deepEqual([used.seconds, tor, nginx, relays], [10, 4, 2, 2]);
  assert.deepEqual([used.parts["client tors"], used.parts["client program"]], [1, 1]);
  assert.deepEqual(used.busiest["worker tor"], { process: 0.3, loop: 0.15 });
  assert.deepEqual(used.cores, [0.8, 0.4]);
  assert.equal(used.others, 100, "what no part has: a process of another lab's as the kernel's own");
  const ended = { ...at(110, 2), cores: [200, 40] };
  assert.equal(usedBetween(at(100, 1), ended, roots).others, 218, "who has ended is in the cores' time alone");
});

test("what runs where is what", () => {
  const part = (container: string, name: string, command = name) => partOf(container, { name, command });
  assert.equal(part("balancer1", "python3"), "balancer");
  assert.equal(part("origin", "nginx"), "origin");
  assert.equal(part("worker2", "sshd"), "rest of the lab");
  assert.equal(part("tor", "tor", "tor -f /var/lib/lab-tor/a0/torrc"), "relays");
  assert.equal(part("tor", "tor", "tor -f /var/lib/lab-tor/client/torrc"), "rest of the lab");
});

test("the clients' program says the words that it is known by, and can be read", () => {
  const text = programText(join(__dirname, "load_clients.py"), "visits");
  assert.match(text, /load_clients\.py SETTINGS/);
  const ran = spawnSync("python3", ["-c", "import ast, sys; ast.parse(sys.stdin.read())"], { input: text });
  assert.equal(ran.status, 0, String(ran.stderr));
});

test("only requests that were done within the interval count, and times are those of good ones", () => {
  const one = (time: number, seconds: number, error = "") => ({ at: time, seconds, bytes: error ? 0 : 10, error });
  const requests = [one(9, 1), one(10, 0.2), one(12, 0.4), one(13, 30, "SOCKS 0x04"), one(20, 1)];
  assert.deepEqual(requestsIn(requests, 10, 20), { requests: 2, failed: 1, bytes: 20, p50: 0.2, p95: 0.4 });
});

const parts = (some: Partial<Record<Part, number>>, rest = 0) =>
  Object.fromEntries(PARTS.map((part) => [part, some[part] ?? rest])) as Record<Part, number>;
const busiest = Object.fromEntries(
  PARTS.map((part) => [part, { process: 0.5, loop: 0.4 }]),
) as Point["used"]["busiest"];
const point = (more: Partial<Point>, cpu: Partial<Record<Part, number>> = {}): Point => ({
  ...{ round: 1, workers: 1, daemons: 2, kind: "page", requests: 400, failed: 0, bytes: 8e6, p50: 0.1, p95: 0.2 },
  used: { seconds: 8, parts: parts(cpu), busiest, cores: [1, 0.9], others: 0.8, stolen: 0 },
  load: 1,
  ...more,
});
const points = [
  point({ kind: "idle", requests: 0, workers: 1, daemons: 0 }, { "worker tor": 0.4 }),
  point({}, { "worker tor": 1, "worker nginx": 0.2 }),
  point({ round: 2, requests: 800 }, { "worker tor": 1.6, "worker nginx": 0.4 }),
  point({ kind: "visit", requests: 0, p50: 0, p95: 0 }, { "worker tor": 1 }),
];

test("a cost is what a part takes for 1000 requests, less what it takes anyway in that round", () => {
  assert.deepEqual(
    costs(points, "page", "worker tor").map((cost) => cost.toFixed(3)),
    ["1.500", "2.000"],
  );
  assert.deepEqual(costs(points, "visit", "worker tor"), [], "nothing of no requests");
  assert.deepEqual(costs(points, "big", "worker tor"), []);
  assert.match(costTable(points), /\| worker tor +\| - +\| 1\.75 \(1\.50 - 2\.00\) \|/);
});

test("a tor's first thread, as a part of all that it takes", () => {
  assert.equal(threadLines(points)[0], "busiest of worker tor: 80 % of its CPU (at least 80 %) in its first thread");
  assert.deepEqual(threadLines([]), []);
});

test("so many tors that their share of a worker's cores is theirs", () => {
  const bearing = { kind: "page", tor: 3, nginx: 1 } as const;
  assert.deepEqual(
    [1, 2, 4, 8, 16].map((cores) => daemonsFor(cores, bearing)),
    [1, 2, 3, 6, 12],
  );
  assert.deepEqual(rates(bearing), { tor: 1000 / 3, nginx: 1000, core: 250 });
  assert.deepEqual(bearings(points), [{ kind: "page", tor: 1.75, nginx: 0.5 }]);
  assert.match(daemonsTable(points), /\| page +\| 571 +\| 2000 +\| 1 \(444\/s\) +\| 2 \(889\/s\)/);
});

test("the table of speeds has a line for each kind and shape that was measured, the file one for each interval", () => {
  const lines = speedTable(points).split("\n");
  assert.equal(lines.length, 4);
  assert.match(
    lines[3] ?? "",
    /^\| page +\| 1 +\| 2 +\| 75\.0 \(50\.0 - 100\.0\) \| 1\.00 +\| 0\.10 \/ 0\.20 +\| 0 of 1200 +\| 20 % +\| 10 % +\| 100 %, 90 % +\| 40 % /,
  );
  const csv = loadCsv(points).split("\n");
  assert.deepEqual([csv.length, csv[0]?.split(",").length], [points.length + 2, csv[1]?.split(",").length]);
  assert.match(csv[0] ?? "", /^round,workers,daemons,kind,requests,failed,bytes,p50,p95,load,seconds,worker tor cpu,/);
});
