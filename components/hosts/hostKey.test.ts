// The provider behind HostKey against an ssh server that shows whichever key is in its folder since its last reload, as sshd does.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { once } from "node:events";
import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
  mkdirSync,
} from "node:fs";
import { createServer, type AddressInfo, type Server as NetServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, beforeEach, test } from "node:test";
import { spawn } from "node:child_process";
import { Server, utils, type ServerChannel } from "ssh2";
import { methodsOf, type LoadedProvider } from "../../tests/closure";
import { hostKeyProviderWith, type HostKeyState } from "./hostKeyProvider";

const folder = mkdtempSync(join(tmpdir(), "softmap-hostkey-"));
const bin = join(folder, "bin");
const ssh = join(folder, "ssh");
const keyFile = join(ssh, "ssh_host_ed25519_key");
const running = join(folder, "running");
const said = join(folder, "said");

interface Pair {
  readonly file: string;
  /** OpenSSH format, as @pulumi/tls has it. */
  readonly private: string;
  /** `type base64` */
  readonly public: string;
}

function pair(name: string): Pair {
  const file = join(folder, name);
  execFileSync("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-C", "", "-f", file]);
  const [type, base64] = readFileSync(`${file}.pub`, "utf8").trim().split(" ");
  return { file, private: readFileSync(file, "utf8"), public: `${type} ${base64}` };
}

const fingerprint = (key: string): string =>
  `SHA256:${createHash("sha256")
    .update(Buffer.from(key.split(" ")[1] ?? "", "base64"))
    .digest("base64")
    .replace(/=+$/, "")}`;

/** What runs on the machine besides sshd; each says that it was called. */
const programs = {
  sudo: 'shift; exec "$@"',
  sshd: `[ ! -e "${folder}/bad" ] || { echo "key_load_private: invalid format" >&2; exit 255; }`,
  systemctl: `cp "${keyFile}" "${running}"`,
  // The test is root already where it runs in a container: the machine's user is not.
  id: "echo 1000",
};

class Machine {
  readonly commands: string[] = [];
  logins = 0;
  /** Cuts the connection under the next command that ends so. */
  cutAfter: RegExp | undefined;
  refusesLogins = 0;
  private constructor(
    readonly port: number,
    private readonly server: NetServer,
  ) {}

  static async boot(login: Pair): Promise<Machine> {
    const server = createServer();
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    const machine = new Machine((server.address() as AddressInfo).port, server);
    server.on("connection", (socket) => {
      // sshd reads its keys when it starts and at a reload: each connection gets what was read last.
      const sshd = new Server({ hostKeys: [readFileSync(running)] }, (connection) => {
        connection.on("error", () => undefined);
        connection.on("authentication", (context) => {
          const key = utils.parseKey(login.public);
          const known =
            context.method === "publickey" && !(key instanceof Error) && key.getPublicSSH().equals(context.key.data);
          if (!known || machine.refusesLogins > 0) {
            if (known) machine.refusesLogins--;
            return context.reject(["publickey"]);
          }
          context.accept();
        });
        connection.on("ready", () => machine.logins++);
        connection.on("session", (accept) =>
          accept().on("exec", (take, _reject, { command }) => machine.run(take(), command, () => socket.destroy())),
        );
      });
      sshd.injectSocket(socket);
    });
    return machine;
  }

  private run(channel: ServerChannel, command: string, cut: () => void): void {
    this.commands.push(command);
    const child = spawn("/bin/sh", ["-c", command], { env: { PATH: `${bin}:${process.env["PATH"]}` } });
    channel.on("error", () => undefined);
    child.stdin.on("error", () => undefined);
    channel.pipe(child.stdin);
    child.stdout.pipe(channel, { end: false });
    child.stderr.pipe(channel.stderr, { end: false });
    child.on("close", (code) => {
      if (this.cutAfter?.test(command)) {
        this.cutAfter = undefined;
        return cut();
      }
      channel.exit(code ?? 255);
      channel.end();
    });
  }

  async shutDown(): Promise<void> {
    this.server.close();
    await once(this.server, "close");
  }
}

const [first, last, other, login] = ["first", "last", "other", "login"].map(pair) as [Pair, Pair, Pair, Pair];
const patience = { boot: 1, stranger: 0.2, dial: 5, pause: 0.05 };
let provider: LoadedProvider<HostKeyState>;
/** For what must come to pass, however busy the machine of the test is. */
let patient: LoadedProvider<HostKeyState>;
let machine: Machine;

/** The machine as it is when it has booted with a key. */
function boots(key: Pair): void {
  copyFileSync(key.file, keyFile);
  copyFileSync(`${key.file}.pub`, `${keyFile}.pub`);
  chmodSync(keyFile, 0o600);
  copyFileSync(key.file, running);
}
const inputs = (more: Partial<HostKeyState> = {}): HostKeyState => ({
  host: "north",
  connection: { host: "127.0.0.1", port: machine.port, user: "softmap", privateKey: login.private },
  hostKey: last.public,
  privateKey: last.private,
  firstHostKey: first.public,
  instance: "i-1",
  ...more,
});
const swaps = () => machine.commands.filter((command) => command.includes("ssh_host_ed25519_key")).length;
const calls = () => (existsSync(said) ? readFileSync(said, "utf8").trim().split("\n") : []);

/** Runs without its lines on the console; the error's words where it fails. */
async function quietly<T>(work: () => Promise<T>): Promise<{ done: T | undefined; lines: string[]; error: string }> {
  const lines: string[] = [];
  const log = console.log;
  console.log = (...words: unknown[]) => void lines.push(words.join(" "));
  try {
    return { done: await work(), lines, error: "" };
  } catch (error) {
    const { message, stack } = error as Error;
    assert.equal(stack, "", "the dynamic provider's host prints it beside the message");
    for (const { private: text } of [first, last, login])
      assert.ok(!message.includes(text.split("\n")[2] ?? "-"), "a key in an error");
    return { done: undefined, lines, error: message };
  } finally {
    console.log = log;
  }
}

const agent = process.env["SSH_AUTH_SOCK"];
before(async () => {
  delete process.env["SSH_AUTH_SOCK"];
  for (const path of [bin, ssh]) mkdirSync(path);
  for (const [name, text] of Object.entries(programs))
    writeFileSync(join(bin, name), `#!/bin/sh\necho "${name} $*" >>"${said}"\n${text}\n`, { mode: 0o755 });
  provider = methodsOf<HostKeyState>(hostKeyProviderWith(patience, ssh));
  patient = methodsOf<HostKeyState>(hostKeyProviderWith({ ...patience, boot: 60 }, ssh));
});
beforeEach(async () => {
  for (const path of [said, join(folder, "bad")]) rmSync(path, { force: true });
  await machine?.shutDown();
  machine = await Machine.boot(login);
  boots(first);
});
after(async () => {
  if (agent !== undefined) process.env["SSH_AUTH_SOCK"] = agent;
  await machine.shutDown();
  rmSync(folder, { recursive: true });
});

test("a machine that shows its first key gets the last one, tested before it is in place, and shows it from then on", async () => {
  const { done, lines } = await quietly(() => patient.create(inputs()));
  assert.deepEqual(done, { id: "north", outs: inputs() });
  assert.deepEqual(lines, ["north: has a host key now that was in no user data"]);
  assert.equal(readFileSync(keyFile, "utf8"), last.private);
  assert.equal(statSync(keyFile).mode & 0o777, 0o600);
  assert.equal(readFileSync(`${keyFile}.pub`, "utf8").trim().split(" ").slice(0, 2).join(" "), last.public);
  assert.equal(statSync(`${keyFile}.pub`).mode & 0o777, 0o644);
  assert.ok(!existsSync(`${keyFile}.new`) && !existsSync(`${keyFile}.new.pub`));
  const programs = calls().filter((line) => !line.startsWith("id"));
  assert.match(programs[0] ?? "", /^sudo -n sh -euc /);
  assert.deepEqual(programs.slice(-2), [`sshd -t -o HostKey=${keyFile}.new`, "systemctl reload ssh"]);
  // The look that found the first key ended before a login.
  assert.equal(machine.logins, 2);
});

test("the key travels on stdin alone", async () => {
  await quietly(() => patient.create(inputs()));
  const texts = [...machine.commands, ...calls()].join("\n");
  for (const line of last.private.split("\n").filter((text) => text.length > 30)) assert.ok(!texts.includes(line));
});

test("a machine that shows its last key already is left alone", async () => {
  boots(last);
  const { done, lines } = await quietly(() => patient.create(inputs()));
  assert.deepEqual([done?.id, lines, machine.commands], ["north", [], ["true"]]);
});

test("a machine that shows neither is refused with all three fingerprints, and no command runs there", async () => {
  boots(other);
  const { error } = await quietly(() => provider.create(inputs()));
  const [shown, own, booted] = [other, last, first].map((key) => fingerprint(key.public));
  assert.ok(
    error.startsWith(
      `north: it shows the host key ${shown}, which is not its own (${own}) nor one that it may have had before (${booted}). Next: `,
    ),
    error,
  );
  assert.deepEqual([machine.commands, machine.logins], [[], 0]);
});

test("a key that is there only until cloud-init has run is no stranger's", async () => {
  boots(other);
  setTimeout(() => boots(first), 100);
  const { done, error } = await quietly(() => patient.create(inputs()));
  assert.equal(done?.id, "north", error);
});

test("cut after the exchange: the next try finds the last key and does nothing", async () => {
  machine.cutAfter = /ssh_host_ed25519_key/;
  const impatient = methodsOf<HostKeyState>(hostKeyProviderWith({ ...patience, boot: 0 }, ssh));
  const { error } = await quietly(() => impatient.create(inputs()));
  assert.match(error, /^north: the connection to 127\.0\.0\.1:\d+ broke after \d+ s, after \d+ s\. Next: /);
  assert.equal(readFileSync(running, "utf8"), last.private);
  assert.equal((await quietly(() => patient.create(inputs()))).done?.id, "north");
  assert.equal(swaps(), 1);
});

test("cut under a patient try: it goes on by itself", async () => {
  machine.cutAfter = /ssh_host_ed25519_key/;
  assert.equal((await quietly(() => patient.create(inputs()))).done?.id, "north");
  assert.equal(swaps(), 1);
});

test("cut between the new key and the reload: the first key is still shown, and the exchange is made once more", async () => {
  copyFileSync(last.file, keyFile);
  assert.equal((await quietly(() => patient.create(inputs()))).done?.id, "north");
  assert.equal(readFileSync(running, "utf8"), last.private);
});

test("a key that sshd cannot use is not put in place", async () => {
  writeFileSync(join(folder, "bad"), "");
  const { error } = await quietly(() => provider.create(inputs()));
  assert.match(error, /^north: its host key cannot be replaced: key_load_private: invalid format, after \d s\. Next: /);
  assert.equal(readFileSync(keyFile, "utf8"), first.private);
  assert.ok(!existsSync(`${keyFile}.new`) && !existsSync(`${keyFile}.new.pub`));
});

test("a machine that boots is waited for; one that stays silent, or refuses the login, is told", async () => {
  const { port } = machine;
  await machine.shutDown();
  const dead = await quietly(() => provider.create(inputs()));
  assert.match(
    dead.error,
    new RegExp(`^north: connection refused at 127\\.0\\.0\\.1:${port}, after 1 s\\. Next: read the`),
  );
  machine = await Machine.boot(login);
  machine.refusesLogins = 2;
  assert.equal((await quietly(() => patient.create(inputs()))).done?.id, "north");
  machine.refusesLogins = 1000;
  const refused = await quietly(() => provider.create(inputs()));
  assert.match(
    refused.error,
    /^north: 127\.0\.0\.1:\d+ refuses the login of softmap\. Next: .*; then run pulumi up again$/,
  );
});

test("a jump host that shows another key ends it at once", async () => {
  const jump = { host: "127.0.0.1", port: machine.port, user: "ops", hostKey: other.public, privateKey: login.private };
  const { error } = await quietly(() =>
    patient.create(inputs({ connection: { ...inputs().connection, proxy: jump } })),
  );
  assert.match(error, /^north: jump host: 127\.0\.0\.1:\d+ shows another host key .*; then run pulumi up again$/);
});

test("another instance is another machine: it shows the first key, and gets the last again", async () => {
  const { outs } = (await quietly(() => patient.create(inputs()))).done ?? assert.fail();
  assert.deepEqual(await provider.diff("north", outs, inputs()), { changes: false });
  const moved = inputs({ connection: { ...inputs().connection, host: "192.0.2.1" } });
  assert.deepEqual(await provider.diff("north", outs, moved), { changes: false }, "another way to the same machine");
  const anew = inputs({ instance: "i-2" });
  assert.deepEqual(await provider.diff("north", outs, anew), { changes: true });
  boots(first);
  assert.deepEqual((await quietly(() => patient.update("north", outs, anew))).done, { outs: anew });
  assert.equal(swaps(), 2);
});

test("a key that was replaced is put in the place of the one before", async () => {
  boots(last);
  const renewed = inputs({ hostKey: other.public, privateKey: other.private });
  assert.deepEqual(await provider.diff("north", inputs(), renewed), { changes: true });
  assert.deepEqual((await quietly(() => patient.update("north", inputs(), renewed))).done, { outs: renewed });
  assert.equal(readFileSync(running, "utf8"), other.private);
});

test("a machine that is there and shows its first key again is refused: whoever runs there can have read it", async () => {
  const renewed = inputs({ hostKey: other.public, privateKey: other.private });
  const { error } = await quietly(() => provider.update("north", inputs(), renewed));
  assert.ok(error.startsWith(`north: it shows the host key ${fingerprint(first.public)}, which is not its own`), error);
  assert.deepEqual(machine.commands, []);
});
