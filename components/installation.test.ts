import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer, type AddressInfo } from "node:net";
import { after, before, test } from "node:test";
import { startServer, type TestServer } from "../lab/standins/command/testing/sshServer";
import type { SshConnection } from "../host/ssh";
import { methodsOf, type LoadedProvider } from "../tests/closure";
import { installationProviderWith, type InstallationInputs, type InstallationState } from "./installationProvider";

const unknown = "04da6b54-80e4-46f7-96ec-b56ff0331ba9";

interface WholeProvider extends LoadedProvider<InstallationState> {
  read(id: string, state: object): Promise<{ id: string; props: InstallationState; inputs: Record<string, unknown> }>;
  delete(id: string, state: object): Promise<void>;
}

let server: TestServer;
let inputs: InstallationInputs & { connection: SshConnection };
let provider: WholeProvider;
const agent = process.env["SSH_AUTH_SOCK"];

before(async () => {
  delete process.env["SSH_AUTH_SOCK"];
  // The real one waits for a minute and more: the same code, less patient.
  const quick = installationProviderWith({ create: 0.6, update: 0.6, delete: 1.5, pause: 0.05 }, () => "# the pack\n");
  provider = methodsOf<InstallationState>(quick) as WholeProvider;
  server = await startServer();
  const { port, hostKey, privateKey } = server;
  inputs = {
    host: "worker1",
    component: "workers",
    holdsSiteKeys: false,
    connection: { host: "127.0.0.1", port, user: "operator", hostKey, privateKey },
    instance: "i-1",
    wants: "hash",
    command: "sh -s",
    probe: `echo looking; echo '{"drift": []}'\n`,
    leave: "exit 9\n",
    pack: "pack-1",
  };
});
after(async () => {
  if (agent !== undefined) process.env["SSH_AUTH_SOCK"] = agent;
  await server.close();
});

/** A place that refuses every dial. */
async function deadPlace(): Promise<{ port: number; why: string }> {
  const closed = createServer().listen(0, "127.0.0.1");
  await once(closed, "listening");
  const { port } = closed.address() as AddressInfo;
  closed.close();
  return { port, why: `connection refused at 127.0.0.1:${port}` };
}

async function deployed(more: Partial<InstallationInputs> = {}): Promise<InstallationState> {
  return (await provider.create(await checked({}, { ...inputs, ...more }))).outs;
}

/** What the engine makes of a program's inputs before anything else. */
async function checked(olds: object, news: object): Promise<InstallationState> {
  return (await provider.check(olds, news)).inputs;
}

/** What is printed while `work` runs. */
async function printed(work: () => Promise<unknown>): Promise<string[]> {
  const lines: string[] = [];
  const log = console.log;
  console.log = (...words: unknown[]) => void lines.push(words.join(" "));
  try {
    await work();
  } finally {
    console.log = log;
  }
  return lines;
}

test("a host that answers is not silent, and is asked without a login", async () => {
  const dials = server.dials();
  const { id, outs } = await provider.create(await checked({}, inputs));
  assert.deepEqual([id, outs], ["workers/worker1", { ...inputs, silent: "", repair: 0, drift: "" }]);
  assert.equal(server.dials() - dials, 1);
});

test("a dead host fails nothing: it is silent, which is said at once, and the next update asks again", async () => {
  const { port, why } = await deadPlace();
  const made: InstallationState[] = [];
  const lines = await printed(async () => made.push(await deployed({ connection: { ...inputs.connection, port } })));
  assert.deepEqual(lines, [`worker1: ${why}: workers goes on without it`]);
  const [dead] = made;
  assert.ok(dead);
  assert.equal(dead.silent, why);
  const wanted = await checked(dead, { ...inputs, connection: dead.connection });
  assert.equal(wanted.silent, "", "a preview supposes that it answers");
  assert.deepEqual(await provider.diff("id", dead, wanted), { changes: true });
  let again = "";
  assert.deepEqual(await printed(async () => (again = (await provider.update("id", dead, wanted)).outs.silent)), lines);
  assert.equal(again, why);
  const { outs } = await provider.update("id", dead, await checked(dead, inputs));
  assert.deepEqual(outs, { ...inputs, silent: "", repair: 0, drift: "" });
  assert.deepEqual(await provider.diff("id", outs, inputs), { changes: false });
});

test("what leads to another machine or sends something else is a change, never a replacement; how patiently it is dialled is none", async () => {
  const old = { ...(await deployed()), __provider: "other code" };
  const reach = inputs.connection;
  const changes: object[] = [
    ...["instance", "wants", "command", "probe", "leave", "component"].map((name) => ({ [name]: "other" })),
    ...["host", "user", "hostKey", "privateKey"].map((name) => ({ connection: { ...reach, [name]: "other" } })),
    { connection: { ...reach, port: 1 } },
    { connection: { ...reach, proxy: reach } },
    { preflight: "other" },
    { pack: "other" },
    { connection: unknown },
    { wants: unknown },
  ];
  for (const change of changes) {
    const wanted = { ...inputs, ...change };
    assert.deepEqual(await provider.diff("id", old, wanted), { changes: true }, Object.keys(change).join());
  }
  const patient = { ...inputs, connection: { dialErrorLimit: 3, perDialTimeout: 1, ...reach } };
  assert.deepEqual(await provider.diff("id", old, patient), { changes: false });
});

test("a connection without a host key, or with a jump host that has none, is refused at preview", async () => {
  const reasons = async (connection: unknown) =>
    ((await provider.check({}, { ...inputs, connection })).failures ?? []).map(({ reason }) => reason);
  assert.deepEqual(await reasons(inputs.connection), []);
  assert.deepEqual(await reasons(unknown), []);
  const { hostKey: _, ...bare } = inputs.connection;
  assert.deepEqual(await reasons(bare), ["worker1: its connection has no hostKey. Next: give it as type base64"]);
  const jump = { ...inputs.connection, proxy: { host: "jump" } };
  assert.deepEqual(await reasons(jump), ["worker1: its jump host has no hostKey. Next: give it as type base64"]);
  assert.deepEqual(await reasons(undefined), [], "this machine has no connection");
});

test("through a jump host: it answers, is probed and left; a jump host that is dead is named as such", async (t) => {
  const jump = await startServer();
  t.after(() => jump.close().catch(() => undefined));
  const { port, hostKey, privateKey } = jump;
  const proxy = { host: "127.0.0.1", port, user: "operator", hostKey, privateKey };
  const through = await deployed({ connection: { ...inputs.connection, proxy } });
  assert.equal(through.silent, "");
  const { props } = await provider.read("id", through);
  assert.equal(props.drift, "");
  await jump.close();
  const dead = await deployed({
    connection: { ...inputs.connection, proxy: { ...proxy, port: (await deadPlace()).port } },
  });
  assert.match(dead.silent, /^jump host: connection refused at 127\.0\.0\.1:\d+$/);
  const lines = await printed(() => provider.delete("id", dead));
  assert.match(lines.join(), /^worker1: jump host: connection refused at \S+: what workers had there is left behind\./);
});

test("this machine is never silent: its programs are processes, by the same command", async () => {
  const { connection: _none, ...here } = inputs;
  const { outs } = await provider.create(await checked({}, here));
  assert.equal(outs.silent, "");
  assert.deepEqual((await provider.read("id", outs)).props.drift, "");
  const lines = await printed(() =>
    provider.delete("id", { ...outs, command: "sh -s --", leave: 'echo "it was told $1"\n' }),
  );
  assert.deepEqual(lines, ["it was told everything"]);
  const failing = { ...outs, leave: "echo no room >&2; exit 9\n" };
  await assert.rejects(provider.delete("id", failing), { message: "no room" });
});

test("a machine is looked at once, with the time here; what is wrong with it fails the first deploy in its own words", async () => {
  const preflight = "case $1 in now=1[0-9]*) ;; *) exit 3 ;; esac\n";
  const looked = await deployed({ command: "sh -s --", preflight });
  const dials = server.dials();
  await provider.update("id", looked, { ...looked, wants: "other" });
  assert.equal(server.dials() - dials, 1, "it is knocked at, and not looked at again");
  await provider.update("id", looked, { ...looked, instance: "i-2" });
  assert.equal(server.dials() - dials, 3, "another machine is");
  await provider.update("id", looked, { ...looked, preflight: `${preflight}exit 0\n` });
  assert.equal(server.dials() - dials, 5, "and an old one, with another question");
  const brought = server.dials();
  const put = { ...looked, preflight: "case $1 in put) ;; *) exit 4 ;; esac\n" };
  await provider.update("id", put, { ...put, pack: "pack-2" });
  await provider.update("id", put, { ...put, repair: 1 });
  assert.equal(server.dials() - brought, 4, "another pack, or drift, brings the pack and does not look");
  const wrong = "echo 'worker1: its clock is off; it has no room' >&2; exit 1\n";
  await assert.rejects(deployed({ command: "sh -s --", preflight: wrong }), {
    message: "worker1: its clock is off; it has no room",
  });
});

test("a refresh finds drift over one connection, and the update after it mends it once", async () => {
  const probe = `echo looking; echo '{"drift": ["nginx.conf was changed", "a unit is off"]}'\n`;
  const old = await deployed({ probe });
  const dials = server.dials();
  const found = await provider.read("id", old);
  assert.equal(server.dials() - dials, 1);
  const drift = "nginx.conf was changed\na unit is off";
  assert.deepEqual(found.props, { ...old, drift });
  // Among the inputs it is what the next preview shows as going, and as mended by steps that run again.
  assert.deepEqual(found.inputs, found.props);
  const wanted = await checked(found.inputs, { ...inputs, probe });
  assert.deepEqual([wanted.repair, wanted.drift], [1, ""]);
  assert.deepEqual(await provider.diff("id", found.props, wanted), { changes: true });
  const { outs } = await provider.update("id", found.props, wanted);
  assert.deepEqual([outs.repair, outs.drift], [1, ""]);
  const after = await checked(wanted, { ...inputs, probe, wants: "more" });
  assert.equal((await provider.update("id", outs, after)).outs.repair, 1);
  assert.deepEqual(await provider.diff("id", outs, await checked(wanted, { ...inputs, probe })), { changes: false });
});

test("no drift, and nothing deployed yet, are nothing found", async () => {
  for (const drift of ["[]", "null"]) {
    const old = await deployed({ probe: `echo '{"drift": ${drift}}'\n` });
    const { props, inputs: read } = await provider.read("id", old);
    assert.deepEqual([props, read], [old, old]);
  }
});

test("a refresh does not fail: what hinders it is found", async () => {
  const drifts = async (more: Partial<InstallationInputs>) =>
    (await provider.read("id", await deployed(more))).props.drift;
  const failing = await drifts({ probe: "echo worker1: no sudo >&2; exit 1\n" });
  assert.equal(failing, "what is there cannot be read: worker1: no sudo");
  assert.equal(await drifts({ probe: "echo no JSON\n" }), "what is there cannot be read: the probe ended with 0");
  const stranger = await startServer();
  await stranger.close();
  assert.match(await drifts({ connection: { ...inputs.connection, hostKey: stranger.hostKey } }), /another host key/);
  assert.match(await drifts({ connection: { ...inputs.connection, user: "nobody" } }), /refuses the login of nobody/);
});

test("a refresh of a dead host says that it is silent; one that answers again stays so until an update", async () => {
  const { port, why } = await deadPlace();
  const old = await deployed();
  const { props, inputs: read } = await provider.read("id", {
    ...old,
    drift: "before",
    connection: { ...old.connection, port },
  });
  assert.deepEqual([props.silent, props.drift, read["silent"]], [why, "", why]);
  const again = await provider.read("id", { ...props, connection: old.connection });
  assert.equal(again.props.silent, why, "what was skipped is not done yet");
  assert.deepEqual(await provider.diff("id", again.props, inputs), { changes: true });
});

test("a removal runs everything of the program, and its lines are printed", async () => {
  const leave = 'echo "worker1: stopping $1"; echo removed\n';
  const lines = await printed(async () => provider.delete("id", await deployed({ leave, command: "sh -s" })));
  assert.deepEqual(lines, ["worker1: stopping everything", "removed"]);
});

test("a removal that fails is an error with the program's words, without a stack and without what was sent", async () => {
  const thrown = async (more: Partial<InstallationInputs>) => {
    const state = await deployed(more);
    return provider.delete("id", state).then(
      () => assert.fail("it did not fail"),
      (error: Error) => error,
    );
  };
  const error = await thrown({ leave: "# a marker\necho softmap retire on worker1 failed: busy >&2; exit 1\n" });
  assert.equal(error.message, "softmap retire on worker1 failed: busy");
  // What the dynamic provider's host prints beside it.
  assert.equal(`${String(error)}: ${error.stack}`, "worker1: the removal failed");
  assert.equal((await thrown({})).message, "worker1: the removal ended with 9 and said nothing");
  const refused = await thrown({ connection: { ...inputs.connection, user: "nobody" } });
  assert.match(refused.message, /^worker1: 127\.0\.0\.1:\d+ refuses the login of nobody\./);
});

test("what is on a dead host is left behind, and said to be, with what it means for its keys", async () => {
  const { port, why } = await deadPlace();
  const dead = { ...(await deployed()), connection: { ...inputs.connection, port } };
  assert.deepEqual(await printed(() => provider.delete("id", dead)), [
    `worker1: ${why}: what workers had there is left behind. It is published no more. If the machine comes back, treat its backend keys as those of a stolen disk`,
  ]);
  const [line = ""] = await printed(() =>
    provider.delete("id", { ...dead, component: "balancer", holdsSiteKeys: true }),
  );
  assert.match(line, /what balancer had there is left behind\. A balancer has the site keys, /);
});
