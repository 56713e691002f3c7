// The planned changes that a stack meets most, each under load with no failed request; `npm run test:faults` has all of them.
import { after, before, describe, test } from "node:test";
import { PlannedChanges } from "./plannedChanges";

describe("planned changes under load", { timeout: 15 * 60_000 }, () => {
  let stack: PlannedChanges;

  before(async () => {
    stack = await PlannedChanges.start({ name: "e2echanges", requests: 100, grace: "10s" });
  });
  after(() => stack?.end());

  test("first deploy", () => stack.deploy());
  test("a site is added: it answers at once, and no tor is restarted", () => stack.addSite("tips.test"));
  test("a worker is added: proved on its own, then listed", () => stack.addWorker("worker3"));
  test("a one-line change goes to one worker first, and reloads", () => stack.editTimeout("21s"));
  test("a worker is removed: published without it, waited for, drained, stopped", () => stack.removeLastWorker());
});
