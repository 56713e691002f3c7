// For tests: a state with keys made for it, and stacks in memory that keep their secrets as Pulumi does.
import { randomBytes } from "node:crypto";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { parseDocument } from "yaml";
import { keysOfSeed, type OnionKeys } from "../../onion/keys";
import { StackError } from "../stack";
import { type ConfigValue, encryptionOf } from "./configText";
import { readIf, type Stacks } from "./stacks";

const mark = { "4dabf18193072939515e22adb298388d": "1b47061264138c4ac30d75fd1eb44270" };

/** A key as the state has it in clear. */
function keyResource(urn: string, keys: OnionKeys): Record<string, unknown> {
  const secret = JSON.stringify(Buffer.from(keys.secretFile).toString("base64"));
  return { urn, outputs: { address: keys.address, secretKey: { ...mark, plaintext: secret } } };
}

/** An exported state in clear, with these sites' keys and one backend's; keys are made where none are given. */
export function sampleState(sites: Readonly<Record<string, OnionKeys>>, stack = "prod"): string {
  const urn = (type: string, name: string): string => `urn:pulumi:${stack}::softmap::${type}::${name}`;
  const dynamic = "pulumi-nodejs:dynamic/softmap:OnionKey";
  const addresses = Object.fromEntries(Object.entries(sites).map(([domain, { address }]) => [domain, address]));
  const resources = [
    {
      urn: urn("pulumi:pulumi:Stack", `softmap-${stack}`),
      type: "pulumi:pulumi:Stack",
      outputs: { addresses: { news: addresses } },
    },
    ...Object.entries(sites).map(([domain, keys]) =>
      keyResource(urn(`softmap:index:SoftmapProject$${dynamic}`, domain), keys),
    ),
    keyResource(urn(`softmap:index:Workers$${dynamic}`, "workers-news-w-1-00ff"), keysOfSeed(randomBytes(32))),
  ];
  return JSON.stringify({ version: 3, deployment: { secrets_providers: { salt: "old" }, resources } });
}

/** A stack in memory. */
export interface Kept {
  salt: string;
  state: string;
}

/** Stacks of a machine, in memory; their config files are in `folder`. `fails`: names of what Pulumi cannot do. */
export function stacksIn(
  folder: string,
  kept: Map<string, Kept>,
  { fails = [], salt = "salt" }: { readonly fails?: readonly (keyof Stacks)[]; readonly salt?: string } = {},
): Stacks {
  const may = (what: keyof Stacks): void => {
    if (fails.includes(what)) throw new StackError(`pulumi cannot ${what}.`, "mend it.");
  };
  const known = (short: string): Kept => {
    const found = kept.get(short);
    if (found === undefined) throw new StackError(`no stack named '${short}' found`, "name another.");
    return found;
  };
  const configFile = (short: string): string => join(folder, `Pulumi.${short}.yaml`);
  return {
    project: () => "softmap",
    named: async (stack = "prod") => ({ full: `organization/softmap/${stack}`, short: known(stack) && stack }),
    configFile,
    version: async () => "v3",
    state: async (short) => kept.get(short)?.state,
    async clearState(short) {
      may("clearState");
      return known(short).state;
    },
    async clearConfig(short) {
      may("clearConfig");
      const text = readIf(configFile(short)) ?? "";
      if (encryptionOf(text).encryptionsalt !== known(short).salt)
        throw new StackError("incorrect passphrase", "give it.");
      const document = parseDocument(text);
      const config = document.toJS() as { config?: Record<string, unknown> };
      return Object.fromEntries(Object.entries(config.config ?? {}).map(([key, value]) => [key, decrypted(value)]));
    },
    async create(short) {
      may("create");
      if (kept.has(short)) throw new StackError(`stack '${short}' already exists`, "name another.");
      const providers = { salt };
      kept.set(short, { salt, state: JSON.stringify({ version: 3, deployment: { secrets_providers: providers } }) });
      return { encryptionsalt: salt };
    },
    async importState(short, state) {
      may("importState");
      const { deployment } = JSON.parse(state) as { deployment: { secrets_providers?: { salt?: string } } };
      if (deployment.secrets_providers?.salt !== known(short).salt)
        throw new StackError("attempt to encrypt value", "give the stack's provider.");
      known(short).state = state;
    },
    async setSecret(short, { path, value }) {
      may("setSecret");
      const document = parseDocument(readIf(configFile(short)) ?? "");
      document.setIn(["config", ...path], { secure: hidden(value.replace(/\n$/, "")) });
      writeFileSync(configFile(short), document.toString({ lineWidth: 0 }));
    },
    async remove(short) {
      may("remove");
      kept.delete(short);
    },
  };
}

/** Text that does not show its own: what Pulumi's encryption is here. */
export const hidden = (value: string): string => `v1:${Buffer.from(value).toString("hex")}`;

function decrypted(value: unknown): ConfigValue {
  const deep = (inner: unknown): unknown => {
    if (Array.isArray(inner)) return inner.map(deep);
    if (inner === null || typeof inner !== "object") return inner;
    const { secure, ...rest } = inner as Record<string, unknown>;
    if (typeof secure === "string" && Object.keys(rest).length === 0)
      return Buffer.from(secure.slice(3), "hex").toString("utf8");
    return Object.fromEntries(Object.entries(inner).map(([key, each]) => [key, deep(each)]));
  };
  const clear = deep(value);
  return typeof clear === "string" ? { value: clear } : { value: JSON.stringify(clear), objectValue: clear };
}
