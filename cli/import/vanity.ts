// npx softmap import keys: keys that mkp224o or onionmine found, or that tor has in its folders.
import { type Dirent, readdirSync, realpathSync, statSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { domainFault } from "../../config/schema/domain";
import { count } from "../../config/words";
import { checkOnionAddress } from "../../onion/address";
import { CallError, type Exit } from "../call";
import type { Streams } from "../check";
import { setAll } from "./configSet";
import { type Fault, placed, shown } from "./entry";
import { firstThere } from "./install";
import { readKey, siteSecret } from "./keys";
import type { Tools } from "./onionspray";
import { isFault, readText, reasonOf, unreadable } from "./source";

/** What is asked for. */
export interface AskedKeys {
  readonly path: string;
  readonly site?: string | undefined;
  /** What the address begins with. */
  readonly onion?: string | undefined;
  readonly stack?: string | undefined;
  readonly json?: boolean | undefined;
}

/** Keys in a folder, and files that look like keys and are none. */
export interface FoundKeys {
  readonly keys: readonly { readonly address: string; readonly file: string }[];
  readonly faults: readonly Fault[];
}

/** How deep below the folder keys are looked for, and in how many folders. */
const limits = { depth: 4, folders: 20_000 };

/** Every key in a folder and below. Links are followed, each folder once. Never throws. */
export function findKeys(root: string): FoundKeys {
  const files: string[] = [];
  const faults: Fault[] = [];
  const seen = new Set<string>();
  const visit = (folder: string, depth: number): void => {
    let entries: Dirent[];
    try {
      const real = realpathSync(folder);
      if (seen.has(real)) return;
      if (seen.size === limits.folders) {
        const why = `There are more than ${limits.folders} folders: the others were not looked at.`;
        faults.push({ file: root, what: "too many folders", why, next: "Name the folder of one pool." });
      }
      seen.add(real);
      if (seen.size > limits.folders) return;
      entries = readdirSync(folder, { withFileTypes: true });
    } catch (error) {
      return void faults.push(unreadable(folder, reasonOf(error)));
    }
    for (const entry of entries.toSorted((a, b) => (a.name < b.name ? -1 : 1))) {
      const path = join(folder, entry.name);
      if (entry.name === "hs_ed25519_secret_key" || entry.name.endsWith(".v3sec.key")) files.push(path);
      else if (depth < limits.depth && isFolder(entry, path)) visit(path, depth + 1);
    }
  };
  visit(root, 0);
  const keys = files.flatMap((file) => {
    const onion = addressBeside(file);
    const read = isFault(onion) ? onion : readKey(file, onion);
    return isFault(read) ? (faults.push(read), []) : [{ address: read.address, file }];
  });
  return { keys: keys.toSorted((a, b) => (a.address < b.address ? -1 : 1)), faults };
}

function isFolder(entry: Dirent, path: string): boolean {
  if (!entry.isSymbolicLink()) return entry.isDirectory();
  try {
    return statSync(path).isDirectory();
  } catch {
    return false;
  }
}

/** The address that a key's surroundings say: its own name, the file hostname, or the name of its folder. */
function addressBeside(file: string): string | undefined | Fault {
  if (file.endsWith(".v3sec.key")) return named(basename(file, ".v3sec.key"));
  const hostname = join(dirname(file), "hostname");
  if (firstThere([hostname]) === undefined) return named(basename(dirname(file), ".onion"));
  const text = readText(hostname, 1024);
  if (isFault(text)) return text;
  const wrong = checkOnionAddress(text.trim());
  if (wrong === undefined) return text.trim();
  const why = `What stands in it is no v3 onion address: ${wrong}.`;
  return { file: hostname, what: "hostname", why, next: "Remove the file: the address is made of the key." };
}

const named = (name: string): string | undefined =>
  checkOnionAddress(`${name}.onion`) === undefined ? `${name}.onion` : undefined;

/** Lists keys, or adopts one of them for a site. */
export async function importKeys(asked: AskedKeys, streams: Streams, tools: Tools): Promise<Exit> {
  const { site, stack } = asked;
  if (site === undefined && stack !== undefined)
    throw new CallError("--stack takes a key for a site: name it with --site.");
  const wrong = site === undefined ? undefined : domainFault(site);
  if (wrong !== undefined) throw new CallError(`--site takes a domain. ${wrong.message}\n  Next: ${wrong.next}`);
  const prefix = (asked.onion ?? "").replace(/\.onion$/, "");
  if (!/^[a-z2-7]{0,56}$/.test(prefix)) throw new CallError("--onion takes the beginning of an address: a-z and 2-7.");
  const found = findKeys(asked.path);
  const keys = unique(found.keys.filter(({ address }) => address.startsWith(prefix)));
  const none = keys.length === 0 && found.faults.length === 0 ? [noKeys(asked.path, prefix)] : [];
  const faults = [...found.faults, ...none];
  if (site === undefined) return listKeys({ keys, faults }, asked, streams);
  return adopt({ keys, faults }, { ...asked, site }, streams, tools);
}

/** The same key in two folders is one key. */
const unique = (keys: FoundKeys["keys"]): FoundKeys["keys"] =>
  keys.filter(({ address }, i) => keys.findIndex((key) => key.address === address) === i);

function noKeys(path: string, prefix: string): Fault {
  const of = prefix === "" ? "" : ` whose address begins with ${prefix}`;
  const why = `There is no key${of} in it, nor up to four folders below.`;
  return { file: path, what: "no keys", why, next: "Name the folder in which folders named <address>.onion are." };
}

const faultText = (fault: Fault): string => `${placed(fault)}  ${fault.what}\n  ${fault.why}\n  Next: ${fault.next}`;

function listKeys({ keys, faults }: FoundKeys, { json, path }: AskedKeys, { out, err }: Streams): Exit {
  if (json) out(JSON.stringify({ keys, problems: faults }, null, 2));
  else {
    const lines = keys.map(({ address, file }) => `  ${address}  ${shown(file, 200)}`);
    if (keys.length > 0) out([`${shown(path, 200)}: ${count(keys.length, "key")}`, ...lines].join("\n"));
    if (keys.length > 0)
      out("  Next: npx softmap import keys ... --site DOMAIN --onion PREFIX --stack NAME takes one for a site.");
    faults.forEach((fault) => err(faultText(fault)));
  }
  return faults.length > 0 ? 1 : 0;
}

async function adopt(
  { keys, faults }: FoundKeys,
  { site, stack, path, json }: AskedKeys & { readonly site: string },
  { out, err }: Streams,
  tools: Tools,
): Promise<Exit> {
  const [one, ...others] = keys;
  if (one === undefined || others.length > 0) {
    const which = keys.slice(0, 20).map(({ address }) => address);
    const why = `There are ${keys.length} keys: ${which.join(", ")}${keys.length > 20 ? ", ..." : ""}.`;
    const many: Fault = {
      file: path,
      what: "several keys",
      why,
      next: "Say which one with --onion and the beginning of its address.",
    };
    const problems = one === undefined ? faults : [many];
    if (json) out(JSON.stringify({ problems }, null, 2));
    else problems.forEach((fault) => err(faultText(fault)));
    return 1;
  }
  const read = readKey(one.file, one.address);
  if (isFault(read)) {
    err(faultText(read));
    return 1;
  }
  const secret = siteSecret(site, read, one.file, stack);
  const [adopted] = stack === undefined ? [] : await setAll([secret], { stack }, tools.configSet);
  const { command } = secret;
  const { set = false, failure } = adopted ?? {};
  if (json) out(JSON.stringify({ site, address: one.address, file: one.file, set, failure, command }, null, 2));
  else if (failure !== undefined) err(`The key was not set: ${failure}\n  Next: ${command}`);
  else {
    const config = `  Next: write onion: ${one.address} on the site ${site}, so that a wrong key is refused; of a site that is deployed with another address, replaceAddress too (docs/config.md).`;
    out(
      set
        ? `The key of ${one.address} is set for ${site}.\n${config}`
        : `${one.address} for ${site}:\n  ${command}\n${config}`,
    );
  }
  return failure === undefined ? 0 : 1;
}
