import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { test } from "node:test";
import { loadReport, type LoadRecord } from "../../lab/lab";
import { programText } from "../../lab/ownTor";
import { brokenIn, spreadOf, tellSpread } from "./beyondKit";
import { someOf } from "./beyondMeasures";
import { wrongIn, type Answer } from "./beyondWatch";

const backend = (worker: number, number: number) => ({
  name: `news-worker${worker}-${number}`,
  worker: `worker${worker}`,
  address: "x.onion",
});

const answer = (points: Readonly<Record<string, string>>, more: Partial<Answer> = {}): Answer => ({
  ...{ relay: "r1", fingerprint: "AA", asked: true, state: "ok", revision: 1, bytes: 20_000, plain: 10_000, points },
  ...more,
});

test("spread: who answered nothing counts, who is no backend does not, chance is one by the root of the mean", () => {
  const spread = spreadOf({ a: 6, b: 2, other: 9 }, ["a", "b", "c", "d"]);
  assert.deepEqual([spread.answers, spread.reached, spread.backends], [8, 2, 4]);
  assert.ok(Math.abs(spread.variation - Math.sqrt(6) / 2) < 1e-9);
  assert.ok(Math.abs(spread.chance - 1 / Math.sqrt(2)) < 1e-9);
  assert.equal(tellSpread(spread), "2 of 4 backends, variation 1.22 (chance 0.71) of 8 answers");
});

test("broken: an answer cut off with the backend that died is not, everything else that failed is", () => {
  const record: LoadRecord = {
    ...{ at: 1, seconds: 1, client: "c", site: "s", path: "/", status: 200, backend: "news-worker1-1", error: "early" },
    ...{ bytes: 5, tries: 1, firstError: "" },
  };
  const report = loadReport([
    record,
    { ...record, backend: "news-worker1-2" },
    { ...record, status: 0, backend: "" },
    { ...record, error: "" },
  ]);
  assert.deepEqual(
    brokenIn(report, [backend(1, 1)]).map((one) => one.backend),
    ["news-worker1-2", ""],
  );
});

test("some of the backends: the first of each worker, then the second", () => {
  const all = [1, 2, 3].flatMap((worker) => [1, 2, 10].map((number) => backend(worker, number)));
  assert.deepEqual(
    someOf(all, 5).map(({ name }) => name),
    ["news-worker1-1", "news-worker2-1", "news-worker3-1", "news-worker1-2", "news-worker2-2"],
  );
});

test("wrong in a round: too many points, two at one relay, too many bytes, a plaintext that is not padded", () => {
  const round = (...directories: Answer[]) => ({ at: 0, ended: 1, period: 1, directories });
  const points = Object.fromEntries(Array.from({ length: 20 }, (_, n) => [`k${n}`, `R${n}`]));
  assert.deepEqual(wrongIn(round(answer(points))), []);
  assert.deepEqual(wrongIn(round(answer({ ...points, k20: "R20" }))), ["r1: 21 introduction points"]);
  assert.deepEqual(wrongIn(round(answer({ a: "R", b: "R" }))), ["r1: two introduction points at R"]);
  assert.deepEqual(wrongIn(round(answer({}, { bytes: 50_001 }))), ["r1: 50001 bytes"]);
  assert.deepEqual(wrongIn(round(answer({}, { plain: 12_345 }))), ["r1: a plaintext of 12345 bytes"]);
  assert.deepEqual(wrongIn(round(answer({}, { state: "NOT_FOUND", plain: 1 }))), []);
});

test("what looks at all directories computes the ring: period, value, and directories that are passed over", () => {
  const program = `
import json, sys
here = {"__name__": "watch"}
exec(sys.stdin.read(), here)
consensus = here["Consensus"]("/nonexistent")
told = [consensus.whole(), consensus.at]
consensus.identities = {"F%02d" % n: bytes([n]) * 32 for n in range(12)}
consensus.random = {"current": b"c" * 32, "previous": b"p" * 32}
for consensus.at in (480 * 100 + 239, 480 * 100 + 240, 480 * 101 + 239):
    told.append([consensus.period(), consensus.value()[:1].decode()])
stored, asked = (here["responsible"](consensus, b"k" * 32, spread) for spread in (4, 3))
told.append([len(stored), len(set(stored)), len(asked), len(set(asked)), stored[:3] == asked[:3]])
print(json.dumps(told))
`;
  const input = programText(join(__dirname, "beyond_watch.py"));
  const ran = spawnSync("python3", ["-I", "-c", program], { input, encoding: "utf8" });
  assert.equal(ran.stderr, "");
  assert.deepEqual(JSON.parse(ran.stdout), [
    ...[false, 0],
    ...[
      [99, "p"],
      [100, "c"],
      [100, "p"],
    ],
    [8, 8, 6, 6, true],
  ]);
});
