// npx softmap restore FILE: makes a stack again of a backup, on a machine that has nothing.
import { existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { homedir } from "node:os";
import { basename } from "node:path";
import { type Tools as BackupTools, told } from "./backup";
import { clearConfig, type Encryption, encryptionOf, pathText, sameConfig, sealableConfig } from "./backup/configText";
import { type Backup, readBackup } from "./backup/contents";
import { askTerminal, knownPassphrase } from "./backup/passphrase";
import { BackupError, identitiesIn, type Key, lockOf, unseal } from "./backup/seal";
import { pulumiStacks, readIf, type Stacks } from "./backup/stacks";
import { importable, keysIn, resourcesOf } from "./backup/stateKeys";
import { CallError, called, type Exit, stackOption } from "./call";
import type { Streams } from "./check";
import { StackError } from "./stack";

const usage = `usage: npx softmap restore [--stack NAME] [--look] [--force] [--passphrase-file FILE | --identity FILE] FILE

Makes the stack of a backup again: its state, with every key, and its config, encrypted as this machine's Pulumi does it. Then it reads both
back and proves that each address is there. Machines are not touched: \`pulumi up\` does that, and it is said what to run. When something fails,
all is as before.

  --look                  say what is inside, and that it is whole; change nothing
  --force                 in the place of a stack that has resources, or of a config file that says something else
  --passphrase-file FILE  the passphrase is the first line of FILE; without it the terminal is asked
  --identity FILE         open it with the age identities in FILE, where it is sealed for recipients
  --stack NAME            another name than it had
  --config-file FILE      its config file, as pulumi takes it
  --secrets-provider URL  what encrypts a stack that is made, as \`pulumi stack init\` takes it`;

const options = {
  ...stackOption,
  look: { type: "boolean" },
  force: { type: "boolean" },
  "passphrase-file": { type: "string" },
  identity: { type: "string" },
  "config-file": { type: "string" },
  "secrets-provider": { type: "string" },
} as const;

/** What the command reaches the world with. */
export type Tools = Pick<BackupTools, "stacks" | "ask">;

const world: Tools = { stacks: (file) => pulumiStacks(file), ask: askTerminal };

interface Asked {
  readonly streams: Streams;
  readonly stack?: string | undefined;
  readonly look?: boolean | undefined;
  readonly force?: boolean | undefined;
  readonly "passphrase-file"?: string | undefined;
  readonly identity?: string | undefined;
  readonly "config-file"?: string | undefined;
  readonly "secrets-provider"?: string | undefined;
}

/** Runs the command: 0 when the stack is there with every address, 1 when it is not and all is as before, 2 for a wrong call. */
export function main(args: readonly string[], streams: Streams, tools: Tools = world): Promise<Exit> {
  return called(args, streams, { usage, options }, async ({ values, positionals }) => {
    const [file, ...more] = positionals;
    if (file === undefined || more.length > 0) throw new CallError("One backup is taken: FILE.");
    if (values.identity !== undefined && values["passphrase-file"] !== undefined)
      throw new CallError("--identity and --passphrase-file exclude each other.");
    return told(streams, async () => {
      const backup = await opened(file, values, tools);
      if (values.look === true) return look(backup, streams);
      return restore(basename(file), backup, tools.stacks(values["config-file"]), { ...values, streams });
    });
  });
}

async function opened(file: string, asked: Omit<Asked, "streams">, { ask }: Tools): Promise<Backup> {
  const sealed = fileOf(file, "backup");
  const name = basename(file);
  // Before anybody is asked for a passphrase.
  const lock = lockOf(name, sealed);
  let key: Key;
  if (asked.identity !== undefined)
    key = { identities: identitiesIn(asked.identity, fileOf(asked.identity, "identity file").toString("utf8")) };
  else if (lock === "identity")
    throw new BackupError(`${name} is sealed for recipients.`, "give an age identity of one of them, --identity FILE.");
  else key = { passphrase: await knownPassphrase(asked["passphrase-file"], ask) };
  return readBackup(name, await unseal(name, sealed, key));
}

function fileOf(file: string, what: string): Buffer {
  try {
    return readFileSync(file);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    const why = code === "ENOENT" ? "there is no such file" : String(code);
    throw new BackupError(`The ${what} ${file} cannot be read (${why}).`, "name a file that can.");
  }
}

function look({ manifest, config }: Backup, { out }: Streams): Exit {
  const { stack, made, versions, sites, backends, resources, outside, parts } = manifest;
  out(`stack     ${stack.full}`);
  out(`made      ${made}, by softmap ${versions.softmap}, Pulumi ${versions.pulumi}, Node ${versions.node}`);
  out(`state     ${resources} resources, keys: ${sites.length} of sites, ${backends} of backends`);
  out(`config    ${config === undefined ? "none" : `secrets: ${config.secrets.map(pathText).join(", ") || "none"}`}`);
  for (const { domain, address } of sites) out(`site      ${address} ${domain}`);
  for (const [path, { sha256, bytes }] of Object.entries(parts)) out(`part      ${sha256} ${path} (${bytes} bytes)`);
  if (outside.length > 0) out(`outside   ${outside.join(", ")}`);
  out("It is whole: every part has its hash, every site its key.");
  return 0;
}

/** What has to be put back when a restore fails, last things first. */
type Undo = (() => unknown)[];

const signals = ["SIGINT", "SIGTERM", "SIGHUP"] as const;

async function restore(name: string, backup: Backup, stacks: Stacks, asked: Asked): Promise<Exit> {
  const { manifest, config } = backup;
  const short = asked.stack?.split("/").at(-1) ?? manifest.stack.short;
  if (stacks.project() !== manifest.stack.project)
    throw new BackupError(
      `${name} is of a stack of project ${manifest.stack.project}, and this folder's is ${stacks.project()}.`,
      "go to the folder of that program.",
    );
  const before = await stacks.state(short);
  const file = stacks.configFile(short);
  const text = readIf(file);
  const found = before === undefined ? 0 : resourcesOf(before).length;
  if (asked.force !== true) {
    if (found > 0)
      throw new BackupError(
        `Stack ${short} is there, with ${found} resources.`,
        "give another name with --stack, or --force to put this one in its place.",
      );
    if (text !== undefined && config !== undefined && !sameConfig(text, config))
      throw new BackupError(
        `${file} is there, and says something else than the backup's.`,
        "move it away, or give --force: then it is kept beside, as .before-restore.",
      );
  }
  const undo: Undo = [];
  // Ctrl-C ends the Pulumi that runs: what that leaves undone is taken back below.
  const goOn = (): void => undefined;
  for (const signal of signals) process.on(signal, goOn);
  try {
    let keys: Encryption = text === undefined ? {} : encryptionOf(text);
    if (before === undefined) {
      keys = await stacks.create(short, asked["secrets-provider"]);
      undo.unshift(() => stacks.remove(short));
    } else undo.unshift(() => stacks.importState(short, before));
    undo.unshift(() => (text === undefined ? rmSync(file, { force: true }) : writeFileSync(file, text)));
    await fill(backup, stacks, { short, file, keys });
    await prove(backup, stacks, short, file);
    if (text !== undefined && config !== undefined && !sameConfig(text, config))
      writeFileSync(`${file}.before-restore`, text, { mode: 0o600 });
  } catch (error) {
    const left = await undone(undo);
    if (!(error instanceof BackupError || error instanceof StackError)) throw error;
    throw new BackupError(
      `${error.message.replace(/\n {2}Next: [^]*/, "")}\nNothing is restored: ${left}`,
      (/\n {2}Next: ([^]*)/.exec(error.message)?.[1] ?? "see to that.") + " Then run it again.",
    );
  } finally {
    for (const signal of signals) process.off(signal, goOn);
  }
  tell(backup, asked.streams, { short, file });
  return 0;
}

interface Place {
  readonly short: string;
  readonly file: string;
  readonly keys: Encryption;
}

/** Puts config and state into a stack that is there. */
async function fill({ manifest, state, config }: Backup, stacks: Stacks, { short, file, keys }: Place): Promise<void> {
  const { text, secrets } = config === undefined ? { text: undefined, secrets: [] } : sealableConfig(config, keys);
  if (text !== undefined) writeFileSync(file, text);
  for (const secret of secrets) await stacks.setSecret(short, secret); // one after the other: each writes the file
  const providers: unknown = (
    JSON.parse((await stacks.state(short)) ?? "{}") as { deployment?: Record<string, unknown> }
  ).deployment?.["secrets_providers"];
  if (providers === undefined)
    throw new BackupError(
      `Pulumi does not say how stack ${short} encrypts.`,
      "run `pulumi stack init` with the secrets provider that it is to have.",
    );
  await stacks.importState(short, importable(state, { providers, from: manifest.stack.short, to: short }));
}

/** Reads back what was put in: it must be the same. */
async function prove(backup: Backup, stacks: Stacks, short: string, file: string): Promise<void> {
  const wrong = (what: string): BackupError =>
    new BackupError(`${what} is not there after the restore.`, "report it, with the versions of softmap and Pulumi.");
  const kept = keysIn(await stacks.clearState(short));
  for (const { name, address, keys } of keysIn(backup.state)) {
    const here = kept.find((key) => key.address === address);
    if (here === undefined || !Buffer.from(here.keys.secretFile).equals(keys.secretFile))
      throw wrong(`The key of ${name} (${address})`);
  }
  if (backup.config === undefined) return;
  const again = clearConfig(readIf(file) ?? "", await stacks.clearConfig(short), stacks.project());
  const values = (config: typeof again) =>
    // `pulumi config set` takes the last line feed of a value away.
    new Map(sealableConfig(config).secrets.map(({ path, value }) => [pathText(path), value.replace(/\n+$/, "")]));
  const [there, here] = [values(backup.config), values(again)];
  for (const [path, value] of there) if (here.get(path) !== value) throw wrong(`${path} of the config`);
  if (here.size !== there.size || !sameConfig(readIf(file) ?? "", backup.config)) throw wrong("The config");
}

async function undone(undo: Undo): Promise<string> {
  try {
    for (const step of undo) await step();
    return "all is as it was before.";
  } catch (error) {
    if (!(error instanceof StackError)) throw error;
    return `and what was begun could not be taken back. ${error.message}`;
  }
}

function tell({ manifest, config }: Backup, { out }: Streams, place: Pick<Place, "short" | "file">): void {
  for (const { domain, address } of manifest.sites) out(`${address} ${domain}`);
  const { resources, backends, sites, outside } = manifest;
  const settings = config === undefined ? "no config was in it" : `config in ${place.file}`;
  out(
    `Stack ${place.short} is restored: ${resources} resources, keys: ${sites.length} of sites, ${backends} of backends; ${settings}.`,
  );
  const lost = outside.filter((file) => !existsSync(file.replace(/^~(?=\/)/, homedir())));
  if (lost.length > 0) out(`The config names files that are not here: ${lost.join(", ")}. Put them there first.`);
  out(`  Next: npx pulumi stack select ${place.short}, then
    machines as they were            npx pulumi up --refresh
    machines gone, the stack's own   npx pulumi refresh && npx pulumi up
    machines of yours, set up anew   correct their hostKey in the config, then the same`);
}
