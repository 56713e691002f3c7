// A stack's config file, Pulumi.NAME.yaml, with its secrets in clear and back: its comments and its form stay.
import { isMap, isScalar, isSeq, parseDocument, type Document } from "yaml";
import { isRecord } from "../../config/place";
import { secretKeys } from "../../config/schema";
import { looksLikeKey } from "../../onion/adopt";
import { BackupError } from "./seal";

/** Where a value is in the config: its key, then names and indexes. @example ["softmap:siteKeys", "www.example.org"] */
export type Path = readonly (string | number)[];

/** A config in clear, and where its secrets are. */
export interface ClearConfig {
  readonly text: string;
  readonly secrets: readonly Path[];
}

/** A secret of a config. */
export interface Secret {
  readonly path: Path;
  readonly value: string;
}

/** A value as `pulumi config --show-secrets --json` has it. */
export interface ConfigValue {
  readonly value?: string;
  readonly objectValue?: unknown;
}

/** What Pulumi keeps in the file to encrypt with: it belongs to the stack where the file is. */
const encryption = ["encryptionsalt", "encryptedkey", "secretsprovider"] as const;

/** The settings of a file that say how its secrets are encrypted. */
export type Encryption = Partial<Record<(typeof encryption)[number], string>>;

const placeholder = "set by softmap restore";

/**
 * The file with every encrypted value in clear.
 * @param values what Pulumi decrypts, by key
 * @param project the namespace of a key that has none
 * @throws {BackupError} when the file is no YAML, or a value was not decrypted
 */
export function clearConfig(text: string, values: Readonly<Record<string, ConfigValue>>, project: string): ClearConfig {
  const document = read(text);
  const secrets = encryptedIn(document.get("config", true), []);
  for (const path of secrets) {
    const [key, ...rest] = path;
    const name = String(key).includes(":") ? String(key) : `${project}:${String(key)}`;
    const known = values[name];
    const value = rest.length === 0 ? known?.value : at(known?.objectValue, rest);
    if (typeof value !== "string")
      throw new BackupError(
        `Pulumi does not decrypt ${pathText(path)} of the config.`,
        "see that `pulumi config --show-secrets` works in this shell.",
      );
    document.setIn(["config", ...path], value);
  }
  return { text: document.toString({ lineWidth: 0 }), secrets };
}

/**
 * The file as it may be written where Pulumi is to encrypt it anew: other words stand where secrets are, and the secrets apart.
 * @param keys how the stack that it is for encrypts
 */
export function sealableConfig(
  { text, secrets }: ClearConfig,
  keys: Encryption = {},
): { readonly text: string; readonly secrets: readonly Secret[] } {
  const document = read(text);
  const values = secrets.map((path) => ({ path, value: String(document.getIn(["config", ...path])) }));
  for (const { path } of values) document.setIn(["config", ...path], placeholder);
  for (const name of encryption) document.delete(name);
  for (const [name, value] of Object.entries(keys)) document.set(name, value);
  return { text: document.toString({ lineWidth: 0 }), secrets: values };
}

/** How the stack of a config file encrypts. */
export function encryptionOf(text: string): Encryption {
  const document = read(text);
  return Object.fromEntries(
    encryption.flatMap((name) => {
      const value = document.get(name);
      return typeof value === "string" ? [[name, value]] : [];
    }),
  );
}

/** Whether a file on disk has the settings of a config in clear: secrets apart, and how they are encrypted. */
export function sameConfig(onDisk: string, config: ClearConfig): boolean {
  let document: Document;
  try {
    document = read(onDisk);
  } catch {
    return false;
  }
  for (const path of encryptedIn(document.get("config", true), [])) document.setIn(["config", ...path], placeholder);
  for (const name of encryption) document.delete(name);
  const plain = (of: Document): unknown => of.toJS({ maxAliasCount: 100 }) as unknown;
  const [here, there] = [plain(document), plain(read(sealableConfig(config).text))];
  const { config: settings } = isRecord(here) ? here : {};
  if (settings === undefined || settings === null || (isRecord(settings) && Object.keys(settings).length === 0))
    return true; // only what encrypts, as `pulumi stack init` leaves it
  return JSON.stringify(sorted(here)) === JSON.stringify(sorted(there));
}

/** A path as `pulumi config set --path` takes it. @example softmap:siteKeys["www.example.org"] */
export function pathText([key, ...rest]: Path): string {
  const parts = rest.map((part) =>
    typeof part === "number" ? `[${part}]` : `["${part.replaceAll("\\", "\\\\").replaceAll('"', '\\"')}"]`,
  );
  return `${String(key)}${parts.join("")}`;
}

/** Files that the config names: they are not in a backup. */
export function filesNamed({ text, secrets }: ClearConfig): string[] {
  const found = new Set<string>();
  const settings = read(text).get("config", true);
  const named = /^(privateKeyFile|certificate|upstreamCertificate|upstreamAuthorities)$/;
  walk(settings, [], (path, value) => {
    const key = String(path.at(-1)).replace(/^.*:/, "");
    const secret = secrets.some((each) => each.join("\0") === path.join("\0"));
    const ofKeys = secretKeys.some((name) => String(path[0]).endsWith(`:${name}`));
    const isPath = /^[^{\p{Cc}]{1,1024}$/u.test(value) && !value.includes("-----BEGIN") && !looksLikeKey(value);
    if (isPath && ((secret && ofKeys) || (!secret && named.test(key)))) found.add(value);
  });
  return [...found].sort();
}

function read(text: string): Document {
  const document = parseDocument(text);
  if (document.errors.length === 0 && (document.contents === null || isMap(document.contents))) return document;
  throw new BackupError("The stack's config file is no YAML.", "npx softmap check FILE says where.");
}

function walk(node: unknown, path: Path, visit: (path: Path, value: string) => void): void {
  if (isScalar(node) && typeof node.value === "string") visit(path, node.value);
  else if (isSeq(node)) node.items.forEach((item, i) => walk(item, [...path, i], visit));
  else if (isMap(node))
    for (const { key, value } of node.items) walk(value, [...path, isScalar(key) ? String(key.value) : ""], visit);
}

/** Paths of all that stands there as `secure: TEXT`. */
function encryptedIn(node: unknown, path: Path): Path[] {
  const found: Path[] = [];
  walk(node, path, (at) => {
    if (at.length > 1 && at.at(-1) === "secure") found.push(at.slice(0, -1));
  });
  return found;
}

function at(value: unknown, path: Path): unknown {
  return path.reduce<unknown>(
    (inner, part) => (Array.isArray(inner) ? inner[Number(part)] : isRecord(inner) ? inner[String(part)] : undefined),
    value,
  );
}

/** Objects with their keys in order; numbers and booleans as texts, which Pulumi makes of some. */
function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (!isRecord(value)) return ["number", "boolean"].includes(typeof value) ? String(value) : value;
  return Object.fromEntries(
    Object.entries(value)
      .map(([key, inner]) => [key, sorted(inner)] as const)
      .sort(([a], [b]) => (a < b ? -1 : 1)),
  );
}
