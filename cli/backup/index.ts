// npx softmap backup [--stack NAME] --out FILE ...: state, config and site keys of a stack, in one encrypted file.
import { closeSync, fsyncSync, openSync, readFileSync, renameSync, rmSync, writeFileSync, writeSync } from "node:fs";
import { basename, join } from "node:path";
import { CallError, called, type Exit, stackOption } from "../call";
import type { Streams } from "../check";
import { clearConfig } from "./configText";
import { packBackup, readBackup, sha256 } from "./contents";
import { noted, noteFile, parseNote } from "./note";
import { type Ask, askTerminal, newPassphrase } from "./passphrase";
import { BackupError, isRecipient, type Lock, seal, unseal } from "./seal";
import { pulumiStacks, readIf, type Stacks } from "./stacks";

const usage = `usage: npx softmap backup [--stack NAME] --out FILE [--recipient age1...]... [--passphrase-file FILE]

Writes one encrypted file (age) with all that a stack is: its state and its config, secrets in clear inside of it, and the key of each
site as tor's own files. \`npx softmap restore\` makes the stack of it again on a machine that has nothing; age and tar alone get at the keys.
Nothing is written unencrypted, and no machine is asked. What is in which backup is noted beside the stack's config, in
Pulumi.NAME.backup.json: it is no secret, keep it with the config.

  --out FILE              the file to write; one that is there is not overwritten
  --recipient age1...     seal it for the owner of this age key; several times for several
  --passphrase-file FILE  seal it with the passphrase in the first line of FILE; without it and a recipient the terminal is asked
  --stack NAME            the stack, as pulumi takes it (default: the one that is selected)
  --config-file FILE      its config file, as pulumi takes it
  --json                  say it as JSON`;

const options = {
  ...stackOption,
  out: { type: "string" },
  recipient: { type: "string", multiple: true },
  "passphrase-file": { type: "string" },
  "config-file": { type: "string" },
  json: { type: "boolean" },
} as const;

/** What the command reaches the world with. */
export interface Tools {
  /** Stacks of this folder; with another config file than the usual one. */
  readonly stacks: (configFile?: string) => Stacks;
  readonly ask: Ask;
  readonly now: () => Date;
  /** log2 of scrypt's N. @default age's own */
  readonly workFactor?: number;
}

const world: Tools = { stacks: (file) => pulumiStacks(file), ask: askTerminal, now: () => new Date() };

/** Runs the command: 0 when the backup is written and read again, 1 when something is wrong, 2 for a wrong call. */
export function main(args: readonly string[], streams: Streams, tools: Tools = world): Promise<Exit> {
  return called(args, streams, { usage, options }, async ({ values, positionals }) => {
    if (positionals.length > 0) throw new CallError("Only options are taken.");
    const { out: file, recipient: recipients = [], "passphrase-file": passphraseFile } = values;
    if (file === undefined) throw new CallError("--out FILE is missing.");
    if (recipients.length > 0 && passphraseFile !== undefined)
      throw new CallError("--recipient and --passphrase-file exclude each other: age seals for one or the other.");
    const strange = recipients.find((each) => !isRecipient(each));
    if (strange?.startsWith("AGE-SECRET-KEY") === true)
      throw new CallError(
        "--recipient was given a secret key: regard it as seen. The recipient is its public key, age1...",
      );
    if (strange !== undefined)
      throw new CallError(`--recipient ${strange.slice(0, 80)} is none of age's: age1..., as age-keygen prints it.`);
    const lockOf = async (): Promise<Lock> =>
      recipients.length > 0 ? { recipients } : { passphrase: await newPassphrase(passphraseFile, tools.ask) };
    return told(streams, () => backUp(file, lockOf, tools, { streams, ...values }));
  });
}

/** Does the work; what is wrong with a backup is printed. */
export async function told({ err }: Streams, work: () => Promise<Exit>): Promise<Exit> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof BackupError)) throw error;
    err(error.message);
    return 1;
  }
}

interface Asked {
  readonly streams: Streams;
  readonly stack?: string | undefined;
  readonly "config-file"?: string | undefined;
  readonly json?: boolean | undefined;
}

async function backUp(file: string, lockOf: () => Promise<Lock>, tools: Tools, asked: Asked): Promise<Exit> {
  if (readIf(file) !== undefined)
    throw new BackupError(`${file} is there already.`, "name another file: old backups are worth keeping.");
  const stacks = tools.stacks(asked["config-file"]);
  const { full, short } = await stacks.named(asked.stack);
  const [state, pulumi] = await Promise.all([stacks.clearState(short), stacks.version()]);
  const configFile = stacks.configFile(short);
  const text = readIf(configFile);
  const config = text === undefined ? undefined : clearConfig(text, await stacks.clearConfig(short), stacks.project());
  const { manifest, archive } = packBackup({
    state,
    config,
    stack: { full, short, project: stacks.project() },
    versions: { softmap: ownVersion(), pulumi, node: process.versions.node },
    made: tools.now(),
  });
  const lock = await lockOf();
  const sealed = await seal(archive, lock, tools.workFactor);
  writeWhole(file, sealed);
  await prove(file, sealed, lock);
  const hash = sha256(sealed);
  const noteAt = noteFile(configFile);
  const note = noted(parseNote(readIf(noteAt)), {
    made: manifest.made,
    file: basename(file),
    sha256: hash,
    sites: manifest.sites,
  });
  writeFileSync(noteAt, `${JSON.stringify(note, undefined, 2)}\n`);
  const { made, sites, backends, outside } = manifest;
  const { out } = asked.streams;
  if (asked.json === true) {
    out(JSON.stringify({ stack: full, file, sha256: hash, bytes: sealed.length, made, sites, backends, outside }));
    return 0;
  }
  for (const { domain, address } of sites) out(`${address} ${domain}`);
  out(
    `${file}: stack ${short}, keys: ${sites.length} of sites, ${backends} of backends, ${sealed.length} bytes, SHA-256 ${hash}`,
  );
  if (outside.length > 0) out(`Not inside, the config names them alone: ${outside.join(", ")}`);
  out(
    `Noted in ${basename(noteAt)}.\n  Next: put the file where these machines cannot reach it, and not beside its ${"passphrase" in lock ? "passphrase" : "key"}. \`npx softmap restore --look\` reads it.`,
  );
  return 0;
}

/** A backup that nobody has read is none: what is on the disk is opened again, and proved. */
async function prove(file: string, sealed: Uint8Array, lock: Lock): Promise<void> {
  try {
    const written = readFileSync(file);
    if (sha256(written) !== sha256(sealed))
      throw new BackupError(`${file} is not what was written.`, "see to the disk.");
    // Of one that is sealed for others only they can read more.
    if ("passphrase" in lock) readBackup(file, await unseal(file, written, lock));
  } catch (error) {
    rmSync(file, { force: true });
    throw error;
  }
}

/** Writes a file for its owner alone, whole or not at all. */
function writeWhole(file: string, bytes: Uint8Array): void {
  const beside = `${file}.softmap-new`;
  try {
    rmSync(beside, { force: true });
    const handle = openSync(beside, "wx", 0o600);
    try {
      for (let at = 0; at < bytes.length;) at += writeSync(handle, bytes, at);
      fsyncSync(handle);
    } finally {
      closeSync(handle);
    }
    renameSync(beside, file);
  } catch (error) {
    rmSync(beside, { force: true });
    const { code = "unknown" } = error as NodeJS.ErrnoException;
    throw new BackupError(`${file} cannot be written (${code}).`, "name a file in a folder of yours with room in it.");
  }
}

/** Of the package that this file is in. */
function ownVersion(): string {
  for (const up of ["../..", "../../.."]) {
    const text = readIf(join(__dirname, up, "package.json"));
    if (text !== undefined) return String((JSON.parse(text) as { version?: unknown }).version);
  }
  return "unknown";
}
