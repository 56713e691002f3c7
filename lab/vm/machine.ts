import { spawn, type ChildProcess } from "node:child_process";
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync } from "node:fs";
import { once } from "node:events";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { knockPatiently, runOverSsh, type Ran, type SshConnection } from "../../host/ssh";
import { LabError } from "../errors";
import { step, type Say } from "../progress";
import type { VmImage } from "./image";

/** Seconds that a machine has until its sshd answers: half a minute on two idle cores. */
const bootSeconds = 240;

/** A running machine. */
export interface Vm {
  /** How to reach it, its key pinned. */
  readonly connection: SshConnection;
  /** Seconds from its start until its sshd answered. */
  readonly booted: number;
  /** Runs a shell command there as root, over a connection of its own. Throws unless it ends with 0 or `mayFail`. */
  run(command: string, options?: { readonly mayFail?: boolean; readonly seconds?: number }): Promise<Ran>;
  /** Boots it again, and waits until its sshd answers. What it has written stays. */
  reboot(): Promise<void>;
  /** Ends it at once. Its disk was never written. */
  end(): Promise<void>;
}

/**
 * Boots a machine with its own kernel, in software: /dev/kvm may be there and not be able to run one (nested, without vmx). Nothing leaves it:
 * QEMU's own network is restricted, and lets one thing in, ssh from this machine.
 */
export async function bootVm(image: VmImage, say: Say): Promise<Vm> {
  const port = await freePort();
  const folder = mkdtempSync(join(tmpdir(), "softmap-vm-"));
  const log = join(folder, "console");
  const output = openSync(log, "w");
  const machine = spawn("qemu-system-x86_64", commandLine(image, port), { stdio: ["ignore", output, output] });
  closeSync(output);
  const kill = () => machine.kill("SIGKILL");
  process.once("exit", kill);
  const end = async (): Promise<void> => {
    process.off("exit", kill);
    await ended(machine);
    rmSync(folder, { recursive: true, force: true });
  };
  try {
    const connection = { host: "127.0.0.1", port, user: "operator", ...keysOf(image) };
    const start = performance.now();
    await step(say, "booting a Debian machine", () => answering(machine, port, log));
    const booted = (performance.now() - start) / 1000;
    const run: Vm["run"] = (command, options) => runAsRootOn(connection, command, options);
    return { connection, booted, end, run, reboot: () => step(say, "booting it again", () => rebooted(run)) };
  } catch (error) {
    await end();
    throw error;
  }
}

const keysOf = ({ privateKey, hostKey }: VmImage) => ({ privateKey, hostKey });

function commandLine({ disk, kernel, initrd }: VmImage, port: number): string[] {
  return [
    ...["-machine", "pc", "-accel", "tcg,thread=multi", "-cpu", "max", "-smp", "2", "-m", "1536"],
    ...["-nodefaults", "-nographic", "-serial", "stdio"],
    ...["-kernel", kernel, "-initrd", initrd, "-append", "root=/dev/vda rw console=ttyS0"],
    // what it writes goes to a temporary file, so that every boot is a first one
    ...["-drive", `file=${disk},format=raw,if=virtio,snapshot=on,cache=unsafe`],
    ...["-netdev", `user,id=net,restrict=on,hostfwd=tcp:127.0.0.1:${port}-:22`],
    ...["-device", "virtio-net-pci,netdev=net,romfile=", "-device", "virtio-rng-pci"],
  ];
}

/** Waits for sshd, or for the machine's end, whichever comes first. */
async function answering(machine: ChildProcess, port: number, log: string): Promise<void> {
  const gone = once(machine, "exit").then(
    ([code]) => `it ended with exit code ${code ?? "none"}`,
    (error: unknown) => (error as Error).message,
  );
  const why = await Promise.race([
    gone,
    knockPatiently({ host: "127.0.0.1", port }, { seconds: bootSeconds, pause: 1 }),
  ]);
  if (why === undefined) return;
  const last = readFileSync(log, "utf8").trimEnd().split("\n").slice(-8).join("\n    ");
  throw new LabError(`The machine did not boot: ${why}. Its console:\n    ${last}`, "see its own words above");
}

/** The kernel has a new id for each boot. */
async function rebooted(run: Vm["run"]): Promise<void> {
  const boot = async () => (await run("cat /proc/sys/kernel/random/boot_id", { seconds: 20 })).stdout;
  const before = await boot();
  await run("systemctl --no-block reboot");
  const end = performance.now() + bootSeconds * 1000;
  while (performance.now() < end) {
    await pause(1000);
    const now = await boot().catch(() => before);
    if (now !== before) return;
  }
  throw new LabError("The machine did not come back after its reboot.", "look at its console");
}

async function ended(machine: ChildProcess): Promise<void> {
  if (machine.exitCode !== null || machine.signalCode !== null || machine.pid === undefined) return;
  const exit = once(machine, "exit");
  machine.kill("SIGTERM");
  await exit;
}

async function runAsRootOn(
  connection: SshConnection,
  command: string,
  { mayFail = false, seconds = 120 }: { readonly mayFail?: boolean; readonly seconds?: number } = {},
): Promise<Ran> {
  const ran = await runOverSsh(connection, "sudo -n sh -s", command, { dialSeconds: 30, seconds });
  if (ran.code !== 0 && !mayFail)
    throw new LabError(
      `On the machine, \`${command.trim().slice(0, 200)}\` ended with ${ran.code}:\n    ${(ran.stderr + ran.stdout).slice(-2000)}`,
      "see its own words above",
    );
  return ran;
}

/** A port of this machine that nobody listens on. */
async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  server.close();
  await once(server, "close");
  if (address === null || typeof address === "string") throw new Error("no port");
  return address.port;
}
