import assert from "node:assert/strict";
import { test } from "node:test";
import { read, said } from "../desk/deskKit";
import { healthy, seenOf } from "../desk/samples";
import type { Survey } from "../desk/survey";
import { StackError } from "../stack";
import type { Finding } from "./finding";
import { unlisted } from "./faultKit";
import { main } from "./index";

/** The command beside machines that say so; `asked` is how they were asked. */
async function doctor(survey: Survey, ...args: string[]) {
  const asked: unknown[] = [];
  const look = (_: unknown, options: unknown) => {
    asked.push(options);
    return Promise.resolve(survey);
  };
  return { ...(await said((streams) => main(args, streams, { read, look, backups: () => undefined }))), asked };
}

/** A worker gone, a disk low. */
function broken(): Survey {
  const survey = healthy();
  (survey.machines as unknown as object[])[2] = { name: "worker2", error: "nobody answers within 15 s" };
  unlisted(survey, "news-worker2-1");
  const { system } = seenOf(survey, "worker1");
  Object.assign(system, { disks: [{ place: "/var", totalMb: 9000, freeMb: 400 }] });
  Object.assign(seenOf(survey, "balancer1"), { system: { ...system, disks: [] } });
  return survey;
}

test("a stack that is well: says so, and ends with 0", async () => {
  const { code, out, err, asked } = await doctor(healthy());
  assert.deepEqual({ code, err, asked }, { code: 0, err: "", asked: [{ quick: false }] });
  assert.match(
    out,
    /^organization\/softmap\/prod, 2026-01-01T12:00:00\.000Z: 3 machines, 2 sites, 19 checks\n\nNothing is wrong\.\n$/,
  );
});

test("faults by severity, each with what to do and its page, what follows under it", async () => {
  const { code, out } = await doctor(broken());
  assert.equal(code, 1);
  assert.match(
    out,
    new RegExp(
      [
        "Red: .*",
        "",
        " {2}worker2 cannot be asked: nobody answers within 15 s\\.",
        " {4}Next: .*",
        " {4}Page: docs/doctor/unreachable\\.md",
        " {4}Follows from it: news-worker2-1 is not in the frontend .*",
        "",
        "Amber: .*",
        "",
        " {2}/var of worker1 has 400 MB free of 9000; a release needs 50\\.",
        " {4}Next: .*",
        " {4}Page: docs/doctor/disk\\.md",
        "$",
      ].join("\n"),
    ),
  );
});

test("as JSON", async () => {
  const { code, out } = await doctor(broken(), "--json");
  assert.equal(code, 1);
  const { stack, findings } = JSON.parse(out) as { stack: string; findings: Finding[] };
  assert.equal(stack, "organization/softmap/prod");
  assert.deepEqual(
    findings.map(({ check, severity, because }) => [check, severity, because !== undefined]),
    [
      ["unreachable", "red", false],
      ["disk", "amber", false],
      ["backend", "amber", true],
    ],
  );
  assert.deepEqual((JSON.parse((await doctor(healthy(), "--json")).out) as { findings: unknown }).findings, []);
});

test("amber alone ends with 0", async () => {
  const survey = healthy();
  Object.assign(seenOf(survey, "worker1"), { drift: ["/etc/x was changed by hand"] });
  const { code, out } = await doctor(survey);
  assert.equal(code, 0);
  assert.match(out, /^Amber: /m);
  assert.doesNotMatch(out, /^Red: /m);
});

test("a step at work is told with what is found", async () => {
  const survey = healthy();
  const lock = { by: "ann", from: "here", what: "the worker release", process: 7, since: "2026-01-01 11:59:30 UTC" };
  Object.assign(seenOf(survey, "worker1"), { lock });
  const { code, out } = await doctor(survey);
  assert.equal(code, 0);
  assert.match(out, /^A step is at work on worker1 \(1 machine\): what is found there may pass with it\.$/m);
});

test("--quick, --help, and wrong calls", async () => {
  assert.deepEqual((await doctor(healthy(), "--quick")).asked, [{ quick: true }]);
  const help = await doctor(healthy(), "--help");
  assert.deepEqual([help.code, help.asked], [0, []]);
  assert.match(help.out, /^usage: npx softmap doctor /);
  const wrong = await doctor(healthy(), "--fast");
  assert.equal(wrong.code, 2);
  assert.match(wrong.err, /--fast/);
});

test("a stack that cannot be read", async () => {
  const look = () => Promise.reject(new Error("nobody is asked"));
  const none = () => Promise.reject(new StackError("There is no stack.", "make one."));
  const { code, err } = await said((streams) => main([], streams, { read: none, look }));
  assert.deepEqual([code, err], [1, "There is no stack.\n  Next: make one.\n"]);
});
