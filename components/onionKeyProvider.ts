// The dynamic provider behind OnionKey; the state has its name alone, see providedResource.ts.
import { randomBytes } from "node:crypto";
import type * as pulumi from "@pulumi/pulumi";
import { checkOnionAddress } from "../onion/address";
import { adoptKey } from "../onion/adopt";
import { keysOfSeed, type OnionKeys } from "../onion/keys";
import { unreadable } from "./homePath";
import { unknownValue as unknown } from "./unknownValue";

/** What the engine keeps: the address parts are inputs only where a key was given, so that a preview knows them. */
interface KeyState {
  readonly label: string;
  readonly onion?: string;
  readonly replaceAddress?: string;
  readonly secretKey?: string;
  readonly address?: string;
  readonly hostname?: string;
  readonly publicKey?: string;
}

function parts(keys: OnionKeys): Required<Pick<KeyState, "address" | "hostname" | "publicKey" | "secretKey">> {
  return {
    address: keys.address,
    hostname: `${keys.address}\n`,
    publicKey: Buffer.from(keys.publicFile).toString("base64"),
    secretKey: Buffer.from(keys.secretFile).toString("base64"),
  };
}

// Failures carry no property: the engine prints the value of a failed property, and that could be the key.
function failure(reason: string): pulumi.dynamic.CheckFailure {
  return { property: "", reason };
}

function changeRefused(label: string, from: string, to: string): string {
  return `${label}: its address would change from ${from} to ${to}. Next: give the key of ${from} back, or let that address go with replaceAddress: ${from}`;
}

function fileUnreadable(label: string, code: string): string {
  const forms = "a key (base64 of tor's hs_ed25519_secret_key, or PEM)";
  return (
    `${label}: key is neither ${forms} nor the name of a file that can be read (${code}). Next: correct it. ` +
    "If it was adopted already, remove it from siteKeys, and the site's onion with it: the stack keeps key and address"
  );
}

const addressNext = "Next: give all of the address as tor's hostname file has it, <56 characters>.onion";

/**
 * What becomes of an existing key: kept, or replaced in place. Throws when its address would change without having
 * been let go by name, or is not the one that the config says.
 */
function decide(held: KeyState, wanted: KeyState): "keep" | "replace" {
  const { label, onion, replaceAddress } = wanted;
  const current = held.address ?? "";
  if (wanted.secretKey === unknown || onion === unknown || replaceAddress === unknown) return "replace";
  const letGo = replaceAddress === current;
  if (wanted.address !== undefined) {
    if (wanted.address === current) return "keep";
    if (!letGo) throw plainError(changeRefused(label, current, wanted.address));
    return "replace";
  }
  if (onion !== undefined && onion !== current) {
    throw plainError(
      `${label}: onion says ${onion} but the key that is held is that of ${current}. Next: write ${current} as onion, ` +
        `or give the key of ${onion} and let the other go with replaceAddress: ${current}`,
    );
  }
  if (letGo && onion === current) {
    throw plainError(
      `${label}: onion and replaceAddress are both ${current}: it cannot be kept and let go. Next: remove one of them`,
    );
  }
  return letGo ? "replace" : "keep";
}

// The dynamic provider's host prints an error's stack beside its message: a person needs only the message.
function plainError(message: string): Error {
  const error = new Error(message);
  error.stack = "";
  return error;
}

function outputs(inputs: KeyState): Required<Pick<KeyState, "address" | "hostname" | "publicKey" | "secretKey">> {
  return parts(inputs.secretKey === undefined ? keysOfSeed(randomBytes(32)) : adoptKey(inputs.secretKey).keys);
}

/** One object for all keys. No `read` and no `delete`: a key is nowhere but in the state. */
export const onionKeyProvider: pulumi.dynamic.ResourceProvider = {
  async check(olds: Partial<KeyState> & { __provider?: string }, news: KeyState) {
    const { label, onion, replaceAddress } = news;
    const failures: pulumi.dynamic.CheckFailure[] = [];
    const problem = onion === undefined || onion === unknown ? undefined : checkOnionAddress(onion);
    if (problem !== undefined) failures.push(failure(`${label}: onion "${onion}": ${problem}. ${addressNext}`));
    const old =
      replaceAddress === undefined || replaceAddress === unknown ? undefined : checkOnionAddress(replaceAddress);
    if (old !== undefined)
      failures.push(failure(`${label}: replaceAddress "${replaceAddress}": ${old}. ${addressNext}`));

    const inputs: Record<string, string> = { label };
    if (onion !== undefined) inputs["onion"] = onion;
    if (replaceAddress !== undefined) inputs["replaceAddress"] = replaceAddress;
    if (news.secretKey === unknown) {
      for (const name of ["address", "hostname", "publicKey", "secretKey"]) inputs[name] = unknown;
    } else if (news.secretKey?.startsWith(unreadable)) {
      failures.push(failure(fileUnreadable(label, news.secretKey.slice(unreadable.length))));
    } else if (news.secretKey !== undefined) {
      try {
        const given = parts(adoptKey(news.secretKey).keys);
        Object.assign(inputs, given);
        if (onion !== undefined && onion !== unknown && problem === undefined && onion !== given.address) {
          const next = `Next: give the key of ${onion}, or correct onion`;
          failures.push(
            failure(`${label}: onion says ${onion} but the key given is that of ${given.address}. ${next}`),
          );
        }
        // A key that was given before is known here; the address of a generated one only `diff` sees.
        if (olds.address !== undefined && olds.address !== given.address && replaceAddress !== olds.address) {
          if (olds.address !== unknown) failures.push(failure(changeRefused(label, olds.address, given.address)));
        }
      } catch (error) {
        const next = "Next: give the whole contents of the key's file again";
        failures.push(failure(`${label}: key: ${(error as Error).message}. ${next}`));
      }
    } else if (onion !== undefined && onion !== unknown && olds.__provider === undefined) {
      failures.push(
        failure(
          `${label}: onion says ${onion} but its key was not given. Next: give the key, or remove onion for a new address`,
        ),
      );
    }
    return { inputs, failures };
  },

  async diff(_id: string, held: KeyState, wanted: KeyState) {
    return { changes: decide(held, wanted) === "replace" };
  },

  async create(inputs: KeyState) {
    return { id: inputs.label, outs: { ...inputs, ...outputs(inputs) } };
  },

  async update(_id: string, held: KeyState, wanted: KeyState) {
    const { address = "", hostname = "", publicKey = "", secretKey = "" } = held;
    const key = decide(held, wanted) === "replace" ? outputs(wanted) : { address, hostname, publicKey, secretKey };
    return { outs: { ...wanted, ...key } };
  },
};
