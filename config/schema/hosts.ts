import { z } from "zod";
import { whole } from "./check";
import { hostName, labName } from "./names";
import { address, hostKey, port, privateKeyFile, torNetwork, user } from "./network";

/** A Debian machine reachable by ssh, as the operator lists it; without a user it takes that of `hosts`. */
export const hostSchema = z
  .strictObject({ name: hostName, address, port: port.prefault(22), user: user.optional(), hostKey })
  .meta({
    description: "A Debian machine that ssh reaches.",
    examples: [{ name: "w1", address: "203.0.113.7", hostKey: "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIA..." }],
  });

export const labHostsSchema = z
  .strictObject({
    provider: z
      .literal("lab")
      .meta({ description: "Hosts in containers on this machine, and a private Tor network.", examples: ["lab"] }),
    name: labName.prefault("dev"),
  })
  .meta({ description: "The built-in lab: no account, no Internet.", examples: [{ provider: "lab" }] });

export const sshHostsSchema = z
  .strictObject({
    provider: z
      .literal("ssh")
      .meta({ description: "Debian machines that exist, listed with their host keys.", examples: ["ssh"] }),
    user,
    privateKeyFile: privateKeyFile.optional(),
    agent: z
      .boolean()
      .prefault(false)
      .meta({
        description: "Log in with the keys of the running ssh agent. Exactly one of privateKeyFile and agent.",
        examples: [true],
      }),
    torNetwork: torNetwork.optional().meta({
      description:
        "torrc lines of a private Tor network, for rehearsals, its DirAuthority lines among them; Onionbalance then uses its test timers. Absent: the public network.",
      examples: [["TestingTorNetwork 1", "DirAuthority a0 orport=5100 v3ident=... 10.0.0.5:7100 ..."]],
    }),
  })
  .meta({
    description: "Machines that ssh reaches.",
    examples: [{ provider: "ssh", user: "admin", privateKeyFile: "~/.ssh/id_ed25519" }],
  });

/** Where the machines come from. */
export const hostsSchema = z.discriminatedUnion("provider", [labHostsSchema, sshHostsSchema]).meta({
  description: "Where the machines come from: `lab` or `ssh`.",
  examples: [{ provider: "lab" }, { provider: "ssh", user: "admin", privateKeyFile: "~/.ssh/id_ed25519" }],
});

// More than this is a slip of the finger: ten backends can be published for a site.
const mostCounted = 50;

/** Machines: a number or names for the lab, machines with address and host key for ssh. */
export function machines(what: string) {
  const number = whole(0, mostCounted, "", { description: "How many.", examples: [2] });
  return z.union([number, z.array(z.union([hostName, hostSchema]))]).meta({
    description: `${what} A number (or names) with the lab; a list of machines with ssh.`,
    unit: "machines",
    examples: [
      2,
      ["north", "south"],
      [{ name: "w1", address: "203.0.113.7", hostKey: "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIA..." }],
    ],
  });
}
