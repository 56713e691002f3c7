// What a stack's exported state, its secrets in clear, says of onion keys. Everything in here is secret but addresses and names.
import { isRecord } from "../../config/place";
import { parseSecretFile, writeHiddenServiceDir, type OnionKeys } from "../../onion/keys";
import { BackupError } from "./seal";

/** An onion key of the state. */
export interface KeptKey {
  /** The domain of a site, the resource's name else. */
  readonly name: string;
  /** With `.onion`. */
  readonly address: string;
  /** A backend's key can be made anew at any time; a site's never. */
  readonly kind: "site" | "backend";
  readonly keys: OnionKeys;
}

/** How Pulumi marks a secret in a state. */
const secretMark = "4dabf18193072939515e22adb298388d";

/** The deployment in an exported state. @throws {BackupError} when the text is no state */
export function deploymentOf(text: string): Record<string, unknown> {
  const state = parsed(text);
  const deployment = isRecord(state) ? state["deployment"] : undefined;
  if (isRecord(deployment)) return deployment;
  throw new BackupError("What Pulumi exported is no state.", "see that `pulumi stack export` works.");
}

/** The resources of an exported state. */
export function resourcesOf(text: string): Record<string, unknown>[] {
  const { resources } = deploymentOf(text);
  return Array.isArray(resources) ? resources.filter(isRecord) : [];
}

/**
 * Every onion key in a state.
 * @throws {BackupError} when one is encrypted still, or is not the key of its address
 */
export function keysIn(text: string): KeptKey[] {
  return resourcesOf(text).flatMap((resource) => {
    const urn = String(resource["urn"]);
    if (!urn.includes("softmap:OnionKey::") || resource["delete"] === true) return [];
    const outputs = isRecord(resource["outputs"]) ? resource["outputs"] : {};
    const address = String(clear(outputs["address"]));
    return [{ name: urn.split("::").slice(3).join("::"), address, kind: kindOf(urn), keys: keyOf(outputs, address) }];
  });
}

const kindOf = (urn: string): KeptKey["kind"] =>
  (urn.split("::")[2] ?? "").includes("softmap:index:Workers$") ? "backend" : "site";

function keyOf(outputs: Readonly<Record<string, unknown>>, address: string): OnionKeys {
  const secret = clear(outputs["secretKey"]);
  try {
    if (typeof secret !== "string") throw new Error("encrypted");
    const keys = parseSecretFile(Buffer.from(secret, "base64"));
    if (keys.address === address) return keys;
  } catch {
    // said below, without what it is
  }
  throw new BackupError(
    `The state has no key that belongs to ${address}.`,
    "see that `pulumi stack export --show-secrets` works here, and that nobody has edited the state.",
  );
}

/** The value of a secret that was exported in clear; other values as they are; undefined for one that is encrypted. */
function clear(value: unknown): unknown {
  if (!isRecord(value) || !(secretMark in value)) return value;
  return typeof value["plaintext"] === "string" ? parsed(value["plaintext"]) : undefined;
}

/** The addresses that the stack's outputs tell, by domain. */
export function addressesIn(text: string): { readonly domain: string; readonly address: string }[] {
  const root = resourcesOf(text).find(({ type }) => type === "pulumi:pulumi:Stack");
  const outputs = root !== undefined && isRecord(root["outputs"]) ? root["outputs"] : {};
  const projects = clear(outputs["addresses"]);
  return Object.values(isRecord(projects) ? projects : {}).flatMap((sites) =>
    Object.entries(isRecord(sites) ? sites : {}).flatMap(([domain, address]) =>
      typeof address === "string" ? [{ domain, address }] : [],
    ),
  );
}

/** Tor's own files of a key, as a HiddenServiceDir has them. */
export const filesOf = ({ keys }: KeptKey): [string, Uint8Array][] => Object.entries(writeHiddenServiceDir(keys));

/**
 * A state as a stack can import it whose secrets are kept by other means: a state in clear without a provider makes Pulumi panic, and with that of
 * another stack it would be encrypted for that one's passphrase.
 * @param providers `secrets_providers` of the state of the stack that imports
 * @param names the stack's short name in this state, and the one that it is to have
 */
export function importable(
  text: string,
  { providers, from, to }: { readonly providers: unknown; readonly from: string; readonly to: string },
): string {
  const state = parsed(text) as Record<string, unknown>;
  const deployment = { ...deploymentOf(text), secrets_providers: providers };
  const [old, now] = [`urn:pulumi:${from}::`, `urn:pulumi:${to}::`];
  return JSON.stringify({ ...state, deployment }, (_key, value: unknown) =>
    from !== to && typeof value === "string" && value.startsWith(old) ? now + value.slice(old.length) : value,
  );
}

/** JSON.parse quotes the text in its errors, and this text holds keys. */
function parsed(json: string): unknown {
  try {
    return JSON.parse(json);
  } catch {
    return undefined;
  }
}
