import assert from "node:assert/strict";
import { test } from "node:test";
import { daemonName } from "./names";
import { balancerDaemon, torMetrics } from "./metrics";

test("each daemon has a place of its own on loopback, the same every time", () => {
  const daemons = ["news", "shop", "blog"].flatMap((project) =>
    Array.from({ length: 10 }, (_, n) =>
      Array.from({ length: 50 }, (_, g) => daemonName(project, n + 1, g.toString(16).padStart(4, "0"))),
    ).flat(),
  );
  const places = [...daemons, balancerDaemon].map(torMetrics);
  assert.equal(new Set(places).size, 1501);
  assert.deepEqual([...daemons, balancerDaemon].map(torMetrics), places);
  for (const place of places) {
    const [, second, last, port] = /^127\.(\d+)\.\d+\.(\d+):(\d+)$/.exec(place) ?? assert.fail(place);
    assert.ok(Number(second) >= 128 && Number(second) < 256 && Number(last) < 255, place);
    assert.ok(Number(port) >= 21_000 && Number(port) < 22_024, place);
  }
});
