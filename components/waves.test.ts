import assert from "node:assert/strict";
import { test } from "node:test";
import * as pulumi from "@pulumi/pulumi";
import fc from "fast-check";
import type { Installation } from "./installation";
import { releaseAfter } from "./waves";

const rollout = { canary: 1, waveSize: 2 };

/** By host, which releases its own waits for; a resource stands for itself by its name here. */
async function order(hosts: Readonly<Record<string, string>>, sizes = rollout): Promise<Record<string, string[]>> {
  const installations = new Map(
    Object.entries(hosts).map(([name, why]) => [name, { silent: pulumi.output(why) } as unknown as Installation]),
  );
  const waveBefore = releaseAfter(installations, sizes);
  const releases = new Map<string, pulumi.Resource>();
  const names = new Map<pulumi.Resource, string>();
  // As the pool does it: all are asked for before the first answer is there.
  const asked = Object.keys(hosts).map((host) => {
    const before = waveBefore(host, releases);
    const release = {} as unknown as pulumi.Resource;
    releases.set(host, release);
    names.set(release, host);
    return [host, before] as const;
  });
  const found: Record<string, string[]> = {};
  for (const [host, before] of asked) found[host] = (await before).map((release) => names.get(release) ?? "unknown");
  return found;
}

test("waves are of those that answer: a dead canary is replaced, and nobody waits for the dead", async () => {
  assert.deepEqual(await order({ w1: "", w2: "", w3: "", w4: "" }), {
    w1: [],
    w2: ["w1"],
    w3: ["w1"],
    w4: ["w2", "w3"],
  });
  assert.deepEqual(await order({ w1: "dead", w2: "", w3: "dead", w4: "" }), { w1: [], w2: [], w3: [], w4: ["w2"] });
  assert.deepEqual(await order({ w1: "dead", w2: "dead" }), { w1: [], w2: [] });
});

test("a release is there when another has to wait for it, in whichever order the machines were named", async () => {
  assert.deepEqual(await order({ w10: "", w2: "" }), { w10: ["w2"], w2: [] });
});

test("no wave begins before the one ahead of it has ended, whoever is dead", async () => {
  const hosts = fc.uniqueArray(fc.tuple(fc.integer({ min: 1, max: 30 }), fc.constantFrom("", "", "dead")), {
    selector: ([n]) => n,
    maxLength: 12,
  });
  await fc.assert(
    fc.asyncProperty(
      hosts,
      fc.integer({ min: 0, max: 3 }),
      fc.integer({ min: 1, max: 4 }),
      async (all, canary, waveSize) => {
        const machines = all.toSorted(([one], [other]) => one - other);
        const found = await order(Object.fromEntries(machines.map(([n, why]) => [`w${n}`, why])), { canary, waveSize });
        const answering = machines.filter(([, why]) => why === "").map(([n]) => `w${n}`);
        // Everybody that comes before, through whatever chain.
        const allBefore = (host: string): Set<string> =>
          new Set((found[host] ?? []).flatMap((one) => [one, ...allBefore(one)]));
        answering.forEach((host, at) => {
          const waveStart = at < canary ? 0 : canary + Math.floor((at - canary) / waveSize) * waveSize;
          assert.deepEqual([...allBefore(host)].sort(), answering.slice(0, waveStart).sort(), host);
        });
        for (const [n, why] of machines) if (why !== "") assert.deepEqual(found[`w${n}`], []);
      },
    ),
  );
});
