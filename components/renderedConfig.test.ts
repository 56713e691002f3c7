import assert from "node:assert/strict";
import { test } from "node:test";
import { resolveProject } from "../config/schema";
import { torSettings } from "../plan/torSettings";
import { render, type TemplateName } from "../templates";
import { readSources } from "../templates/sources";
import { throughTheState } from "../tests/closure";
import { renderedConfigProviders } from "./renderedConfigProvider";

const unknown = "04da6b54-80e4-46f7-96ec-b56ff0331ba9";
const torDefaults = torSettings(resolveProject({}));
const model = { daemon: "news-1", project: "news", index: 1, torIntrosPerDaemon: 3, ...torDefaults, network: [] };
const template = "backend-torrc";
const sources = readSources(template);

test("check renders and returns the text and nothing else", async () => {
  const { provider } = await throughTheState(renderedConfigProviders[template]);
  const { inputs, failures } = await provider.check({}, { template, model, sources });
  assert.equal(failures, undefined);
  assert.deepEqual(inputs, { template, text: render(template, sources, model) });
  const { id, outs } = await provider.create(inputs);
  assert.deepEqual([id, outs], [template, inputs]);
});

test("only another text is a change, and it is an update in place", async () => {
  const { provider } = await throughTheState(renderedConfigProviders[template]);
  const { inputs: old } = await provider.check({}, { template, model, sources });
  const { inputs: same } = await provider.check(old, { template, model: { ...model }, sources });
  assert.deepEqual(await provider.diff("id", { ...old, __provider: "other code" }, same), { changes: false });
  const { inputs: changed } = await provider.check(old, {
    template,
    model: { ...model, torIntrosPerDaemon: 4 },
    sources,
  });
  assert.deepEqual(await provider.diff("id", old, changed), { changes: true });
  assert.deepEqual(await provider.update("id", old, changed), { outs: changed });
});

test("a model that is not known yet leaves the text unknown, at any depth", async () => {
  const { provider } = await throughTheState(renderedConfigProviders.onionbalance);
  const services = [{ address: unknown, domain: "www.example.org", backends: [] }];
  const { inputs } = await provider.check(
    {},
    { template: "onionbalance", model: { services }, sources: readSources("onionbalance") },
  );
  assert.deepEqual(inputs, { template: "onionbalance", text: unknown });
});

test("a value that cannot be written is a failure that names file, property and value", async () => {
  const { provider } = await throughTheState(renderedConfigProviders["ob-config"]);
  const wanted = { template: "ob-config", model: { frontends: ["a\nb"] }, sources: readSources("ob-config") };
  const { failures } = await provider.check({}, wanted);
  assert.deepEqual(failures, [
    { property: "", reason: 'ob_config: frontends[0] = "a\\nb": it is not a v3 onion address' },
  ]);
});

test("every closure is small, carries its own template alone and needs only ejs, and crypto for a hash", async () => {
  for (const [name, provider] of Object.entries(renderedConfigProviders) as [TemplateName, object][]) {
    const { text } = await throughTheState(provider as never);
    assert.ok(text.length < 24_000, `${name}: ${text.length} bytes`);
    const needs = [...text.matchAll(/require\("([^"]+)"\)/g)].map(([, module]) => module ?? "");
    const hashes = name === "nginx" || name === "nginx-site" ? ["crypto"] : [];
    assert.deepEqual([...new Set(needs)].sort(), [...hashes, "ejs"], name);
  }
});
