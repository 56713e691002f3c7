import { readFileSync } from "node:fs";
import { LabError } from "./errors";
import { addresses, type Lab } from "./places";
import { podman } from "./podman";
import { run, runAsRoot } from "./run";

/** First three numbers of the /24s to try, best first: a lab starts at a place of its own, so that labs made at the same time seldom collide. */
export function candidates(name: string): string[] {
  const count = 64 * 256; // 10.64.0 to 10.127.255: seldom used elsewhere
  let hash = 0;
  for (const char of name) hash = (hash * 31 + char.charCodeAt(0)) % count;
  return Array.from({ length: 256 }, (_, n) => (hash + n * 257) % count).map((n) => `10.${64 + (n >> 8)}.${n & 255}`);
}

/** True when the /24 `subnet` and a route such as `10.64.0.0/10` have an address in common. */
export function overlaps(subnet: string, route: string): boolean {
  const [address = "", bits = "32"] = route.split("/");
  if (!/^\d+\.\d+\.\d+\.\d+$/.test(address) || bits === "0") return false;
  const shift = 2 ** (32 - Math.min(24, Number(bits)));
  return Math.floor(number(address) / shift) === Math.floor(number(`${subnet}.0`) / shift);
}

const number = (address: string) => address.split(".").reduce((sum, part) => sum * 256 + Number(part), 0);

/** A /24 that neither this machine's routes nor podman's networks use. `avoid` are those found taken meanwhile. */
export async function freeSubnet(lab: Lab, avoid: readonly string[]): Promise<string> {
  const used = await subnetsInUse();
  const free = candidates(lab.name).find(
    (subnet) => !avoid.includes(subnet) && !used.some((route) => overlaps(subnet, route)),
  );
  if (!free)
    throw new LabError(
      "No free /24 for the lab between 10.64.0.0 and 10.127.255.255.",
      "take down labs that nobody uses (podman network ls)",
    );
  return free;
}

async function subnetsInUse(): Promise<string[]> {
  const routes = JSON.parse((await run(["ip", "-j", "-4", "route", "show", "table", "all"])).text || "[]") as {
    dst: string;
    type?: string;
  }[];
  const names = (await podman(["network", "ls", "-q"])).text.split("\n").filter(Boolean);
  const networks = names.length === 0 ? [] : await inspect(names);
  // the machine's resolver may be far behind a default route, but must stay reachable
  return [
    ...routes.filter((route) => route.dst !== "default").map((route) => route.dst),
    ...networks.flatMap((one) => (one.subnets ?? []).map((subnet) => subnet.subnet)),
  ];
}

interface Network {
  readonly network_interface: string;
  readonly subnets?: readonly { readonly subnet: string }[];
}

async function inspect(names: readonly string[]): Promise<Network[]> {
  const ran = await podman(["network", "inspect", ...names], { mayFail: true });
  return JSON.parse(ran.text || "[]") as Network[];
}

/**
 * Gives the bridge the MAC that it has, for good. Left alone it takes the lowest of its ports' (br_stp_recalculate_bridge_id in
 * the kernel), which changes when a host comes or goes: the others would not reach the gateway until their ARP entries lapse.
 */
export async function keepAddress(bridge: string): Promise<void> {
  const address = readFileSync(`/sys/class/net/${bridge}/address`, "utf8").trim();
  await runAsRoot(["ip", "link", "set", "dev", bridge, "address", address]);
}

/** The lab's network as podman has it, undefined when there is none. */
export async function findNetwork(lab: Lab): Promise<{ bridge: string; subnet: string } | undefined> {
  const [network] = await inspect([lab.network]);
  const subnet = network?.subnets?.[0]?.subnet;
  return network && subnet ? { bridge: network.network_interface, subnet: subnet.replace(/\.0\/24$/, "") } : undefined;
}

/**
 * The lab's network, made when it is not there.
 * @param remembered the subnet that the lab had before; another is taken when somebody else uses it now
 * @returns its bridge (read back: podman chooses the name) and the first three numbers of its /24
 */
export async function ensureNetwork(
  lab: Lab,
  remembered: string | undefined,
): Promise<{ bridge: string; subnet: string }> {
  const found = await findNetwork(lab);
  if (found) return found;
  const tried: string[] = [];
  for (;;) {
    const used = await subnetsInUse();
    const again = remembered && tried.length === 0 && !used.some((route) => overlaps(remembered, route));
    const subnet = again ? remembered : await freeSubnet(lab, tried);
    tried.push(subnet);
    const { gateway } = addresses({ subnet });
    // no --ipv6: the lab is IPv4 only. The lab's own DNS answers, not podman's, which would ask this machine's resolver
    const args = [
      "network",
      "create",
      "--disable-dns",
      "--subnet",
      `${subnet}.0/24`,
      "--gateway",
      gateway,
      "--label",
      lab.label,
      lab.network,
    ];
    const made = await podman(args, { mayFail: true });
    const now = await findNetwork(lab);
    if (now) return now;
    if (!/subnet|in use/i.test(made.stderr) || tried.length > 5)
      throw new LabError(
        `podman made no network for the lab: ${made.stderr.trim()}`,
        "see podman's own words; `podman network ls` lists what is there",
      );
  }
}
