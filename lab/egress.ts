import { LabError } from "./errors";
import { addresses, type Lab } from "./places";
import { podman } from "./podman";
import { runAsRoot } from "./run";

/** What the egress lock of a lab is made of. */
export interface LockModel {
  readonly table: string;
  /** Bridge of the lab's network. */
  readonly bridge: string;
  /** First three numbers of the lab's /24. */
  readonly subnet: string;
  /** Addresses of the package mirror. */
  readonly mirror: readonly string[];
}

/**
 * The lock as nft text: whatever enters from the lab's bridge, under whatever source address, leaves it only to the lab itself and to the
 * package mirror. No DNS leaves either: the lab's DNS knows every name a lab host may ask for. The machine itself answers what it asked,
 * nothing else. Family inet, so that IPv6 is stopped with the rest. A refusal is answered only to the lab's own addresses: the answer to a
 * made-up one would itself leave the machine.
 */
export function lockText({ table, bridge, subnet, mirror }: LockModel): string {
  const elements = mirror.length > 0 ? ` elements = { ${mirror.join(", ")} };` : "";
  // "add, delete, add" in one transaction: there is no moment without a lock
  return `table inet ${table} { }
delete table inet ${table}
table inet ${table} {
  set mirror { type ipv4_addr;${elements} }
  counter refused { }
  counter machine { }
  chain labforward {
    type filter hook forward priority -150; policy accept;
    iifname "${bridge}" oifname "${bridge}" accept
    iifname "${bridge}" ip saddr ${subnet}.0/24 ip daddr @mirror tcp dport { 80, 443 } accept
    iifname "${bridge}" ip saddr ${subnet}.0/24 counter name "refused" reject with icmpx admin-prohibited
    iifname "${bridge}" counter name "refused" drop
    oifname "${bridge}" ct state established,related accept
    oifname "${bridge}" counter name "refused" drop
  }
  chain labinput {
    type filter hook input priority -150; policy accept;
    iifname "${bridge}" ct state established,related accept
    iifname "${bridge}" ip saddr ${subnet}.0/24 counter name "machine" reject with icmpx admin-prohibited
    iifname "${bridge}" counter name "machine" drop
  }
}
`;
}

/** Lines that must be read back, in nft's own spelling, before anything boots. */
export function lockProof({ bridge }: { readonly bridge: string }): string[] {
  return [
    `iifname "${bridge}" counter name "refused" drop`,
    `oifname "${bridge}" counter name "refused" drop`,
    `iifname "${bridge}" counter name "machine" drop`,
  ];
}

/** Loads the lock and reads it back. @throws LabError when what is loaded is not what was meant: no lock, no lab */
export async function loadLock(model: LockModel): Promise<void> {
  await runAsRoot(["nft", "-f", "-"], {
    input: lockText(model),
    next: "the lab needs nftables with inet tables in this kernel",
  });
  await assertLock(model);
}

/** True when exactly this lock is loaded already. */
export async function lockInForce(model: LockModel): Promise<boolean> {
  const ran = await runAsRoot(["nft", "list", "table", "inet", model.table], { mayFail: true });
  const wanted = [...lockProof(model), ...model.mirror, `ip saddr ${model.subnet}.0/24`];
  return ran.code === 0 && wanted.every((text) => ran.text.includes(text));
}

/** Reads the lock back. @throws LabError when it is not there or not whole */
export async function assertLock(model: { readonly table: string; readonly bridge: string }): Promise<void> {
  const ran = await runAsRoot(["nft", "list", "table", "inet", model.table], { mayFail: true });
  const lacking = lockProof(model).filter((line) => !ran.text.includes(line));
  if (ran.code !== 0 || lacking.length > 0)
    throw new LabError(
      `The egress lock (nft table inet ${model.table}) is not in force: nothing boots without it.`,
      `run \`npm run lab -- up\` again, it loads the lock; ${ran.code === 0 ? `missing: ${lacking.join("; ")}` : ran.stderr.trim()}`,
    );
}

/** Packets that the lock has stopped so far: on the way out of the machine, and to the machine itself. Undefined when there is no lock. */
export async function lockCounters(lab: Lab): Promise<{ refused: number; machine: number } | undefined> {
  const ran = await runAsRoot(["nft", "-j", "list", "table", "inet", lab.table], { mayFail: true });
  if (ran.code !== 0) return undefined;
  const parsed = JSON.parse(ran.text) as { nftables: { counter?: { name: string; packets: number } }[] };
  const packets = (name: string) =>
    parsed.nftables.find((entry) => entry.counter?.name === name)?.counter?.packets ?? 0;
  return { refused: packets("refused"), machine: packets("machine") };
}

// connect() to an address that nobody has (RFC 5737, TEST-NET-2): prints the errno's name
const PROBE = `
import errno, socket
s = socket.socket(); s.settimeout(5)
try: s.connect(("198.51.100.7", 443)); print("CONNECTED")
except socket.timeout: print("TIMEOUT")
except OSError as e: print(errno.errorcode.get(e.errno, e.errno))
`;

/** Proves the lock from inside: a container of the lab tries to leave, and must be refused and counted. The first thing that runs on the lab's network. */
export async function probeLock(lab: Lab, state: { readonly subnet: string }, image: string): Promise<void> {
  const before = (await lockCounters(lab))?.refused ?? 0;
  const args = [
    "run",
    "--rm",
    "--name",
    `softmap-${lab.name}-probe`,
    "--label",
    lab.label,
    "--label",
    "softmap.role=probe",
    "--systemd=false",
    "--pull=never",
  ];
  const net = ["--network", lab.network, "--ip", addresses(state).probe];
  const ran = await podman([...args, ...net, image, "python3", "-c", PROBE], {
    next: "podman cannot run containers on this machine: see its own words above",
  });
  const after = (await lockCounters(lab))?.refused ?? 0;
  const outcome = ran.text.trim();
  if (!["EHOSTUNREACH", "ECONNREFUSED", "EACCES", "EPERM", "ENETUNREACH"].includes(outcome) || after <= before)
    throw new LabError(
      `The egress lock does not hold: a connection from the lab to 198.51.100.7 ended as ${outcome}, ${after - before} packets counted.`,
      `look at \`nft list table inet ${lab.table}\`; another firewall on this machine may come first`,
    );
}

/** Closes the way to the package mirror, as when it is down. */
export async function blockMirror(lab: Lab): Promise<void> {
  await runAsRoot(["nft", "flush", "set", "inet", lab.table, "mirror"]);
}

/** Opens the way to the package mirror again, to these addresses. */
export async function openMirror(lab: Lab, mirror: readonly string[]): Promise<void> {
  await runAsRoot(["nft", "add", "element", "inet", lab.table, "mirror", `{ ${mirror.join(", ")} }`]);
}

/** Removes the lock. Only when nothing of the lab runs any more. */
export async function dropLock(lab: Lab): Promise<boolean> {
  return (await runAsRoot(["nft", "delete", "table", "inet", lab.table], { mayFail: true })).code === 0;
}
