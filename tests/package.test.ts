// The package, as a stranger gets it: packed from this clone, installed into an empty folder, used by a program that is there.
import assert from "node:assert/strict";
import { existsSync, globSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { builtinModules } from "node:module";
import { dirname, join } from "node:path";
import { after, before, describe, test } from "node:test";
import { parse, stringify } from "yaml";
import type * as desk from "../cli/main";
import { ensureEngine } from "../lab/engine/engine";
import { ensureStack, pulumi, type LabStack } from "../lab/pulumi";
import type * as proxy from "../proxy";
import { templates } from "../templates";
import type * as reader from "../templates/sources";
import { manifest, pack, runIn, stranger, type Packed } from "./packageKit";

const root = join(__dirname, "..");
const hostKey = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhscHR4f";

/** The example program, as somebody has it who is not in this clone. */
const ownProgram = readFileSync(join(root, "examples", "own-program", "index.ts"), "utf8").replace(
  '"../../components"',
  '"softmap"',
);

/** What needs no machine: an `up` of it runs the providers to their end. */
const keysProgram = `import * as pulumi from "@pulumi/pulumi";
import { OnionKey, RenderedConfig } from "softmap";

const key = new OnionKey("www.example.org");
const config = new RenderedConfig("ob", { template: "ob-config", model: { frontends: [key.address] } });
export const address: pulumi.Output<string> = key.address;
export const text: pulumi.Output<string> = config.text;
`;

/** What only passes where the components' types are there: an error that is expected and does not come is one. */
const wrongProgram = `import { Workers } from "softmap";
// @ts-expect-error -- projects are no text
new Workers("workers", { hosts: [], projects: "news" });
`;

/** A tsconfig of today, and the one that Pulumi's own templates have. */
const tsconfigs = {
  "tsconfig.json": { module: "nodenext", moduleResolution: "nodenext", target: "es2022" },
  "tsconfig.template.json": {
    module: "commonjs",
    moduleResolution: "node",
    target: "es2020",
    ignoreDeprecations: "6.0",
    outDir: "bin",
    pretty: true,
    noImplicitReturns: true,
    skipLibCheck: true,
  },
};

const tsconfig = (options: object): string =>
  JSON.stringify({
    compilerOptions: { strict: true, noEmit: true, types: ["node"], ...options },
    files: ["index.ts", "wrong.ts"],
  });

type Reader = typeof reader;
type Proxy = typeof proxy;
/** Every program of host/program.ts takes one object and gives a text. */
type Programs = Readonly<Record<string, (payload: object) => string>>;

describe("the package", { concurrency: 2 }, () => {
  let packed: Packed;
  let folder = "";
  let environment: Record<string, string> = {};
  const installed = (...path: string[]): string => join(folder, "node_modules", manifest.name, ...path);
  const load = <Module>(...path: string[]): Module =>
    // eslint-disable-next-line @typescript-eslint/no-require-imports -- what the stranger has, not what is here
    require(installed("dist", ...path)) as Module;

  before(async () => {
    const [engine, made] = await Promise.all([ensureEngine(() => undefined), pack()]);
    packed = made;
    environment = engine.environment;
    folder = await stranger(packed, {
      "index.ts": ownProgram,
      "Pulumi.yaml": "name: own-program\nruntime: nodejs\n",
      ...Object.fromEntries(Object.entries(tsconfigs).map(([name, options]) => [name, tsconfig(options)])),
      "wrong.ts": wrongProgram,
      "keys/index.ts": keysProgram,
      "keys/package.json": JSON.stringify({ name: "keys", private: true, main: "index.ts" }),
      "keys/Pulumi.yaml": "name: keys\nruntime: nodejs\n",
      "keys/tsconfig.json": JSON.stringify({ compilerOptions: { strict: true } }),
    });
  });
  after(() => {
    for (const made of [folder, packed === undefined ? "" : dirname(packed.file)]) {
      if (made !== "") rmSync(made, { recursive: true, force: true });
    }
  });

  const stackOf = async (program: string, config: Record<string, string>): Promise<LabStack> => {
    const state = join(program, "state");
    mkdirSync(state, { recursive: true });
    const configFile = join(state, "Pulumi.test.yaml");
    writeFileSync(configFile, stringify({ config }));
    const own = { PULUMI_BACKEND_URL: `file://${state}`, PULUMI_CONFIG_PASSPHRASE: "" };
    const stack = { name: "test", program, configFile, environment: { ...environment, ...own } };
    await ensureStack(stack);
    return stack;
  };

  test("has the compiled code, its types, the documentation and the command, and nothing of lab, tests and bench", () => {
    const paths = packed.files.map(({ path }) => path);
    const other = paths.filter(
      (path) =>
        !/^(dist|docs|monitoring)\/|^(README\.md|LICENSE|package\.json|cli\/softmap\.js|components\/providers\.js)$/.test(
          path,
        ),
    );
    assert.deepEqual(other, []);
    const unwanted = paths.filter((path) =>
      /(^|\/)(lab|tests?|bench|golden|testing|standins|labHost\w*|labFolder|lab\.js)(\/|\.|$)|test_|\.test\./.test(
        path,
      ),
    );
    assert.deepEqual(unwanted, []);
    assert.deepEqual(
      paths.filter((path) => path.endsWith(".ts") && !path.endsWith(".d.ts")),
      [],
    );
    assert.ok(packed.size < 1_000_000, `${packed.size} bytes`);
    assert.ok(packed.unpackedSize < 4_000_000, `${packed.unpackedSize} bytes unpacked`);
    const command = packed.files.find(({ path }) => path === "cli/softmap.js");
    assert.equal((command?.mode ?? 0) & 0o111, 0o111);
  });

  test("holds no folder of the machine that packed it, and requires nothing that it does not depend on", () => {
    const needed = new Set<string>();
    for (const file of globSync("**/*.{js,d.ts,json}", { cwd: installed() })) {
      const text = readFileSync(installed(file), "utf8");
      for (const path of [dirname(packed.file), root, process.env["HOME"] ?? root]) {
        assert.equal(text.includes(`${path}/`), false, `${file} names ${path}`);
      }
      for (const [, name = ""] of text.matchAll(/(?:require|import)\("((?:@[^"/]+\/)?[^"./][^"/]*)(?:\/[^"]*)?"\)/g)) {
        if (!file.endsWith(".d.ts")) needed.add(name);
      }
      for (const [, name = ""] of text.matchAll(/from "((?:@[^"/]+\/)?[^"./][^"/]*)(?:\/[^"]*)?"/g)) needed.add(name);
    }
    // Providers find their code in the package itself.
    needed.delete(manifest.name);
    const others = [...needed].filter((name) => !name.startsWith("node:") && !builtinModules.includes(name));
    const declared = { ...manifest.dependencies, ...manifest.peerDependencies };
    assert.deepEqual(
      others.filter((name) => !(name in declared)),
      [],
    );
    assert.ok(others.includes("ssh2") && others.includes("zod"), others.join(" "));
  });

  test("has every file that its code reads, and reads the same as in the clone", () => {
    const rooms = globSync("*", { cwd: installed("dist") });
    const data = packed.sources.filter(
      (file) =>
        rooms.includes(file.split("/")[0] ?? "") && !/\.(ts|js|md)$|(^|\/)(test_[^/]*$|golden\/|testing\/)/.test(file),
    );
    assert.ok(data.length > 80, `${data.length} files`);
    for (const file of data) {
      assert.equal(readFileSync(installed("dist", file), "utf8"), readFileSync(join(packed.copy, file), "utf8"), file);
    }
    // eslint-disable-next-line @typescript-eslint/no-require-imports -- the sources that were packed
    const source = <Module>(...path: string[]): Module => require(join(packed.copy, ...path)) as Module;
    const readers = [source<Reader>("templates", "sources.ts"), load<Reader>("templates", "sources.js")];
    for (const name of Object.keys(templates) as (keyof typeof templates)[]) {
      const [here, there] = readers.map(({ readSources }) => readSources(name));
      assert.deepEqual(there, here, name);
    }
    const files = [source<Proxy>("proxy", "index.ts"), load<Proxy>("proxy", "index.js")].map((it) => it.proxyFiles());
    assert.deepEqual(files[1], files[0]);
    const programs = load<Programs>("host", "program.js");
    const names = Object.keys(programs).filter((name) => /(Program|File)$/.test(name));
    assert.ok(names.length >= 8);
    for (const name of names) {
      const [here, there] = [source<Programs>("host", "program.ts"), programs].map((all) =>
        all[name]?.({ host: "north" }),
      );
      assert.equal(there, here, name);
    }
  });

  test("finds what it names beside itself", () => {
    let found = 0;
    for (const file of globSync("**/*.js", { cwd: installed("dist") })) {
      const text = readFileSync(installed("dist", file), "utf8");
      // A clone alone has what this one names.
      if (file === join("components", "providedResource.js")) continue;
      for (const [, words = ""] of text.matchAll(/\(__dirname((?:, "[^"]+")+)\)/g)) {
        const path = [...words.matchAll(/"([^"]+)"/g)].map(([, word = ""]) => word);
        assert.ok(existsSync(join(dirname(installed("dist", file)), ...path)), `${file} wants ${path.join("/")}`);
        found += 1;
      }
    }
    assert.ok(found >= 2, `${found} names`);
  });

  test("brings no second @pulumi/pulumi into the stranger's program", async () => {
    const copies = globSync("node_modules/**/@pulumi/pulumi/package.json", { cwd: folder });
    assert.deepEqual(copies, ["node_modules/@pulumi/pulumi/package.json"]);
    const { code, stdout } = await runIn(folder, "npm", ["ls", "--all", "--json", "@pulumi/pulumi"]);
    assert.equal(code, 0, stdout);
  });

  test("exports what the components' index does, and no other module", async () => {
    const names = Object.keys(load<object>("components", "index.js")).sort();
    const script = `const names = Object.keys(require("softmap")).sort();
      console.log(JSON.stringify({ names, loaded: Object.keys(require.cache) }))`;
    const { stdout } = await runIn(folder, process.execPath, ["-e", script]);
    const found = JSON.parse(stdout) as { names: string[]; loaded: string[] };
    assert.deepEqual(found.names, names);
    // What the desk alone needs, or the providers, costs no program its time.
    assert.ok(found.loaded.some((file) => file.startsWith(installed("dist", "templates"))));
    const ofOthers = /node_modules\/(age-encryption|yaml|ssh2)\/|\/dist\/cli\//;
    assert.deepEqual(
      found.loaded.filter((file) => ofOthers.test(file)),
      [],
    );
    for (const name of ["Balancer", "SoftmapProject", "Workers", "SshHosts", "AwsHosts", "LocalHost", "OnionKey"]) {
      assert.ok(names.includes(name), name);
    }
    for (const inner of ["softmap/dist/onion/keys", "softmap/onion/keys", "softmap/cli/softmap.js"]) {
      const run = await runIn(folder, process.execPath, ["-e", `require(${JSON.stringify(inner)})`]);
      assert.match(run.stderr, /ERR_PACKAGE_PATH_NOT_EXPORTED/, inner);
    }
    const esm = await runIn(folder, process.execPath, [
      "--input-type=module",
      "-e",
      'import { Workers } from "softmap"; console.log(typeof Workers)',
    ]);
    assert.equal(esm.stdout, "function\n", esm.stderr);
  });

  test("is typed: a right program passes strictly, whatever way its modules are found, and a wrong one does not", async () => {
    const tsc = join(folder, "node_modules", ".bin", "tsc");
    const runs = await Promise.all(Object.keys(tsconfigs).map((file) => runIn(folder, tsc, ["-p", file])));
    for (const { code, stdout } of runs) assert.equal(code, 0, stdout);
  });

  test("previews in the stranger's program; its providers are small, and name nothing but softmap/providers", async () => {
    const pinned = ["north", "south", "west"].map((name) => [`own-program:${name}HostKey`, hostKey] as const);
    const stack = await stackOf(folder, { ...Object.fromEntries(pinned), "own-program:sshKey": "not a key" });
    const run = await pulumi(stack, ["preview", "--json"]);
    assert.equal(run.code, 0, run.stderr + run.stdout);
    const { steps } = JSON.parse(run.stdout) as {
      steps: { newState: { type: string; inputs?: { __provider?: string; text?: string } } }[];
    };
    assert.ok(steps.length > 50, `${steps.length} steps`);
    assert.ok(steps.some(({ newState }) => newState.inputs?.text?.startsWith("# Backend daemon tips-1-")));
    const texts = new Map(steps.map(({ newState: { type, inputs } }) => [inputs?.__provider ?? "", type]));
    texts.delete("");
    assert.ok(new Set(texts.values()).size >= 5, [...texts.values()].join(" "));
    const required = new Set<string>();
    for (const [text, type] of texts) {
      assert.ok(text.length < 4096, `${type}: ${text.length} bytes`);
      assert.doesNotMatch(text, /node_modules|\/dist\//, type);
      assert.match(text, /"softmap\/providers"/, type);
      assert.equal(text.includes(folder) || text.includes(root), false, type);
      for (const [, name = ""] of text.matchAll(/require\("([^"]+)"\)/g)) required.add(name);
    }
    assert.deepEqual(
      [...required].filter((name) => !builtinModules.includes(name.replace(/^node:/, ""))),
      [],
    );
  });

  test("goes up and down with the real engine: a key is made, and a file is rendered", async () => {
    const stack = await stackOf(join(folder, "keys"), {});
    const up = await pulumi(stack, ["up", "--yes", "--skip-preview"]);
    assert.equal(up.code, 0, up.stderr + up.stdout);
    const output = await pulumi(stack, ["stack", "output", "--json"]);
    const { address, text } = JSON.parse(output.stdout) as { address: string; text: string };
    assert.match(address, /^[a-z2-7]{56}\.onion$/);
    assert.ok(text.includes(address.replace(".onion", "")), text);
    const again = await pulumi(stack, ["up", "--yes", "--skip-preview", "--expect-no-changes"]);
    assert.equal(again.code, 0, again.stderr + again.stdout);
  });

  test("has the command: npx softmap lists what there is, and every command is there", async () => {
    const help = await runIn(folder, "npx", ["--no-install", "softmap", "help"]);
    assert.equal(help.code, 0, help.stderr);
    const { commands, mainOf } = load<typeof desk>("cli", "main.js");
    assert.ok(commands.length > 5);
    for (const command of commands) {
      assert.match(help.stdout, new RegExp(`^ *${command.name}\\b`, "m"));
      const said: string[] = [];
      const streams = { out: (line: string) => said.push(line), err: (line: string) => said.push(line) };
      assert.equal(await mainOf(command)(["--help"], streams), 0, command.name);
      assert.match(said.join("\n"), /usage|npx softmap/, command.name);
    }
    const wrong = await runIn(folder, "npx", ["--no-install", "softmap", "statsu"]);
    assert.equal(wrong.code, 2);
    assert.match(wrong.stderr, /no command statsu/);
  });
});

test("in the clone Pulumi runs the stack program, not what others import: that would be an empty stack", () => {
  const { main } = parse(readFileSync(join(root, "Pulumi.yaml"), "utf8")) as { main?: string };
  assert.equal(main, "program.js");
  assert.match(readFileSync(join(root, "program.js"), "utf8"), /^module\.exports = require\("\.\/index\.ts"\);$/m);
});

test("in the clone the command runs the clone's own sources, and its exit code is theirs", async () => {
  const [help, wrong] = await Promise.all([
    runIn(root, "npm", ["run", "-s", "softmap", "--", "check", "--help"]),
    runIn(root, process.execPath, [join("cli", "softmap.js"), "no-such-command"]),
  ]);
  assert.equal(help.code, 0, help.stderr);
  assert.match(help.stdout + help.stderr, /usage/);
  assert.equal(wrong.code, 2, wrong.stderr);
});
