// The dynamic provider behind HostKey; the state has its name alone, see ../providedResource.ts.
import { createHash } from "node:crypto";
import type * as pulumi from "@pulumi/pulumi";
import { setTimeout as sleep } from "node:timers/promises";
import { runOverSsh, type Ran, type SshConnection, type SshError } from "../../host/ssh";

/** What the engine keeps. */
export interface HostKeyState {
  readonly host: string;
  readonly connection: SshConnection;
  readonly hostKey: string;
  readonly privateKey: string;
  readonly firstHostKey: string;
  readonly instance: string;
}

/** Seconds. */
export interface BootPatience {
  /** Until a machine that boots counts as dead. */
  readonly boot: number;
  /** Until a key that is none of ours counts as a stranger's: an image may start sshd before cloud-init has put ours in place. */
  readonly stranger: number;
  /** For one login. */
  readonly dial: number;
  /** Between two tries. */
  readonly pause: number;
}

/** How a try ended. */
type Outcome = { readonly ran: Ran } | Failed;
interface Failed {
  readonly why: string;
  /** Fingerprint of the key that the machine showed in place of the pinned one. */
  readonly shown?: string | undefined;
  /** Whether another try would end the same way: a jump host does not boot. */
  readonly final?: boolean;
}

/** Seconds that a command may run. */
const commandSeconds = 60;
/** Seconds for which nobody answers while sshd starts itself anew. */
const reloadSeconds = 0.5;

/**
 * Puts the key that comes on stdin in the place of the one that sshd has, as root. Nothing is in place before sshd has read it: one that it cannot
 * use would leave the machine without a login. The public half goes first, so that a machine that shows the key has all of it.
 */
function exchange(folder: string): string {
  const steps = [
    "umask 077",
    "PATH=$PATH:/usr/sbin:/sbin",
    'trap "rm -f $1.new $1.new.pub" EXIT',
    "cat >$1.new",
    "ssh-keygen -y -f $1.new >$1.new.pub",
    "chmod 644 $1.new.pub",
    "sshd -t -o HostKey=$1.new",
    "sync $1.new $1.new.pub",
    "mv $1.new.pub $1.pub",
    "mv $1.new $1",
    "systemctl reload ssh",
  ];
  const asRoot = 'run=; [ "$(id -u)" = 0 ] || run="sudo -n"';
  return `${asRoot}; exec $run sh -euc '${steps.join("; ")}' softmap ${folder}/ssh_host_ed25519_key`;
}

/** As `ssh-keygen -l` prints it. */
function fingerprint(hostKey: string): string {
  const blob = Buffer.from(hostKey.split(" ")[1] ?? "", "base64");
  return `SHA256:${createHash("sha256").update(blob).digest("base64").replace(/=+$/, "")}`;
}

/** One login and one command: its text, its stdin, and seconds for the login. */
async function dial(
  connection: SshConnection,
  hostKey: string,
  job: readonly [string, string, number],
): Promise<Outcome> {
  const [command, stdin, dialSeconds] = job;
  try {
    const ran = await runOverSsh({ ...connection, hostKey }, command, stdin, { dialSeconds, seconds: commandSeconds });
    return { ran };
  } catch (error) {
    const { message, reached } = error as SshError;
    const [, shown] = /^\S+ shows another host key \((\S+)\)/.exec(message) ?? [];
    return { why: message, shown, final: reached && message.startsWith("jump host: ") };
  }
}

/**
 * One look, and the exchange where one of the keys before is shown. Nothing is sent before the key is proved. What is found is where an earlier
 * try was cut: with the last key shown there is nothing left to do.
 */
async function look(
  { host, connection, hostKey, privateKey }: HostKeyState,
  before: readonly string[],
  folder: string,
  seconds: number,
): Promise<Outcome> {
  const last = await dial(connection, hostKey, ["true", "", seconds]);
  if ("ran" in last || last.shown === undefined) return last;
  for (const key of before) {
    if (fingerprint(key) !== last.shown) continue;
    const changed = await dial(connection, key, [exchange(folder), `${privateKey.trimEnd()}\n`, seconds]);
    if (!("ran" in changed)) return { why: changed.why };
    const { code, stderr } = changed.ran;
    if (code !== 0) return { why: `its host key cannot be replaced: ${stderr.trim() || `exit code ${code}`}` };
    console.log(`${host}: has a host key now that was in no user data`);
    await sleep(reloadSeconds * 1000);
    return dial(connection, hostKey, ["true", "", seconds]);
  }
  return last;
}

const again = "then run pulumi up again";

function stranger({ host, hostKey }: HostKeyState, before: readonly string[], shown: string): string {
  const others = before.map((key) => ` nor one that it may have had before (${fingerprint(key)})`).join("");
  const next = `find out on the machine's console who answers there, ${again}`;
  return `${host}: it shows the host key ${shown}, which is not its own (${fingerprint(hostKey)})${others}. Next: ${next}`;
}

/**
 * The keys that may be shown before the last one. The first one only by a machine that has just booted: whoever runs on one that is there can
 * have read it, and would be sent the last key for it.
 */
function keysBefore({ firstHostKey, instance }: HostKeyState, old: HostKeyState | undefined): string[] {
  if (old === undefined) return [firstHostKey];
  return old.instance === instance ? [old.hostKey] : [firstHostKey, old.hostKey];
}

/** Until the machine shows its last key. A login can be refused while cloud-init makes the user, a reload while it restarts sshd: both pass. */
async function become(
  state: HostKeyState,
  before: readonly string[],
  folder: string,
  { boot, stranger: tolerance, dial: seconds, pause }: BootPatience,
): Promise<void> {
  const start = Date.now();
  for (;;) {
    const found = await look(state, before, folder, seconds);
    const waited = (Date.now() - start) / 1000;
    if ("ran" in found) {
      if (found.ran.code === 0) return;
      throw new Error(
        `${state.host}: no command runs there: ${found.ran.stderr.trim() || `exit code ${found.ran.code}`}`,
      );
    }
    if (found.shown !== undefined && waited + pause > tolerance) throw new Error(stranger(state, before, found.shown));
    if (found.final === true || waited + pause > boot) {
      const next = /Next: /.test(found.why) ? `; ${again}` : `. Next: read the machine's console, ${again}`;
      throw new Error(`${state.host}: ${found.why}, after ${Math.round(waited)} s${next}`);
    }
    await sleep(pause * 1000);
  }
}

/** Of an error the dynamic provider's host prints the stack beside its message: a person needs only the message. */
async function plainly(work: Promise<void>): Promise<void> {
  try {
    await work;
  } catch (error) {
    throw Object.assign(new Error((error as Error).message), { stack: "" });
  }
}

/** The provider with the patience that a test gives it, and the folder of the machine's host keys. No `read` and no `delete`: the key goes with the machine. */
export function hostKeyProviderWith(patience: BootPatience, folder = "/etc/ssh"): pulumi.dynamic.ResourceProvider {
  const compared = ["host", "hostKey", "firstHostKey", "privateKey", "instance"] as const;
  return {
    // Another way to the same machine changes nothing on it.
    async diff(_id: string, old: HostKeyState, wanted: HostKeyState) {
      return { changes: compared.some((key) => old[key] !== wanted[key]) };
    },
    async create(inputs: HostKeyState) {
      await plainly(become(inputs, keysBefore(inputs, undefined), folder, patience));
      return { id: inputs.host, outs: inputs };
    },
    async update(_id: string, old: HostKeyState, inputs: HostKeyState) {
      await plainly(become(inputs, keysBefore(inputs, old), folder, patience));
      return { outs: inputs };
    },
  };
}

/** One object for all. Five minutes are what a slow instance takes to boot. */
export const hostKeyProvider = hostKeyProviderWith({ boot: 300, stranger: 30, dial: 10, pause: 3 });
