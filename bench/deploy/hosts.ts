import { readFileSync } from "node:fs";
import { join } from "node:path";
import { ensureDerivedImage, execOn, hostDown, hostUp, knownHosts, type Lab, type Say } from "../../lab/lab";

/** rsync must be on both ends. */
const IMAGE = { name: "benchdeploy", packages: ["rsync"] };
/** Hosts that boot at a time: more only wait for the same cores. */
const AT_ONCE = 4;
const script = (name: string): string => readFileSync(join(__dirname, name), "utf8");

/** What a deployment has put on a host; see collect.py. */
export interface Manifest {
  readonly users: readonly { readonly name: string; readonly groups: readonly string[] }[];
  readonly units: readonly {
    readonly unit: string;
    /** Which files it can take over while it runs: those of the base, of nginx, of the tors. */
    readonly part: "base" | "nginx" | "tor" | "none";
    /** What says whether it would take its files; nothing where nobody can say. */
    readonly verify: readonly string[];
    readonly as: string;
  }[];
  readonly entries: readonly { readonly path: string; readonly sha256?: string }[];
  /** The file that the change of one line is in. */
  readonly changed?: string;
  /** A file that nginx must have taken over since it is there. */
  readonly reloaded?: string;
}

/** `w01`, `w02`, ... */
export const hostNames = (count: number): string[] =>
  Array.from({ length: count }, (_, n) => `w${String(n + 1).padStart(2, "0")}`);

/** Does it for all, some at a time. */
export async function forAll<T>(names: readonly string[], work: (name: string) => Promise<T>): Promise<T[]> {
  const done: T[] = [];
  const left = [...names.entries()];
  const one = async (): Promise<void> => {
    for (let next = left.shift(); next !== undefined; next = left.shift()) done[next[0]] = await work(next[1]);
  };
  await Promise.all(Array.from({ length: AT_ONCE }, one));
  return done;
}

/** So many hosts with nothing on them, and no others. They are done with booting when it returns. */
export async function emptyHosts(lab: Lab, count: number, say: Say): Promise<string[]> {
  const image = await ensureDerivedImage(IMAGE, say);
  const names = hostNames(count);
  await forAll(knownHosts(lab), (name) => hostDown(lab, name));
  await forAll(names, async (name) => {
    await hostUp(lab, name, { image });
    await execOn(lab, name, ["timeout", "60", "systemctl", "is-system-running", "--wait", "-q"]);
  });
  return names;
}

/** What is there, with its bytes: a tar. */
export async function collect(lab: Lab, host: string): Promise<Buffer> {
  const ran = await execOn(lab, host, ["python3", "-"], { input: script("collect.py") });
  if (ran.code !== 0) throw new Error(`${host}: nothing was collected: ${ran.stderr}`);
  return ran.stdout;
}

/** The same without the bytes. */
export async function manifestOf(lab: Lab, host: string): Promise<Manifest> {
  const ran = await execOn(lab, host, ["python3", "-", "--manifest"], { input: script("collect.py") });
  if (ran.code !== 0) throw new Error(`${host}: nothing was collected: ${ran.stderr}`);
  return JSON.parse(ran.text) as Manifest;
}

/** @throws Error that says what of the manifest is not on the host */
export async function mustHave(lab: Lab, host: string, manifest: Manifest): Promise<void> {
  const ran = await execOn(lab, host, ["python3", "-c", script("check.py")], { input: JSON.stringify(manifest) });
  if (ran.code === 0 && ran.text === "") return;
  throw new Error(`${host} has not what it should have:\n${ran.text.split("\n").slice(0, 12).join("\n")}${ran.stderr}`);
}
