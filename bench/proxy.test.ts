import assert from "node:assert/strict";
import { test } from "node:test";
import { benchOptions } from "./options";
import { besideConfig, besides } from "./proxyConfigs";
import { csv, goalLine, proxyTable, wrkFigures, type Point } from "./proxyFigures";
import { memoryOf, memoryTable } from "./proxyMemory";
import { page } from "./proxyPages";

const point = (round: number, contestant: string, [perSecond, latency]: readonly [number, number]): Point => ({
  ...{ round, page: "100k", contestant, connections: 8, perSecond, latency, load: 1.234 },
});
const points = [
  point(1, "plain", [100, 50]),
  point(2, "plain", [300, 70]),
  point(1, "ours", [90, 80]),
  point(2, "ours", [110, 90]),
];

test("options", () => {
  const command = { command: "bench:proxy", file: "--csv" } as const;
  assert.deepEqual(benchOptions(command, ["--csv", "a", "--rounds", "2"]), { rounds: 2, file: "a" });
  assert.throws(() => benchOptions(command, ["--json", "a"]), /^Error: usage: npm run bench:proxy .*--csv FILE/);
});

test("wrk's figures, in every unit; errors are no figures", () => {
  const text = (at: string) => `  Latency Distribution\n     50%  ${at}\n     75%  9.00ms\nRequests/sec:   1234.50\n`;
  assert.deepEqual(wrkFigures(text("95.00us")), { perSecond: 1234.5, latency: 95 });
  assert.equal(wrkFigures(text("2.00ms")).latency, 2000);
  assert.equal(wrkFigures(text("2.00s")).latency, 2_000_000);
  assert.throws(() => wrkFigures(`${text("1.00ms")}  Non-2xx or 3xx responses: 4\n`), /met errors/);
  assert.throws(() => wrkFigures(""), /no figures/);
});

test("the table shows medians, spread and the distance from the base", () => {
  const [, , plain, ours] = proxyTable(points, "plain").split("\n");
  assert.equal(plain, "| 100k | plain | 200 (100 - 300) | 60 (50 - 70) | 0 |");
  assert.equal(ours, "| 100k | ours | 100 (90 - 110) | 85 (80 - 90) | 25 |");
});

test("a goal is met by more than so many times", () => {
  assert.match(goalLine(points, { page: "100k", who: "ours", than: "plain", times: 0.4 }), /^met: .*0\.50 times/);
  assert.match(goalLine(points, { page: "100k", who: "ours", than: "plain", times: 0.5 }), /^MISSED/);
  assert.match(goalLine(points, { page: "100k", who: "ours", than: "other", times: 0.5 }), /^not measured/);
});

test("raw data", () => assert.equal(csv(points).split("\n")[1], '1,100k,"plain",8,100,50,1.23'));

test("each name has its own port and the rules of its sites", () => {
  const all = besides([
    ["a.example", "x.onion"],
    ["b.example", "y.onion"],
  ]);
  assert.deepEqual(
    all.map(({ name, port, rules }) => [name, port, rules.length]),
    [
      ["plain, keepalive", 8100, 0],
      ["plain, variable", 8101, 0],
      ["subs_filter fixed, 1", 8102, 1],
      ["subs_filter regex, 1", 8103, 2],
      ["subs_filter regex, variable, 1", 8104, 2],
      ["subs_filter fixed, 2", 8105, 2],
      ["subs_filter regex, 2", 8106, 4],
      ["subs_filter regex, variable, 2", 8107, 4],
    ],
  );
  const [, first = "", second = ""] = besideConfig(all).split(/listen 127.0.0.1:810[37];/);
  assert.match(first, /^\nsubs_filter "\(\?<!\[-_0-9a-zA-Z\]\)a\\\\\.example\\\\b" "x\.onion" gir;\n/);
  assert.match(second, /https:\/\/\$name\$request_uri/);
});

test("a page is of its size, the same every time, and has links to all", () => {
  const domains = Array.from({ length: 20 }, (_, n) => `site${n}.example`);
  const text = page("100k", domains);
  assert.equal(text.length, 100_000);
  assert.equal(text, page("100k", domains));
  for (const domain of domains) assert.ok(text.includes(`https://${domain}/`), domain);
  const links = (html: string): number => html.split("<a ").length - 1;
  assert.ok(links(text) > 4 * links(page("100k-few", domains)));
});

test("memory: the first look, the highest, the last; failed downloads are no figures", () => {
  const looks = (rss: number[]): string => rss.map((kb) => `look ${kb} 12\n`).join("");
  const wrk = "  0 requests in 1.00m, 11.50GB read\n";
  const memory = memoryOf("lines", `${looks([1024, 3072, 2048])}${wrk}${looks([2048])}`);
  assert.deepEqual(memory, { what: "lines", before: 1024, highest: 3072, after: 2048, open: 12, got: "11.50GB" });
  assert.match(memoryTable([memory]), /\n\| lines \| 1\.0 \| 3\.0 \| 2\.0 \| 12 \| 11\.50GB \|$/);
  assert.throws(() => memoryOf("lines", wrk), /no figures/);
  assert.throws(() => memoryOf("lines", `${looks([1, 2, 3, 4])}${wrk}  Socket errors: read 3\n`), /downloads failed/);
});
