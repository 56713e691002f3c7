import { LabError } from "./errors";
import { containerName, stateOf, type Lab } from "./places";
import { blockMirror as block, openMirror } from "./egress";
import { hostUp } from "./hosts";
import { podman } from "./podman";

/** Faults for tests: each has its way back. */

/** The package mirror is down for the whole lab: connections are refused. Back with {@link unblockMirror}, or the lab's `up`. */
export function blockMirror(lab: Lab): Promise<void> {
  return block(lab);
}

/** The package mirror is there again. */
export function unblockMirror(lab: Lab): Promise<void> {
  return openMirror(lab, Object.values(stateOf(lab).mirror).flat());
}

// In the host's own network namespace: works whether or not this machine's bridges pass through nft
const CUT = `table inet labcut {
  chain in { type filter hook input priority -300; policy drop; iifname "lo" accept; }
  chain out { type filter hook output priority -300; policy drop; oifname "lo" accept; }
}
`;

/** Nothing reaches the host and nothing comes from it, silently, as with a pulled cable. Back with {@link heal}; a reboot heals too. */
export async function partition(lab: Lab, host: string): Promise<void> {
  await podman(["exec", "-i", containerName(lab, host), "nft", "-f", "-"], { input: CUT });
}

/** Ends a {@link partition}. */
export async function heal(lab: Lab, host: string): Promise<void> {
  await podman(["exec", containerName(lab, host), "nft", "delete", "table", "inet", "labcut"]);
}

/** Power cut: all processes of the host are killed, nothing is flushed or told. Back with `hostUp`. */
export async function powerCut(lab: Lab, host: string): Promise<void> {
  await podman(["kill", containerName(lab, host)]);
}

/** Reboots the host as its own systemd does it, and waits until ssh accepts logins again. */
export async function reboot(lab: Lab, host: string): Promise<void> {
  const container = containerName(lab, host);
  const bootId = async () =>
    (await podman(["exec", container, "cat", "/proc/sys/kernel/random/boot_id"], { mayFail: true })).text;
  const before = await bootId();
  await podman(["exec", container, "systemctl", "reboot"], { mayFail: true });
  for (let now = before; now === before || now === ""; now = await bootId());
  await hostUp(lab, host);
}

// The network's own program ends when a node ends, unless its folder says that it may. Its pid is only known in the container.
const SIGNAL = `cd /var/lib/lab-tor && node=$(grep -liE "^($1 .*|.* $1)$" r*/fingerprint | cut -d/ -f1) && [ -n "$node" ] || exit 3
[ "$2" != KILL ] || : > "$node/may-end"
for process in /proc/[0-9]*; do
  if tr "\\0" " " < "$process/cmdline" | grep -q "^tor .*/$node/torrc "; then exec kill "-$2" "\${process#/proc/}"; fi
done 2>/dev/null
exit 4`;

/** A relay of the Tor network, by nickname or fingerprint, hangs: it answers nothing and refuses nobody. Back with {@link wakeRelay}. */
export function hangRelay(lab: Lab, relay: string): Promise<void> {
  return signalRelay(lab, relay, "STOP");
}

/** Ends a {@link hangRelay}. */
export function wakeRelay(lab: Lab, relay: string): Promise<void> {
  return signalRelay(lab, relay, "CONT");
}

/** A relay of the Tor network ends at once and refuses whoever comes. It is back with a new network only. */
export function killRelay(lab: Lab, relay: string): Promise<void> {
  return signalRelay(lab, relay, "KILL");
}

async function signalRelay(lab: Lab, relay: string, signal: "STOP" | "CONT" | "KILL"): Promise<void> {
  const ran = await podman(["exec", containerName(lab, "tor"), "sh", "-c", SIGNAL, "sh", relay, signal], {
    mayFail: true,
  });
  if (ran.code === 3)
    throw new LabError(
      `The Tor network has no relay ${relay}.`,
      "take one that is no authority: their votes are needed",
    );
  if (ran.code !== 0)
    throw new LabError(`Relay ${relay} did not get SIG${signal}: ${ran.stderr}`, "does it still run?");
}
