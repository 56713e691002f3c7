import assert from "node:assert/strict";
import { test } from "node:test";
import { partsOf, type Profile } from "./startProfile";

const frame = (functionName: string, url = "") => ({ functionName, url });

test("each sample belongs to what it was for", () => {
  const sdk = "file:///p/node_modules/@pulumi/pulumi";
  const profile: Profile = {
    nodes: [
      { id: 1, callFrame: frame("(root)"), children: [2, 3, 4, 6, 8, 9, 11] },
      { id: 2, callFrame: frame("(idle)") },
      { id: 3, callFrame: frame("(garbage collector)") },
      { id: 4, callFrame: frame("wrapModuleLoad", "node:internal/modules/cjs/loader"), children: [5] },
      { id: 5, callFrame: frame("transpileModule", "/p/node_modules/typescript/lib/typescript.js") },
      { id: 6, callFrame: frame("analyze", `${sdk}/runtime/closure/createClosure.js`), children: [7] },
      { id: 7, callFrame: frame("post", "node:inspector") },
      { id: 8, callFrame: frame("Workers", "/p/components/workers.ts"), children: [10] },
      { id: 9, callFrame: frame("wrapSafe", "node:internal/modules/cjs/loader") },
      { id: 10, callFrame: frame("prepareStackTrace", "/p/node_modules/source-map-support/source-map-support.js") },
      { id: 11, callFrame: frame("wrapModuleLoad", "node:internal/modules/cjs/loader"), children: [12] },
      { id: 12, callFrame: frame("", `${sdk}/runtime/closure/codePaths.js`) },
    ],
    samples: [2, 3, 4, 5, 6, 7, 8, 9, 10, 12],
    timeDeltas: [1e6, 2e6, 3e6, 4e6, 5e6, 6e6, 7e6, 8e6, 9e6, 1e6],
  };
  assert.deepEqual(partsOf(profile), {
    load: 3 + 8 + 1,
    transpile: 4,
    serialize: 5 + 6,
    "stack traces": 9,
    garbage: 2,
    other: 7,
    idle: 1,
  });
});
