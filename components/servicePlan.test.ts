import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { methodsOf } from "../tests/closure";
import { servicePlanProvider, type ServiceFiles, type Services } from "./servicePlanProvider";

const unknown = "04da6b54-80e4-46f7-96ec-b56ff0331ba9";
const provider = methodsOf<{ services: unknown; actions: Record<string, string> | string }>(servicePlanProvider);
const nginx = "softmap-nginx@news.service";
const tor = "softmap-tor@news-1-3f9a.service";
const files = (reload: object, restart: object = {}) => ({ reload, restart }) as ServiceFiles;

/** As they travel: what is not known at all is no JSON. */
const json = (services: unknown) => (services === unknown ? unknown : JSON.stringify(services));

async function actions(old: Services | undefined, services: unknown): Promise<Record<string, string> | string> {
  const olds = old === undefined ? {} : { services: json(old), actions: {} };
  return (await provider.check(olds, { services: json(services) })).inputs.actions;
}

test("machines that run the same have one plan: who comes and who goes is said by machine, who stays is not", async () => {
  const services = json({ [nginx]: files({ conf: "1" }) });
  const check = async (olds: object, hosts: readonly string[]) =>
    (await provider.check(olds, { services, hosts })).inputs as unknown as { actions: object };
  const first = await check({}, ["worker1", "worker2"]);
  assert.deepEqual(first.actions, { [nginx]: "start" }, "a first deploy is no news of each machine");
  assert.deepEqual((await check(first, ["worker2", "worker1"])).actions, { [nginx]: "leave alone" });
  const other = await check(first, ["worker2", "worker3"]);
  assert.deepEqual(other.actions, {
    [nginx]: "leave alone",
    "all on worker1": "retire",
    "all on worker3": "start",
  });
  for (const [plan, changes] of [
    [first, false],
    [other, true],
  ] as const)
    assert.deepEqual(await provider.diff("id", first, plan as never), { changes });
});

test("a plan of an earlier version's state, which is no text, is read too", async () => {
  const old = { [nginx]: files({ conf: "1" }) };
  const { inputs } = await provider.check({ services: old, actions: {} }, { services: json(old) });
  assert.deepEqual(inputs.actions, { [nginx]: "leave alone" });
  assert.deepEqual(await provider.diff("id", { services: old }, { services: json(old) }), { changes: false });
});

test("what is new starts, what is gone retires, the rest is reloaded, restarted or left alone", async () => {
  const old = { [nginx]: files({ "nginx/news.conf": "aa11bb22" }), [tor]: files({ torrc: "1" }, { unit: "1" }) };
  assert.deepEqual(await actions(undefined, old), { [nginx]: "start", [tor]: "start" });
  assert.deepEqual(await actions(old, old), { [nginx]: "leave alone", [tor]: "leave alone" });
  assert.deepEqual(await actions(old, { [nginx]: files({ "nginx/news.conf": "cc33dd44" }) }), {
    [nginx]: "reload (nginx/news.conf cc33dd)",
    [tor]: "retire",
  });
  const both = files({ torrc: "2" }, { unit: "2", key: "9" });
  assert.deepEqual(await actions(old, { ...old, [tor]: both }), {
    [nginx]: "leave alone",
    [tor]: "restart (key 9, unit 2)",
  });
  assert.deepEqual(await actions(old, { ...old, [nginx]: files({}) }), {
    [nginx]: "reload (nginx/news.conf gone)",
    [tor]: "leave alone",
  });
});

test("a unit on standby is stopped, left so, and started again", async () => {
  const running = { [nginx]: files({ conf: "1" }) };
  const waiting = { [nginx]: { ...files({ conf: "2" }), standby: true } };
  assert.deepEqual(await actions(running, waiting), { [nginx]: "stop, to stand by" });
  assert.deepEqual(await actions(waiting, { [nginx]: { ...files({ conf: "3" }), standby: true } }), {
    [nginx]: "leave on standby",
  });
  assert.deepEqual(await actions(undefined, waiting), { [nginx]: "leave on standby" });
  assert.deepEqual(await actions(waiting, running), { [nginx]: "start" });
});

test("the second of two reloads for one file is other words, so that a diff shows it", async () => {
  const running = (hash: string): Services => ({ [nginx]: files({ conf: hash }) });
  assert.notDeepEqual(await actions(running("a"), running("b")), await actions(running("b"), running("c")));
});

test("what leaves is kept from plan to plan until it comes back: a unit, and a file of a unit that stays", async () => {
  const check = async (olds: object, services: Services) =>
    (await provider.check(olds, { services: json(services) })).inputs as unknown as {
      services: string;
      leaving: string[];
    };
  const site = { "nginx/news/tips.test.conf": "1" };
  const first = await check({}, { [nginx]: files({ main: "1", ...site }), [tor]: files({ torrc: "1" }) });
  assert.deepEqual(first.leaving, []);
  const second = await check(first, { [nginx]: files({ main: "1" }) });
  assert.deepEqual(second.leaving, ["nginx/news/tips.test.conf", tor, "torrc"]);
  const third = await check(second, { [nginx]: files({ main: "2" }) });
  assert.deepEqual(third.leaving, second.leaving, "nobody knows yet whether it was retired");
  const back = await check(third, { [nginx]: files({ main: "2", ...site }) });
  assert.deepEqual(back.leaving, [tor, "torrc"]);
});

test("a hash that is not known yet is another one, and is a change; all other actions are known", async () => {
  const old = { [nginx]: files({ conf: "a" }), [tor]: files({ torrc: "1" }) };
  const services = { [nginx]: files({ conf: unknown, "site.conf": unknown }), [tor]: files({ torrc: "1" }) };
  assert.deepEqual(await actions(old, services), {
    [nginx]: "reload (conf not known yet, site.conf not known yet)",
    [tor]: "leave alone",
  });
  assert.deepEqual(await provider.diff("id", { services: json(old) }, { services: json(services) }), { changes: true });
});

test("units that are not known yet leave the actions unknown, and are a change", async () => {
  const old = { [nginx]: files({ conf: "a" }) };
  assert.equal(await actions(old, unknown), unknown);
  const wanted = { services: unknown, actions: unknown };
  assert.deepEqual(await provider.diff("id", { services: json(old) }, wanted), { changes: true });
});

test("there is a change exactly when a unit is not left alone, whatever the order of units and files", async () => {
  const hashes = fc.dictionary(fc.constantFrom("a", "b", "c"), fc.constantFrom("1", "2"), { noNullPrototype: true });
  const services = fc.dictionary(fc.constantFrom("x", "y", "z"), fc.record({ reload: hashes, restart: hashes }), {
    noNullPrototype: true,
  });
  const backwards = (value: object): object =>
    Object.fromEntries(
      Object.entries(value)
        .reverse()
        .map(([key, inner]) => [key, typeof inner === "object" ? backwards(inner as object) : (inner as string)]),
    );
  await fc.assert(
    fc.asyncProperty(services, services, async (old, wanted) => {
      const planned = Object.values(await actions(old, wanted));
      const { changes } = await provider.diff("id", { services: json(old) }, { services: json(wanted) });
      assert.equal(
        changes,
        planned.some((action) => action !== "leave alone"),
      );
      const turned = { services: json(backwards(old)) };
      assert.deepEqual(await provider.diff("id", { services: json(old) }, turned), { changes: false });
    }),
  );
});

test("create and update keep the plan as it was previewed", async () => {
  const { inputs } = await provider.check({}, { services: json({ [nginx]: files({ conf: "a" }) }) });
  assert.deepEqual((await provider.create(inputs)).outs, inputs);
  assert.deepEqual((await provider.update("id", {}, inputs)).outs, inputs);
});
