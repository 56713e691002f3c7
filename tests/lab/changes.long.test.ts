// Every planned change of a stack of workers, sites and projects, one after the other on one stack, each under load with no failed request.
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { inOrder, neverRestarted } from "./changeKit";
import { PlannedChanges } from "./plannedChanges";

describe("planned changes under load, all of them", { timeout: 3 * 60 * 60_000 }, () => {
  let stack: PlannedChanges;

  before(async () => {
    stack = await PlannedChanges.start({ name: "longchanges", requests: 500, grace: "20s" });
  });
  after(() => stack?.end());

  test("first deploy", () => stack.deploy());
  test("a worker is added: proved on its own, then listed", () => stack.addWorker("worker3"));
  test("a one-line change goes to one worker first, then to the others, and reloads", () => stack.editTimeout("21s"));

  test("another number of introduction points is a reload of each tor", async () => {
    const before = await stack.runs();
    const change = await stack.edit("torIntrosPerDaemon 3 -> 4", stack.news({ torIntrosPerDaemon: 4 }));
    for (const host of stack.plan.workers) inOrder(change, new RegExp(`${host}: reloaded softmap-tor@news-2-`));
    assert.deepEqual(neverRestarted(before, await stack.runs()), { came: [], gone: [] });
  });

  test("a site is added: it answers at once, and no tor is restarted", () => stack.addSite("tips.test"));

  test("a site is removed: it answers until its grace is over, and no tor is restarted", async () => {
    await stack.newGeneration("a site removed", stack.news({ domains: ["www.daily.test", "court.test"] }));
  });

  test("softmapTorWorkers 2 -> 1: the second daemon of each worker goes, the first is not touched", async () => {
    const before = await stack.runs();
    const change = await stack.edit("softmapTorWorkers 2 -> 1", stack.news({ softmapTorWorkers: 1 }));
    inOrder(change, /published with 3 of 3 backends/, /news-worker1-2, .* not listed any more/);
    for (const host of stack.plan.workers)
      inOrder(change, /not listed any more/, new RegExp(`${host}: stopped and disabled softmap-tor@news-2-`));
    const { came, gone } = neverRestarted(before, await stack.runs());
    assert.deepEqual(came, []);
    assert.deepEqual(
      gone.map((unit) => unit.replace(/-[0-9a-f]{4}\.service$/, "")),
      stack.plan.workers.map((host) => `${host} softmap-tor@news-2`),
    );
  });

  test("softmapTorWorkers 1 -> 2: the second one is proved on its worker, then listed", async () => {
    const before = await stack.runs();
    const change = await stack.edit("softmapTorWorkers 1 -> 2", stack.news({ softmapTorWorkers: 2 }));
    for (const host of stack.plan.workers)
      inOrder(
        change,
        new RegExp(`${host}: started softmap-tor@news-2-`),
        new RegExp(`${host}: 2 sites answered through Tor at the own address of 1 backend `), // the new one
        /published with 6 of 6 backends/,
      );
    const { came, gone } = neverRestarted(before, await stack.runs());
    assert.deepEqual([came.length, gone], [3, []]);
  });

  test("a project is added: it answers at once, and nothing of the other is touched", async () => {
    const before = await stack.runs();
    const { news } = stack.plan.projects;
    const desk = { softmapTorWorkers: 1, backendHeader: true, domains: ["tips.test"] };
    await stack.edit("a project added", { projects: { news: news ?? assert.fail(), desk } });
    const { came, gone } = neverRestarted(before, await stack.runs());
    assert.deepEqual([came.length, gone], [6, []]);
    assert.ok(
      came.every((unit) => /@desk/.test(unit)),
      came.join(),
    );
  });

  test("a project is removed: it answers until its grace is over, and nothing of the other is touched", async () => {
    const before = await stack.runs();
    const { news } = stack.plan.projects;
    const change = await stack.edit("a project removed", { projects: { news: news ?? assert.fail() } });
    for (const host of stack.plan.workers)
      inOrder(
        change,
        /balancer1: court\.test .*published with 6 of 6 backends/,
        /balancer1: desk-worker1-1, desk-worker2-1, desk-worker3-1 not listed any more; \d+ s of grace/,
        new RegExp(`${host}: stopped and disabled .*softmap-tor@desk-1-`),
      );
    const { came, gone } = neverRestarted(before, await stack.runs());
    assert.deepEqual([came, gone.length], [[], 6]);
    assert.ok(
      gone.every((unit) => /@desk/.test(unit)),
      gone.join(),
    );
  });

  test("a worker is removed: published without it, waited for, drained, stopped; then the machine goes", () =>
    stack.removeLastWorker());
});
