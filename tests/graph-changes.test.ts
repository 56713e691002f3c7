// What a change of the machines, or of what they are for, makes of the resource graph: who waits for whom, and who is left out.
import assert from "node:assert/strict";
import { before, describe, test } from "node:test";
import { Graph, payloadIn } from "./graphKit";

const fiveWorkers = ["w1", "w2", "w3", "w4", "w5"];
const onions = (graph: Graph, ...backends: string[]) =>
  backends.map((name) => `${graph.address(`workers-${name}`)}.onion`);

describe("a roll-out", () => {
  const waits = (graph: Graph) =>
    fiveWorkers.map((host) => graph.before(`workers-${host}-release`, "-release").map((name) => name.split("-")[1]));

  test("one worker first, then two at a time, each wave after the one before", async () => {
    const graph = await Graph.of({ workers: fiveWorkers, pool: { projects: [] } });
    assert.deepEqual(waits(graph), [[], ["w1"], ["w1"], ["w2", "w3"], ["w2", "w3"]]);
    assert.deepEqual(
      graph.before("balancer-north-release", "-release"),
      [],
      "nothing is published through its tor yet",
    );
  });

  test("as many as rollout says, watched for the pause that it says", async () => {
    const rollout = { canary: 2, waveSize: 3, pause: 60 };
    const graph = await Graph.of({ workers: fiveWorkers, pool: { projects: [], rollout } });
    assert.deepEqual(waits(graph), [[], [], ["w1", "w2"], ["w1", "w2"], ["w1", "w2"]]);
    assert.equal(graph.payload("workers-w1-release").pauseSeconds, 60);
  });

  test("a dead canary does not leave a change without one: the next that answers is it", async () => {
    const graph = await Graph.of({
      workers: fiveWorkers,
      pool: { projects: [] },
      silent: { w1: "no answer", w3: "no answer" },
    });
    assert.deepEqual(waits(graph), [[], [], [], ["w2"], ["w2"]]);
  });
});

describe("a host that does not answer", () => {
  const why = "nobody answers at 192.0.2.12:22 within 15 s";
  let graph: Graph;
  before(async () => {
    graph = await Graph.of({ silent: { west: why }, pretend: everythingLeaves });
  });
  const commandsOf = (host: string) =>
    graph.ofType("remote:Command").filter(({ name }) => name.split("-")[1] === host && !name.startsWith("hosts"));

  test("has no command in any of its steps; the others go on as ever", () => {
    assert.deepEqual(
      commandsOf("west").map(({ name, inputs }) => [name, inputs["create"] ?? inputs["update"] ?? inputs["delete"]]),
      [
        ["workers-west-release", undefined],
        ["balancer-west-retire", undefined],
      ],
    );
    for (const host of ["south", "north"]) {
      assert.equal(commandsOf(host).length, 2);
      for (const { name, inputs } of commandsOf(host)) assert.equal(typeof inputs["create"], "string", name);
    }
  });

  test("is named by the roll call, with the reason and what was to be done there", () => {
    const silent = graph.named("balancer-roll-call").inputs["silent"];
    assert.deepEqual(silent, [{ host: "west", component: "workers", why }]);
  });

  test("keeps its place in the descriptor, and is not waited for: its backends are excused", () => {
    const { excused, frontends = [] } = graph.payload("balancer-north-publish");
    assert.deepEqual(excused, onions(graph, "news-west-1", "news-west-2", "tips-west-1"));
    assert.deepEqual(
      frontends.map(({ backends }) => backends.length),
      [4, 4, 2],
    );
  });

  test("as a balancer: nothing is published from it, and both of its steps are left out", async () => {
    const lost = await Graph.of({ silent: { north: why } });
    for (const step of ["release", "publish"])
      assert.equal(lost.named(`balancer-north-${step}`).inputs["create"], undefined);
    assert.deepEqual(lost.named("balancer-roll-call").inputs["silent"], [
      { host: "north", component: "balancer", why },
    ]);
  });
});

describe("drift", () => {
  test("runs the steps of its machine again, once for each time that it is found, and of no other", async () => {
    const steps = async (repair: number) => {
      const graph = await Graph.of({
        pretend: {
          "pulumi-nodejs:dynamic/softmap:Installation": ({ host }) => ({
            silent: "",
            repair: host === "west" ? repair : 0,
          }),
        },
      });
      return ["workers-west-release", "workers-south-release"].map((step) => {
        const text = String(graph.named(step).inputs["stdin"]);
        // The beginning: the rest of a step's own line are its keys.
        return text.slice(text.lastIndexOf("\n", text.length - 2) + 1).slice(0, 30);
      });
    };
    const [west = "", south = ""] = await steps(0);
    assert.match(west, /^run_step\(PACK, "release", /);
    assert.deepEqual(await steps(1), ["# Repair 1.\n", south]);
    assert.deepEqual(await steps(2), ["# Repair 2.\n", south]);
  });
});

describe("workers that are not listed", () => {
  test("are released and proved like the others, are in no descriptor, and count as warm", async () => {
    const graph = await Graph.of({ pool: { listed: ["south"] } });
    assert.equal(typeof graph.named("workers-west-release").inputs["create"], "string");
    assert.equal(graph.payload("workers-west-release").proof?.length, 2);
    const { warm, excused, frontends = [] } = graph.payload("balancer-north-publish");
    assert.deepEqual(warm, onions(graph, "news-west-1", "news-west-2", "tips-west-1"));
    assert.deepEqual(excused, []);
    assert.deepEqual(
      frontends.map(({ backends }) => backends.map(({ name }) => name)),
      [["news-south-1", "news-south-2"], ["news-south-1", "news-south-2"], ["tips-south-1"]],
    );
    const onionbalance = String(graph.named("balancer-onionbalance").inputs["text"]);
    assert.ok(onionbalance.includes(graph.address("workers-news-south-1")));
    assert.ok(!onionbalance.includes(graph.address("workers-news-west-1")));
  });

  test("are excused by nobody when they are dead: no descriptor waits for them", async () => {
    const graph = await Graph.of({ pool: { listed: ["south"] }, silent: { west: "no answer" } });
    assert.deepEqual(graph.payload("balancer-north-publish").excused, []);
  });
});

describe("two balancers", () => {
  const balancers = ["blue", "green"];
  const standsBy = (graph: Graph, host: string) =>
    graph
      .payload(`balancer-${host}-publish`)
      .services?.filter(({ unit }) => unit === "softmap-onionbalance.service")
      .map(({ standby }) => standby === true);

  test("both publish the same, each proves it once more when what publishes has changed, and a first deploy does not dial for that", async () => {
    const graph = await Graph.of({ balancers });
    for (const host of balancers) {
      assert.deepEqual(standsBy(graph, host), [false], host);
      assert.deepEqual(graph.before(`balancer-${host}-publish`, "-publish"), [], host);
      const { inputs } = graph.named(`balancer-${host}-confirm`);
      assert.deepEqual([inputs["create"], typeof inputs["update"]], [undefined, "string"]);
      assert.deepEqual(payloadIn(inputs["stdin"]), {
        host,
        publishing: balancers,
        stack: "organization/softmap/test",
      });
    }
    const [one, other] = balancers.map((host) => graph.payload(`balancer-${host}-publish`));
    assert.deepEqual(one?.frontends, other?.frontends);
    assert.deepEqual(one?.state, other?.state);
  });

  test("one that stands by has everything but the publishing, stops after the other has published, and confirms nothing", async () => {
    const graph = await Graph.of({ balancers, balancer: { publishing: ["green"] } });
    assert.deepEqual([standsBy(graph, "blue"), standsBy(graph, "green")], [[true], [false]]);
    assert.equal(graph.payload("balancer-blue-publish").state?.length, 3);
    assert.deepEqual(graph.before("balancer-blue-publish", "-publish"), ["balancer-green-publish"]);
    assert.deepEqual(graph.before("balancer-green-publish", "-publish"), []);
    assert.equal(graph.named("balancer-blue-confirm").inputs["update"], undefined);
    assert.equal(typeof graph.named("balancer-green-confirm").inputs["update"], "string");
    assert.deepEqual(graph.before("balancer-green-confirm", "-publish"), [
      "balancer-blue-publish",
      "balancer-green-publish",
    ]);
    assert.deepEqual(graph.before("balancer-south-retire", "-confirm"), [
      "balancer-blue-confirm",
      "balancer-green-confirm",
    ]);
    const { actions } = graph.named("balancer-blue-services").outputs;
    assert.deepEqual(actions, {
      "softmap-balancer-tor.service": "start",
      "softmap-onionbalance.service": "leave on standby",
      "softmap-prober-tor.service": "leave on standby",
      "softmap-watchdog.service": "leave on standby",
    });
  });

  test("a single one has nothing to confirm", async () => {
    assert.deepEqual(
      (await Graph.of()).resources.filter(({ name }) => name.endsWith("-confirm")),
      [],
    );
  });
});

describe("what leaves", () => {
  test("makes the retirement due, and run again by its name; it keeps exactly what is planned", async () => {
    const graph = await Graph.of({ pretend: everythingLeaves });
    const { inputs } = graph.named("balancer-west-retire");
    assert.equal(typeof inputs["create"], "string");
    assert.match(String(inputs["stdin"]), /\n# softmap-tor@news-3-0000\.service leaves\.\n$/);
    const { keepServices = [], keepFiles = [], keepStateDirs = [], proxies = [] } = payloadIn(inputs["stdin"]);
    const planned = Object.keys(JSON.parse(graph.named("workers-services").inputs["services"] as string) as object);
    assert.deepEqual([...keepServices].sort(), planned.sort());
    const released = graph.payload("workers-west-release").files?.map(({ path }) => path) ?? [];
    assert.deepEqual([...keepFiles].sort(), released.filter((path) => !path.startsWith("units/")).sort());
    assert.equal(keepStateDirs.length, 3);
    assert.deepEqual(
      proxies.map(({ unit }) => unit),
      ["softmap-nginx@news.service", "softmap-nginx@tips.service"],
    );
  });
});

/** Each plan of services says that an earlier one had a third daemon. */
const everythingLeaves = {
  "pulumi-nodejs:dynamic/softmap:ServicePlan": () => ({ actions: {}, leaving: ["softmap-tor@news-3-0000.service"] }),
};
