import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { createInterface } from "node:readline";
import type { Lab } from "../../lab/lab";
import { findNetwork } from "../../lab/network";
import { LAST_HOST } from "../../lab/places";
import { asRoot } from "../../lab/run";

/** Added to each packet, each way, and the share of packets that are lost. */
export const FAR = { milliseconds: 40, loss: 0.02, seed: 9 } as const;

/** A long way to the lab's hosts: commands that begin with {@link place} run at its other end. The hosts' own traffic, Tor's, is not on it. */
export interface FarLink {
  readonly place: readonly string[];
  readonly end: () => Promise<void>;
}

/** @throws Error when the kernel has no TUN device, or the link does not come up */
export async function farLink(lab: Lab): Promise<FarLink> {
  if (process.getuid?.() !== 0) throw new Error("--far puts the deployer into a network namespace: run it as root");
  const network = await findNetwork(lab);
  if (network === undefined) throw new Error(`lab ${lab.name} has no network`);
  const namespace = `softmap-${lab.name}-far`;
  const address = `${network.subnet}.${LAST_HOST + 1}/24`;
  // The name of a device has 15 characters.
  const devices = ["n", "f"].map((end) => `${lab.name.slice(0, 13)}-${end}`);
  const link = [FAR.milliseconds, FAR.loss, FAR.seed].map(String);
  const words = asRoot(["python3", join(__dirname, "far.py"), namespace, network.bridge, address, ...devices, ...link]);
  const [program = "", ...args] = words;
  const child = spawn(program, args, { stdio: ["pipe", "pipe", "inherit"] });
  const ended = once(child, "close");
  const ready = once(createInterface(child.stdout), "line");
  await Promise.race([ready, ended.then(() => Promise.reject(new Error("the far link did not come up, see above")))]);
  return {
    place: ["ip", "netns", "exec", namespace],
    end: async () => {
      child.stdin.end();
      await ended;
    },
  };
}
