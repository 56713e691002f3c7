import assert from "node:assert/strict";
import { test } from "node:test";
import { resolveProject } from "../config/schema";
import { torSettings } from "../plan/torSettings";
import { render } from "../templates";
import { readSources } from "../templates/sources";
import { methodsOf } from "../tests/closure";
import { renderedConfigProvider } from "./renderedConfigProvider";

const unknown = "04da6b54-80e4-46f7-96ec-b56ff0331ba9";
const torDefaults = torSettings(resolveProject({}));
const model = { daemon: "news-1", project: "news", index: 1, torIntrosPerDaemon: 3, ...torDefaults, network: [] };
const template = "backend-torrc";
const provider = methodsOf(renderedConfigProvider);
const sources = readSources(template);
const json = (value: unknown) => JSON.stringify(value);

test("check renders and returns the text and nothing else", async () => {
  const { inputs, failures } = await provider.check({}, { template, model: json(model) });
  assert.equal(failures, undefined);
  assert.deepEqual(inputs, { template, text: render(template, sources, model) });
  const { id, outs } = await provider.create(inputs);
  assert.deepEqual([id, outs], [template, inputs]);
});

test("only another text is a change, and it is an update in place", async () => {
  const { inputs: old } = await provider.check({}, { template, model: json(model) });
  const { inputs: same } = await provider.check(old, { template, model: json({ ...model }) });
  assert.deepEqual(await provider.diff("id", { ...old, __provider: "other code" }, same), { changes: false });
  const { inputs: changed } = await provider.check(old, {
    template,
    model: json({ ...model, torIntrosPerDaemon: 4 }),
  });
  assert.deepEqual(await provider.diff("id", old, changed), { changes: true });
  assert.deepEqual(await provider.update("id", old, changed), { outs: changed });
});

test("a model that is not known yet leaves the text unknown", async () => {
  const { inputs } = await provider.check({}, { template: "onionbalance", model: unknown });
  assert.deepEqual(inputs, { template: "onionbalance", text: unknown });
});

test("a value that cannot be written is a failure that names file, property and value", async () => {
  const wanted = { template: "ob-config", model: json({ frontends: ["a\nb"] }) };
  const { failures } = await provider.check({}, wanted);
  assert.deepEqual(failures, [
    { property: "", reason: 'ob_config: frontends[0] = "a\\nb": it is not a v3 onion address' },
  ]);
});
