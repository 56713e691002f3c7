// How a machine is reached, and the addresses and times that tor and nginx are given.
import { isIP, isIPv6 } from "node:net";
import { z } from "zod";
import { type Duration, durationPattern, isDuration, parseDuration } from "../duration";
import { hasAuthority, networkOption, networkOptions } from "../../plan/torNetwork";
import { type Fault, type KeyMeta, text, whole } from "./check";
import { domainFault } from "./domain";

/** What is wrong with a machine's address: an IP address or a DNS name, nothing around it. */
export function addressFault(address: string): Fault | undefined {
  if (isIP(address) > 0) return undefined;
  const user = /^([^@]+)@(.+)$/.exec(address);
  if (user)
    return {
      message: "The address has a user in front.",
      next: `Write ${user[2] ?? ""} here and ${user[1] ?? ""} as user.`,
    };
  const bracketed = /^\[(.+)\](:[0-9]+)?$/.exec(address)?.[1];
  if (bracketed !== undefined && isIPv6(bracketed)) {
    return { message: "An IPv6 address stands here without brackets and port.", next: `Write ${bracketed}.` };
  }
  const port = /^([^:]+):([0-9]+)$/.exec(address);
  if (port)
    return {
      message: "The port is a key of its own.",
      next: `Write ${port[1] ?? ""} here and port: ${port[2] ?? ""}.`,
    };
  const single = /^[a-z0-9]([a-z0-9-]*[a-z0-9])?$/.test(address);
  const numbers = /^[0-9.]+$/.test(address);
  if (!numbers && (single || !domainFault(address))) return undefined;
  return {
    message: "This is neither an IP address nor a DNS name.",
    next: "Give the address that ssh reaches, e.g. 203.0.113.7 or w1.example.net.",
  };
}

const keyTypes = ["ssh-ed25519", "ecdsa-sha2-nistp256", "ecdsa-sha2-nistp384", "ecdsa-sha2-nistp521", "ssh-rsa"];
/** Where a host key comes from. */
export const hostKeyNext =
  "Give type and key from /etc/ssh/ssh_host_ed25519_key.pub, read on the host's console or from your provider, not over the network.";

/** What is wrong with a pinned host key; it is the line of the host's own .pub file. */
export function hostKeyFault(hostKey: string): Fault | undefined {
  const fault = (message: string): Fault => ({ message, next: hostKeyNext });
  if (hostKey.trim() === "") return fault("The host key is empty.");
  if (/[\r\n]/.test(hostKey)) return fault("A host key is one line.");
  if (/^(SHA256|MD5):/.test(hostKey)) return fault("This is a fingerprint; the key itself is needed.");
  const [type = "", key = "", third = ""] = hostKey.split(" ");
  if (!keyTypes.includes(type)) {
    if (keyTypes.includes(key))
      return { message: "This is a line of known_hosts.", next: `Leave out its first word: ${key} ${third}` };
    return fault(`A host key begins with its type: ${keyTypes.join(", ")}.`);
  }
  // RFC 4253 6.6: the blob begins with the length and the name of its own type.
  const blob = /^[A-Za-z0-9+/]+={0,2}$/.test(key) ? Buffer.from(key, "base64") : Buffer.alloc(0);
  const named = blob.length > 4 ? blob.subarray(4, 4 + blob.readUInt32BE(0)).toString("latin1") : "";
  if (named !== type || blob.length < 4 + type.length + 32)
    return fault(`What follows ${type} is not such a key: it is cut or changed.`);
  if (type === "ssh-ed25519" && blob.length !== 51) return fault("The key is cut: an ed25519 key has 32 bytes.");
  return undefined;
}

/** What is wrong with a login name. */
export function userFault(user: string): Fault | undefined {
  if (/^[a-z_][a-z0-9_-]{0,31}$/.test(user)) return undefined;
  return {
    message: "A login name is made of a-z, 0-9, _ and -, begins with a letter and has at most 32 characters.",
    next: "Give the user that logs in with ssh and can sudo without a password, e.g. admin.",
  };
}

/** What is wrong with the path of a private key; key text itself must not be in a plain config. */
export function privateKeyFileFault(path: string): Fault | undefined {
  if (path.includes("PRIVATE KEY") || /[\r\n]/.test(path)) {
    return {
      message: "This is not a path. A private key does not belong in a stack's file.",
      next: "Remove it from the file and its history, and give the path of the key, e.g. ~/.ssh/id_ed25519.",
    };
  }
  return path.trim() === ""
    ? { message: "The path is empty.", next: "Give the path of the private key, e.g. ~/.ssh/id_ed25519." }
    : undefined;
}

const resolverForm = /^(?:\[(?<six>[^\]]+)\]|(?<four>[0-9.]+))(?::(?<port>[0-9]{1,5}))?$/;

/** What is wrong with a resolver's address: IPv4 or IPv6, a port where it is not 53. */
export function resolverFault(resolver: string): Fault | undefined {
  if (isIPv6(resolver)) return undefined;
  const groups = resolverForm.exec(resolver)?.groups;
  const port = Number(groups?.["port"] ?? 53);
  if (groups && port > 0 && port < 65536 && (isIPv6(groups["six"] ?? "") || isIP(groups["four"] ?? "") === 4))
    return undefined;
  return {
    message: "A resolver is an IP address, with a port where it is not 53.",
    next: "Write it as 10.0.0.2, 10.0.0.2:5353 or [2001:db8::2]:5353.",
  };
}

export const address = text(addressFault, {
  description: "Where ssh reaches the machine: an IP address or a DNS name.",
  examples: ["203.0.113.7", "w1.example.net"],
});

export const hostKey = text(hostKeyFault, {
  description:
    "The machine's public ssh host key, type and key. Pinned: a host with another key is refused, none is trusted on first use.",
  examples: ["ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIA..."],
  pattern: `^(${keyTypes.join("|")}) [A-Za-z0-9+/]+={0,2}`,
});

export const user = text(userFault, {
  description: "User that logs in and can sudo without a password.",
  examples: ["admin"],
});

export const privateKeyFile = text(privateKeyFileFault, {
  description: "Path of the private key that logs in; `~` is your home. Exactly one of privateKeyFile and agent.",
  examples: ["~/.ssh/id_ed25519"],
});

/** An IPv6 resolver leaves in brackets, the way nginx's resolver directive wants it. */
export const resolver = text(resolverFault, {
  description: "Address of a DNS resolver.",
  examples: ["10.0.0.2"],
}).transform((given) => (isIPv6(given) ? `[${given}]` : given));

export const port = whole(1, 65535, "", { description: "Port of its sshd.", examples: [22], unit: "port" });

/** A duration key with its default, in seconds once parsed, between two durations. */
export function duration<Default extends Duration>(
  least: Duration,
  most: Duration,
  fallback: Default,
  meta: Omit<KeyMeta, "pattern">,
) {
  return seconds(least, most, fallback, meta).prefault(fallback);
}

/** A duration, in seconds once parsed, between two durations; `fallback` is what a report names as the default. */
export function seconds(least: Duration, most: Duration, fallback: Duration, meta: Omit<KeyMeta, "pattern">) {
  const check = (given: string): Fault | undefined => {
    if (!isDuration(given)) {
      return {
        message: "A duration is a whole number and its unit: s, m or h.",
        next: /^[0-9]+$/.test(given) ? `Write ${given}s if seconds are meant.` : `Write it like ${fallback}.`,
      };
    }
    const seconds = parseDuration(given);
    if (seconds >= parseDuration(least) && seconds <= parseDuration(most)) return undefined;
    return {
      message: `It must be from ${least} to ${most}.`,
      next: `Choose a value there; the default is ${fallback}.`,
    };
  };
  const parsed = text(check, { unit: "duration", ...meta, pattern: durationPattern }).transform((given) =>
    parseDuration(given as Duration),
  );
  return parsed as z.ZodType<number, Duration>;
}

/** What is wrong with one torrc line of a private network: what the templates would refuse is told here, by its place. */
export function torrcLineFault(line: string): Fault | undefined {
  if (networkOption(line) !== undefined) return undefined;
  if (/^[A-Za-z0-9]+ +[!-~][ -~]*$/.test(line)) {
    return {
      message: `This is not one of the options of a private network (${networkOptions}).`,
      next: "Remove the line, or correct the option's name.",
    };
  }
  return {
    message: "This is not one torrc line: an option, a blank, its value.",
    next: "Write e.g. TestingTorNetwork 1.",
  };
}

/** What is wrong with the lines of a private network together. */
export function torNetworkFault(lines: readonly string[]): Fault | undefined {
  if (hasAuthority(lines)) return undefined;
  return {
    message: "No line names a DirAuthority: these tors would be on the public network.",
    next: "Add the network's DirAuthority lines, or remove torNetwork if the public network is meant.",
  };
}

const torrcLine = text(torrcLineFault, {
  description: "A torrc line.",
  examples: ["TestingTorNetwork 1"],
  pattern: "^(Testing[A-Za-z0-9]*|DirAuthority|PathsNeededToBuildCircuits) +[!-~][ -~]*$",
});

/** The torrc lines of a private network, its authorities among them. */
export const torNetwork = z
  .array(torrcLine)
  .check((context) => {
    const fault = torNetworkFault(context.value);
    if (fault) {
      const { message, next } = fault;
      context.issues.push({ code: "custom", message, input: context.value, params: { next } });
    }
  })
  .meta({ contains: { type: "string", pattern: "^DirAuthority +[!-~]" } });
