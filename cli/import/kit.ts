// For the tests of imports: installations in folders of their own, keys that are made anew, and what a call printed.
import { createHash } from "node:crypto";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import type { TestContext } from "node:test";
import { keysOfSeed, type OnionKeys } from "../../onion/keys";
import type { Setting } from "./configSet";
import { main } from "./index";

/** Keys that are the same in every run: a test's name stands for its key. */
export const keysOf = (name: string): OnionKeys => keysOfSeed(createHash("sha256").update(name).digest());

/** The 56 characters. */
export const bare = ({ address }: OnionKeys): string => address.slice(0, 56);

/** Files by path below a folder that goes with the test. */
export function folderOf(t: TestContext, files: Readonly<Record<string, string | Uint8Array>>): string {
  const folder = mkdtempSync(join(tmpdir(), "softmap-import-"));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  for (const [name, content] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    writeFileSync(join(folder, name), content);
  }
  return folder;
}

/** The two files of a key in a secrets folder. */
export const secretsOf = (keys: OnionKeys, folder = "secrets"): Record<string, Uint8Array> => ({
  [`${folder}/${bare(keys)}.v3sec.key`]: keys.secretFile,
  [`${folder}/${bare(keys)}.v3pub.key`]: keys.publicFile,
});

/** What a call did. */
export interface Ran {
  readonly code: number;
  readonly out: string;
  readonly err: string;
  /** What was given to `pulumi config set`. */
  readonly set: Setting[];
}

/** Runs `softmap import ARGS`. `fail`: what Pulumi says of a secret, by its path. */
export async function run(
  args: readonly string[],
  { env = {}, fail = {} }: { env?: Record<string, string>; fail?: Record<string, string> } = {},
): Promise<Ran> {
  const printed = { out: "", err: "" };
  const set: Setting[] = [];
  const streams = {
    out: (text: string) => void (printed.out += `${text}\n`),
    err: (text: string) => void (printed.err += `${text}\n`),
  };
  const configSet = async (setting: Setting): Promise<string | undefined> => {
    set.push(setting);
    return fail[setting.path];
  };
  const code = await main(args, streams, { configSet, env });
  return { code, ...printed, set };
}
