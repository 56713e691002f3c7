// Stacks as backups need them, by Pulumi's own CLI. What it prints on stdout may hold every key of a stack: that is never shown, and no file of it is made.
import { existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { parse } from "yaml";
import { isRecord } from "../../config/place";
import { pulumiProgram } from "../pulumiProgram";
import { runPulumi, StackError } from "../stack";
import { encryptionOf, type ConfigValue, type Encryption, pathText, type Secret } from "./configText";

/** What is done with stacks. Each throws a {@link StackError} when Pulumi fails; its message holds no output of the stack. */
export interface Stacks {
  /** The folder's project, its name. */
  project(): string;
  /** A stack's name: all of it, and without organization and project. */
  named(stack?: string): Promise<{ readonly full: string; readonly short: string }>;
  /** Path of its config file, whether there is one or not. */
  configFile(short: string): string;
  /** Version of the CLI. */
  version(): Promise<string>;
  /** The state as it is kept, its secrets encrypted; undefined when there is no such stack. */
  state(short: string): Promise<string | undefined>;
  /** The state with its secrets in clear. */
  clearState(short: string): Promise<string>;
  /** The config with its secrets in clear, by key. */
  clearConfig(short: string): Promise<Readonly<Record<string, ConfigValue>>>;
  /** Makes a stack; says how it encrypts what stands in its config. */
  create(short: string, secretsProvider?: string): Promise<Encryption>;
  /** Puts a state in the place of that of the stack. */
  importState(short: string, state: string): Promise<void>;
  setSecret(short: string, secret: Secret): Promise<void>;
  /** Removes a stack, whatever its state says; its config file stays. */
  remove(short: string): Promise<void>;
}

/**
 * Stacks of the project that a folder belongs to.
 * @param configFile as `--config-file` of Pulumi. @default Pulumi.NAME.yaml beside Pulumi.yaml, or in its stackConfigDir
 * @throws {StackError} where there is no project
 */
export function pulumiStacks(configFile?: string, folder = process.cwd()): Stacks {
  const { root, name, place } = projectIn(folder);
  const conventional = (short: string): string => join(root, place, `Pulumi.${short}.yaml`);
  const fileOf = (short: string): string => configFile ?? conventional(short);
  const withFile = configFile === undefined ? [] : ["--config-file", configFile];
  const ask = (args: readonly string[], input?: string) => run(folder, args, input);
  const clearly = ["--show-secrets", "--json"];
  return {
    project: () => name,
    async named(stack) {
      const chosen = stack === undefined ? [] : ["--stack", stack];
      const full = (await ask(["stack", "--show-name", "--fully-qualify-stack-names", ...chosen])).trim();
      return { full, short: full.split("/").at(-1) ?? full };
    },
    configFile: fileOf,
    version: async () => (await ask(["version"])).trim(),
    async state(short) {
      try {
        return await ask(["stack", "export", "--stack", short]);
      } catch (error) {
        if (error instanceof StackError && /no stack named/.test(error.message)) return undefined;
        throw error;
      }
    },
    clearState: (short) => ask(["stack", "export", "--stack", short, "--show-secrets"]),
    async clearConfig(short) {
      const text = await ask(["config", "--stack", short, ...clearly, ...withFile]);
      try {
        return JSON.parse(text) as Record<string, ConfigValue>;
      } catch {
        throw new StackError("`pulumi config` printed no JSON.", "see that it works in this shell.");
      }
    },
    async create(short, secretsProvider) {
      const provider = secretsProvider === undefined ? [] : ["--secrets-provider", secretsProvider];
      // It writes how it encrypts into the conventional file, whichever file is meant; and one that is there would decide.
      const file = conventional(short);
      const before = readIf(file);
      rmSync(file, { force: true });
      try {
        await ask(["stack", "init", "--stack", short, "--no-select", ...provider]);
        return encryptionOf(readIf(file) ?? "");
      } finally {
        if (before === undefined) rmSync(file, { force: true });
        else writeFileSync(file, before);
      }
    },
    importState: async (short, state) => void (await ask(["stack", "import", "--stack", short], state)),
    async setSecret(short, { path, value }) {
      await ask(["config", "set", "--stack", short, "--secret", "--path", pathText(path), ...withFile], value);
    },
    remove: async (short) =>
      void (await ask(["stack", "rm", "--stack", short, "--yes", "--force", "--preserve-config"])),
  };
}

/** The text of a file; undefined when it is not there. */
export function readIf(file: string): string | undefined {
  try {
    return readFileSync(file, "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
}

function projectIn(folder: string): { readonly root: string; readonly name: string; readonly place: string } {
  for (let root = folder; ; root = dirname(root)) {
    const file = ["Pulumi.yaml", "Pulumi.yml"].map((name) => join(root, name)).find((each) => existsSync(each));
    if (file !== undefined) {
      const project: unknown = parse(readFileSync(file, "utf8"));
      const text = (key: string): string => (isRecord(project) && typeof project[key] === "string" ? project[key] : "");
      return { root, name: text("name"), place: text("stackConfigDir") };
    }
    if (dirname(root) === root)
      throw new StackError("There is no Pulumi.yaml here.", "go to the folder of the program.");
  }
}

/** What `pulumi ARGS` prints. Of a failure only what it says on stderr is told, without anything that could be a key. */
async function run(folder: string, args: readonly string[], input = ""): Promise<string> {
  const { code, stdout, stderr } = await runPulumi(args, { program: pulumiProgram(folder), cwd: folder, input });
  if (code === 0) return stdout;
  const said = stderr.trim().split("\n").slice(0, 8).map(hideKeys).join("\n    ") || "it said nothing";
  throw new StackError(
    `\`pulumi ${args.join(" ")}\` failed:\n    ${said}`,
    "see that this shell is one in which `pulumi preview` works.",
  );
}

/** A line without what could be a key: an address has 56 characters, keys have more. */
const hideKeys = (line: string): string => line.slice(0, 400).replaceAll(/[A-Za-z0-9+/=_-]{60,}/g, "...");
