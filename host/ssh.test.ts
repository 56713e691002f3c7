import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer, type AddressInfo, type Server, type Socket } from "node:net";
import { after, before, describe, test } from "node:test";
import { utils } from "ssh2";
import { ed25519Pair, startServer, type TestServer } from "../lab/standins/command/testing/sshServer";
import { knock, knockPatiently, runOverSsh, type SshConnection, type SshError } from "./ssh";

const local = "127.0.0.1";
const limits = { dialSeconds: 5, seconds: 10 };

/** A TCP server that does as it is told with each connection. */
async function listen(serve: (socket: Socket) => void, port = 0): Promise<{ port: number; server: Server }> {
  const server = createServer((socket) => serve(socket.on("error", () => undefined))).listen(port, local);
  await once(server, "listening");
  return { port: (server.address() as AddressInfo).port, server };
}

/** A port that nobody listens at. */
async function closedPort(): Promise<number> {
  const { port, server } = await listen(() => undefined);
  server.close();
  await once(server, "close");
  return port;
}

describe("knock", () => {
  test("a version string is an answer, also after other lines and in pieces", async () => {
    const { port, server } = await listen((socket) => {
      socket.write("Authorized users only\r\nSS");
      setImmediate(() => socket.write("H-2.0-x\r\n"));
    });
    assert.equal(await knock({ host: local, port }, 5), undefined);
    server.close();
  });

  test("a port that nobody listens at, a mute server, one that hangs up, one that is no sshd", async () => {
    const refused = await closedPort();
    assert.equal(await knock({ host: local, port: refused }, 5), `connection refused at 127.0.0.1:${refused}`);
    const serve: [string, (socket: Socket) => void][] = [
      ["no ssh server speaks at PLACE within 0.2 s", () => undefined],
      ["the connection to PLACE is closed before an ssh server speaks", (socket) => socket.end("220 mail\r\n")],
      ["what answers at PLACE is no ssh server", (socket) => socket.write("x".repeat(9000))],
    ];
    for (const [words, each] of serve) {
      const sockets: Socket[] = [];
      const { port, server } = await listen((socket) => (sockets.push(socket), each(socket)));
      assert.equal(await knock({ host: local, port }, 0.2), words.replace("PLACE", `127.0.0.1:${port}`));
      sockets.forEach((socket) => socket.destroy());
      server.close();
    }
    // RFC 6761: this name is nowhere.
    assert.equal(await knock({ host: "softmap.invalid" }, 30), "no such host: softmap.invalid:22");
  });

  test("patience tries until somebody answers, or says why nobody did", async () => {
    const port = await closedPort();
    const waiting = knockPatiently({ host: local, port }, { seconds: 20, pause: 0.05 });
    assert.equal(await knock({ host: local, port }, 5), `connection refused at 127.0.0.1:${port}`);
    const { server } = await listen((socket) => socket.write("SSH-2.0-x\r\n"), port);
    assert.equal(await waiting, undefined);
    server.close();
    let dials = 0;
    const flaky = await listen((socket) => (dials++, socket.destroy()));
    assert.match(
      (await knockPatiently({ host: local, port: flaky.port }, { seconds: 0.3, pause: 0.05 })) ?? "",
      /before an ssh server/,
    );
    assert.ok(dials > 2, `${dials} dials`);
    flaky.server.close();
  });
});

describe("runOverSsh", () => {
  let server: TestServer;
  let reach: SshConnection;
  const agent = process.env["SSH_AUTH_SOCK"];
  before(async () => {
    delete process.env["SSH_AUTH_SOCK"];
    server = await startServer({ password: "an open sesame" });
    const { port, hostKey, privateKey } = server;
    reach = { host: local, port, user: "operator", hostKey, privateKey };
  });
  after(async () => {
    if (agent !== undefined) process.env["SSH_AUTH_SOCK"] = agent;
    await server.close();
  });
  const run = (connection: SshConnection, command = "true", stdin = "", more: Partial<typeof limits> = {}) =>
    runOverSsh(connection, command, stdin, { ...limits, ...more });
  /** The error's words, after a look at what it says of the host. */
  const fails = async (promise: Promise<unknown>, reached: boolean): Promise<string> => {
    const error = await promise.then(
      () => assert.fail("it did not fail"),
      (thrown: SshError) => thrown,
    );
    assert.equal(error.reached, reached, error.message);
    return error.message;
  };

  test("one connection, stdin in, both outputs and the exit code out, each line as it comes", async () => {
    const before = server.dials();
    const lines: string[] = [];
    const stdin = "grüße\n".repeat(50_000);
    const command = "cat; printf 'last, without its end'; echo bad >&2; exit 7";
    const { code, stdout, stderr } = await runOverSsh(reach, command, stdin, {
      ...limits,
      onLine: (line) => lines.push(line),
    });
    assert.deepEqual([code, stderr], [7, "bad\n"]);
    assert.equal(stdout, `${stdin}last, without its end`);
    assert.deepEqual([lines.length, lines[0], lines.at(-1)], [50_001, "grüße", "last, without its end"]);
    assert.equal(server.dials() - before, 1);
  });

  test("the connection is closed at the end", async () => {
    await run(reach);
    for (const end = Date.now() + 5000; server.open() > 0 && Date.now() < end;) await new Promise(setImmediate);
    assert.equal(server.open(), 0);
  });

  test("a command that reads no stdin, and one that a signal ends", async () => {
    assert.equal((await run(reach, "exec true", "x".repeat(1 << 22))).code, 0);
    const { code, stderr } = await run(reach, "kill -KILL $$");
    assert.deepEqual([code, stderr], [255, "ended by signal SIGKILL\n"]);
  });

  test("a password will do", async () => {
    const { privateKey: _, ...rest } = reach;
    assert.equal((await run({ ...rest, password: "an open sesame" })).code, 0);
  });

  test("another host key is refused, with both fingerprints; nothing is said to the stranger", async () => {
    const other = ed25519Pair().public.split(" ").slice(0, 2).join(" ");
    const words = await fails(run({ ...reach, hostKey: other }), true);
    assert.match(
      words,
      /another host key \(SHA256:\S{43}\) than the pinned one \(SHA256:\S{43}\)\. Next: if the machine/,
    );
    const ecdsa = utils.generateKeyPairSync("ecdsa", { bits: 256 }).public.split(" ").slice(0, 2).join(" ");
    assert.match(
      await fails(run({ ...reach, hostKey: ecdsa }), true),
      /has no host key of the pinned type ecdsa-sha2-nistp256/,
    );
  });

  test("without a host key, or with nonsense for one, nothing is dialled", async () => {
    const before = server.dials();
    for (const hostKey of [undefined, "", "nonsense"])
      assert.match(await fails(run({ ...reach, hostKey }), true), /Next: give hostKey as type base64/);
    assert.equal(server.dials(), before);
  });

  test("a login that is refused, and a private key that is none, are told without the key", async () => {
    const stranger = ed25519Pair().private;
    const words = await fails(run({ ...reach, privateKey: stranger }), true);
    assert.match(words, /^127\.0\.0\.1:\d+ refuses the login of operator\. Next: put a public key/);
    const secret = "-----BEGIN OPENSSH PRIVATE KEY-----\nc2VjcmV0\n-----END OPENSSH PRIVATE KEY-----\n";
    const bad = await fails(run({ ...reach, privateKey: secret }), true);
    assert.match(bad, /^the private key for operator@127\.0\.0\.1:\d+ cannot be used: /);
    for (const text of [words, bad]) assert.ok(!text.includes("c2VjcmV0") && !text.includes(stranger));
  });

  test("an agent that is not there does not stop the private key", async () => {
    assert.equal((await run({ ...reach, agentSocketPath: "/nonexistent/agent" })).code, 0);
  });

  test("a host that is not reached says so: refused, mute, cut", async () => {
    const port = await closedPort();
    assert.equal(await fails(run({ ...reach, port }), false), `connection refused at 127.0.0.1:${port}`);
    const sockets: Socket[] = [];
    const mute = await listen((socket) => sockets.push(socket));
    const words = await fails(run({ ...reach, port: mute.port }, "true", "", { dialSeconds: 0.2 }), false);
    assert.equal(words, `nobody answers at 127.0.0.1:${mute.port} within 0.2 s`);
    sockets.forEach((socket) => socket.destroy());
    mute.server.close();
    const cutting = await startServer({ cutFirst: 1 });
    assert.match(await fails(run({ ...reach, port: cutting.port }), false), /^(the|no) connection to 127\.0\.0\.1/);
    await cutting.close();
  });

  test("a command that takes too long, and a connection that breaks under it", async () => {
    const place = `127.0.0.1:${server.port}`;
    const late = await fails(run(reach, "exec sleep 60", "", { seconds: 0.3 }), true);
    assert.equal(late, `the command on ${place} did not end within 0.3 s`);
    const limitsWithCut = { ...limits, onLine: () => server.cut() };
    const broken = await fails(runOverSsh(reach, "echo up; exec sleep 60", "", limitsWithCut), true);
    assert.equal(broken, `the connection to ${place} broke after 0 s`);
  });
});

describe("through a jump host", () => {
  let [jump, behind]: TestServer[] = [];
  let reach: SshConnection & { proxy: NonNullable<SshConnection["proxy"]> };
  const agent = process.env["SSH_AUTH_SOCK"];
  const serverAt = ({ port, hostKey, privateKey }: TestServer, user: string) => ({
    ...{ host: local, port, user, hostKey, privateKey },
  });
  before(async () => {
    delete process.env["SSH_AUTH_SOCK"];
    [jump, behind] = [await startServer({ user: "jumper" }), await startServer()];
    reach = { ...serverAt(behind, "operator"), proxy: serverAt(jump, "jumper") };
  });
  after(async () => {
    if (agent !== undefined) process.env["SSH_AUTH_SOCK"] = agent;
    await jump?.close();
    await behind?.close();
  });
  /** What a knock says and what a command says, with whether somebody was reached. */
  async function both(connection: SshConnection): Promise<[string | undefined, string, boolean]> {
    const knocked = await knock(connection, 2);
    const { message, reached } = await runOverSsh(connection, "true", "", { ...limits, dialSeconds: 2 }).then(
      () => assert.fail("it did not fail"),
      (thrown: SshError) => thrown,
    );
    return [knocked, message, reached];
  }
  const through = (proxy: Partial<SshConnection>) => ({ ...reach, proxy: { ...reach.proxy, ...proxy } });

  test("a knock is answered and a command runs, and no connection stays", async () => {
    assert.equal(await knock(reach, 5), undefined);
    assert.deepEqual(await runOverSsh(reach, "cat", "in", limits), { code: 0, stdout: "in", stderr: "" });
    const open = (): number => (jump?.open() ?? 0) + (behind?.open() ?? 0);
    for (const end = Date.now() + 5000; open() > 0 && Date.now() < end;) await new Promise(setImmediate);
    assert.equal(open(), 0);
  });

  test("a jump host that is silent, shows another key, refuses the login, has no key", async () => {
    const port = await closedPort();
    const refused = `jump host: connection refused at 127.0.0.1:${port}`;
    assert.deepEqual(await both(through({ port })), [refused, refused, false]);
    const sockets: Socket[] = [];
    const mute = await listen((socket) => sockets.push(socket));
    const nobody = `jump host: nobody answers at 127.0.0.1:${mute.port} within 2 s`;
    assert.deepEqual(await both(through({ port: mute.port })), [nobody, nobody, false]);
    sockets.forEach((socket) => socket.destroy());
    mute.server.close();
    const faults: [Partial<SshConnection>, RegExp][] = [
      [{ hostKey: reach.hostKey }, /^jump host: \S+ shows another host key \(.*\) than the pinned one/],
      [{ user: "operator" }, /^jump host: \S+ refuses the login of operator\. Next: /],
      [{ hostKey: undefined }, /^jump host: \S+ has no host key to be known by\. Next: /],
    ];
    for (const [fault, words] of faults) {
      const [knocked, ran, reached] = await both(through(fault));
      assert.match(knocked ?? "", words);
      assert.equal(ran, knocked);
      assert.equal(reached, true, "no dead machine: a mistake, or a stranger");
    }
  });

  test("a machine behind it that is off, is mute, shows another key; a jump host that may not forward", async () => {
    const port = await closedPort();
    const off = `the jump host cannot reach 127.0.0.1:${port}: no answer`;
    assert.deepEqual(await both({ ...reach, port }), [off, off, false]);
    const sockets: Socket[] = [];
    const mute = await listen((socket) => sockets.push(socket));
    const place = `127.0.0.1:${mute.port}`;
    assert.deepEqual(await both({ ...reach, port: mute.port }), [
      `no ssh server speaks at ${place} within 2 s`,
      `nobody answers at ${place} within 2 s`,
      false,
    ]);
    sockets.forEach((socket) => socket.destroy());
    mute.server.close();
    const other = { ...reach, hostKey: reach.proxy.hostKey };
    assert.equal(await knock(other, 5), undefined);
    await assert.rejects(runOverSsh(other, "true", "", limits), /^Error: 127\.0\.0\.1:\d+ shows another host key/);
    const shut = await startServer({ forward: false });
    const forbidden = `the jump host cannot reach 127.0.0.1:${reach.port}: it forbids forwarding (sshd_config: AllowTcpForwarding, PermitOpen)`;
    assert.deepEqual(await both({ ...reach, proxy: serverAt(shut, "operator") }), [forbidden, forbidden, false]);
    await shut.close();
  });
});
