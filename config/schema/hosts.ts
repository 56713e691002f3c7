import { z } from "zod";
import { mostDistinct } from "../../plan/budget";
import { whole } from "./check";
import { hostName, labName } from "./names";
import { awsHostsSchema, instanceType, zone } from "./aws";
import { baseSettings } from "./base";
import { address, hostKey, port, privateKeyFile, torNetwork, user } from "./network";
import { proxy } from "./proxy";

/** A Debian machine reachable by ssh, as the operator lists it; without a user it takes that of `hosts`. */
export const hostSchema = z
  .strictObject({ name: hostName, address, port: port.prefault(22), user: user.optional(), hostKey })
  .meta({
    description: "A Debian machine that ssh reaches.",
    examples: [{ name: "w1", address: "203.0.113.7", hostKey: "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIA..." }],
  });

/** An entry of `balancers` or `workers` in a stack's config. Which of its keys it may and must have is the provider's: rules/hosts.ts. */
export const machineSchema = z
  .strictObject({
    name: hostName,
    address: address.optional(),
    port: port.optional(),
    user: user.optional(),
    hostKey: hostKey.optional(),
    local: z
      .literal(true)
      .optional()
      .meta({ description: "With provider ssh: this machine itself, in place of an address.", examples: [true] }),
    zone: zone.optional().meta({
      description: "With provider aws: its availability zone. Absent: the zones in turn.",
      examples: ["eu-central-1a"],
    }),
    instanceType: instanceType.optional().meta({
      description: "With provider aws: its instance type. Absent: that of its role.",
      examples: ["t4g.medium"],
    }),
  })
  .meta({
    description: "A Debian machine, as its provider needs it.",
    examples: [{ name: "w1", address: "203.0.113.7", hostKey: "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIA..." }],
  });

export const labHostsSchema = z
  .strictObject({
    provider: z
      .literal("lab")
      .meta({ description: "Hosts in containers on this machine, and a private Tor network.", examples: ["lab"] }),
    name: labName.prefault("dev"),
    ...baseSettings(true),
  })
  .meta({ description: "The built-in lab: no account, no Internet.", examples: [{ provider: "lab" }] });

const privateNetwork = torNetwork.optional().meta({
  description:
    "torrc lines of a private Tor network, for rehearsals, its DirAuthority lines among them; Onionbalance then uses its test timers. Absent: the public network.",
  examples: [["TestingTorNetwork 1", "DirAuthority a0 orport=5100 v3ident=... 10.0.0.5:7100 ..."]],
});

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
    proxy: proxy.optional(),
    torNetwork: privateNetwork,
    ...baseSettings(true),
  })
  .meta({
    description: "Machines that ssh reaches.",
    examples: [{ provider: "ssh", user: "admin", privateKeyFile: "~/.ssh/id_ed25519" }],
  });

export const localHostsSchema = z
  .strictObject({
    provider: z
      .literal("local")
      .meta({ description: "The machine that this program runs on, through sudo.", examples: ["local"] }),
    torNetwork: privateNetwork,
    ...baseSettings(false),
  })
  .meta({ description: "This machine.", examples: [{ provider: "local" }] });

/** Where the machines come from. */
export const hostsSchema = z
  .discriminatedUnion("provider", [labHostsSchema, sshHostsSchema, awsHostsSchema, localHostsSchema])
  .meta({
    description: "Where the machines come from: `lab`, `ssh`, `aws` or `local`.",
    examples: [{ provider: "lab" }, { provider: "ssh", user: "admin", privateKeyFile: "~/.ssh/id_ed25519" }],
  });

// More than this is a slip of the finger: a site has no more backends than that.
const mostCounted = mostDistinct;

/** Machines: a number or names where the provider makes them, machines with address and host key for ssh. */
export function machines(what: string) {
  const number = whole(0, mostCounted, "", { description: "How many.", examples: [2] });
  return z.union([number, z.array(z.union([hostName, machineSchema]))]).meta({
    description: `${what} A number, or a list of names, with the lab and aws; a list of machines with ssh.`,
    unit: "machines",
    examples: [
      2,
      ["north", "south"],
      [{ name: "w1", address: "203.0.113.7", hostKey: "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIA..." }],
      [{ name: "w1", zone: "eu-central-1a" }],
    ],
  });
}
