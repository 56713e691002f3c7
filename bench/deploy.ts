/**
 * `npm run bench:deploy [-- --rounds N] [--sizes 1,5,10,30] [--by softmap,rsync-ssh] [--csv FILE] [--far]`: the same files
 * and services brought to the same hosts by softmap, pyinfra, Ansible and a loop of rsync and ssh, in turn, in one lab. See README.md.
 */
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { cpus, loadavg } from "node:os";
import { join } from "node:path";
import { ensureEngine } from "../lab/engine/engine";
import { execOn, labDown, labNamed, labUp, stopwatch, type Lab } from "../lab/lab";
import { stateOf } from "../lab/places";
import { run } from "../lab/run";
import { farLink } from "./deploy/far";
import { collect, emptyHosts, forAll, manifestOf, mustHave, type Manifest } from "./deploy/hosts";
import { measured, type Site } from "./deploy/measure";
import { peerCommand, type Peers } from "./deploy/peers";
import { Stack } from "./deploy/stack";
import { ensureTools, type Tools } from "./deploy/tools";
import { Traffic } from "./deploy/traffic";
import {
  deployCsv,
  deployTable,
  fromCsv,
  goalLines,
  growthTable,
  PHASES,
  sizesOf,
  turn,
  type Arm,
  type Deployed,
  type Phase,
} from "./deployFigures";
import { deployOptions, type DeployOptions } from "./deployOptions";
import type { Command } from "./spent";

const LAB = "benchdeploy";
const say = stopwatch();

/** One tool on one set of hosts. */
interface Contestant {
  /** The command of a phase, with what the operator edits before it already edited. */
  readonly command: (phase: Phase) => Command;
  /** @throws Error that says what is not on a host */
  readonly check: (host: string, phase: Phase) => Promise<void>;
}

class Benchmark {
  readonly all: Deployed[] = [];

  constructor(
    private readonly site: Site,
    private readonly tools: Tools,
    private readonly link: Deployed["link"],
  ) {}

  private get lab(): Lab {
    return this.site.lab;
  }

  /** What softmap puts on so many hosts, and what of it one line changes: everybody else deploys that. Not measured. */
  async prepare(hosts: number): Promise<void> {
    const names = await emptyHosts(this.lab, hosts, say);
    const stack = await Stack.make(this.lab, "reference", names, this.site.folder);
    for (const version of ["first", "changed"] as const) {
      stack.configure(version);
      await stack.up();
      await forAll(names, async (name) => {
        mkdirSync(this.collected(name), { recursive: true, mode: 0o700 });
        const tar = await collect(this.lab, name);
        writeFileSync(join(this.collected(name), version === "first" ? "before.tar" : "after.tar"), tar, {
          mode: 0o600,
        });
      });
    }
    for (const name of names) await run(["python3", join(__dirname, "deploy/unpack.py"), this.collected(name)]);
    const { entries, units, changed = "" } = this.reference("w01", "first");
    say(
      `collected from ${hosts} hosts: ${entries.length} files and folders, ${units.length} units; changes: ${changed}`,
    );
  }

  /** All phases of one tool, on hosts that were empty before. */
  async deploy(round: number, hosts: number, arm: Arm): Promise<void> {
    const names = await emptyHosts(this.lab, hosts, say);
    const contestant = arm === "softmap" ? await this.softmap(round, names) : this.peer(arm, names);
    for (const phase of PHASES) {
      const command = contestant.command(phase);
      const load = loadavg()[0] ?? 0;
      const cost = await measured(this.site, command);
      await forAll(names, (name) => contestant.check(name, phase));
      this.all.push({ round, link: this.link, hosts, phase, arm, load, ...cost });
      const memory = `${(cost.peak / 2 ** 20).toFixed(0)} MiB`;
      const figures = `${cost.seconds.toFixed(1)} s, CPU ${cost.cpu.toFixed(1)} s, ${memory}, ${cost.logins} logins a host`;
      say(`round ${round}, hosts: ${hosts}, ${arm}, ${phase}: ${figures}, load ${load.toFixed(1)}`);
    }
  }

  private async softmap(round: number, names: readonly string[]): Promise<Contestant> {
    const stack = await Stack.make(this.lab, `n${names.length}r${round}`, names, this.site.folder);
    const { changed = "" } = this.reference(names[0] ?? "", "first");
    const before = new Map<string, string | undefined>();
    return {
      command: (phase) => {
        if (phase === "one line") stack.configure("changed");
        return stack.command();
      },
      check: async (host, phase) => {
        const manifest = await manifestOf(this.lab, host);
        const reloaded = phase === "first" ? {} : { reloaded: changed };
        await mustHave(this.lab, host, { ...manifest, ...reloaded });
        mustBeLike(host, manifest, this.reference(host, "first"));
        const hash = manifest.entries.find(({ path }) => path === changed)?.sha256;
        if (phase === "one line" && hash === before.get(host)) throw new Error(`${host} has no changed line`);
        before.set(host, hash);
      },
    };
  }

  private peer(arm: Exclude<Arm, "softmap">, hosts: readonly string[]): Contestant {
    const folder = join(this.site.folder, "peers");
    const peers: Peers = { lab: this.lab, collected: this.collected(), bin: this.tools.bin, folder };
    return {
      command: (phase) => {
        const version = phase === "first" ? "first" : "changed";
        return peerCommand(peers, arm, { hosts, version, manifest: this.reference(hosts[0] ?? "", "first") });
      },
      check: async (host, phase) => {
        if (phase === "first") return mustHave(this.lab, host, this.reference(host, "first"));
        const manifest = this.reference(host, "changed");
        return mustHave(this.lab, host, { ...manifest, reloaded: manifest.changed ?? "" });
      },
    };
  }

  private collected(host = ""): string {
    return join(this.site.folder, "collected", host);
  }

  private reference(host: string, version: "first" | "changed"): Manifest {
    const file = version === "first" ? "manifest.json" : "changed.json";
    return JSON.parse(readFileSync(join(this.collected(host), file), "utf8")) as Manifest;
  }
}

/** The same files, users and units; a daemon's generation may be another one. @throws Error that says what is not */
function mustBeLike(host: string, manifest: Manifest, reference: Manifest): void {
  const names = ({ entries, units, users }: Manifest): Set<string> => {
    const all = [
      ...entries.map(({ path }) => path),
      ...units.map(({ unit }) => unit),
      ...users.map(({ name }) => name),
    ];
    return new Set(all.map((name) => name.replaceAll(/(news-\d+)-[0-9a-f]{4}/g, "$1")));
  };
  const [mine, its] = [names(manifest), names(reference)];
  const differ = [...[...mine].filter((name) => !its.has(name)), ...[...its].filter((name) => !mine.has(name))];
  if (differ.length > 0) throw new Error(`${host} is not as the reference was: ${differ.slice(0, 8).join(", ")}`);
}

async function machine(lab: Lab, tools: Tools): Promise<string> {
  const query = ["dpkg-query", "-W", "-f", "${Package} ${Version}, ", "tor", "nginx", "openssh-server", "python3"];
  const packages = (await execOn(lab, "w01", query)).text.replace(/, $/, "");
  return [`${cpus()[0]?.model ?? "?"}, ${cpus().length} cores`, ...tools.versions, `hosts: ${packages}`].join("\n");
}

function report(all: readonly Deployed[]): void {
  const loads = all.map(({ load }) => load);
  console.log(`load average ${Math.min(...loads).toFixed(1)} to ${Math.max(...loads).toFixed(1)}\n`);
  console.log(`${deployTable(all)}\n`);
  if (sizesOf(all).length > 1) console.log(`${growthTable(all)}\n`);
  for (const line of goalLines(all)) console.log(`- ${line}`);
}

async function measure({ rounds, sizes, by, file, far }: DeployOptions): Promise<void> {
  const lab = labNamed(LAB);
  let benchmark: Benchmark | undefined;
  const ends: (() => Promise<unknown>)[] = [];
  // A signal ends it after the deployment that runs: whoever took the lab down beside one would leave half of it.
  let stopped = false;
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const)
    process.on(signal, () => {
      stopped = true;
      say("it ends after this deployment");
    });

  try {
    const tools = await ensureTools(say);
    await ensureEngine(say);
    ends.push(() => labDown(lab));
    await labUp(lab, say);
    const folder = join(lab.dir, "deploy");
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    const link = far ? await farLink(lab) : { place: [], end: () => Promise.resolve() };
    ends.push(link.end);
    const traffic = new Traffic(`softmap_${lab.name}_deploy`, stateOf(lab).subnet, link.place);
    ends.push(() => traffic.end());
    benchmark = new Benchmark({ lab, folder, place: link.place, traffic }, tools, far ? "far" : "near");
    await benchmark.prepare(Math.max(...sizes));
    for (let round = 1; round <= rounds; round++)
      for (const hosts of sizes)
        for (const arm of turn(by, round)) if (!stopped) await benchmark.deploy(round, hosts, arm);
    console.log(await machine(lab, tools));
  } finally {
    try {
      // What was measured before a failure is measured.
      const all = benchmark?.all ?? [];
      if (file !== undefined && all.length > 0) writeFileSync(file, deployCsv(all));
      if (all.length > 0) report(all);
    } finally {
      for (const each of ends.reverse()) await each();
    }
  }
  if (stopped) process.exitCode = 130;
}

async function main(options: DeployOptions): Promise<void> {
  if (options.tables.length === 0) return measure(options);
  report(options.tables.flatMap((file) => fromCsv(readFileSync(file, "utf8"))));
}

Promise.resolve()
  .then(() => main(deployOptions(process.argv.slice(2))))
  .catch((error: unknown) => {
    console.error(`\nThe benchmark failed: ${error instanceof Error ? error.message : String(error)}`);
    process.exitCode = 1;
  });
