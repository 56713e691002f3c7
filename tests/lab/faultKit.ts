import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { execOn, type Lab } from "../../lab/lab";
import type { PulumiRun } from "../../lab/pulumi";
import { currentLink, releasesDir, type Role } from "../../plan/names";

/** Everything that a run showed the operator. */
export const shown = (run: PulumiRun): string => `${run.stdout}\n${run.stderr}`;

/** The text has each of these words. */
export function says(text: string, ...words: readonly (RegExp | string)[]): void {
  for (const one of words) {
    if (typeof one === "string") assert.ok(text.includes(one), `"${one}" is missing in:\n${text}`);
    else assert.match(text, one);
  }
}

/** The run failed and said so in these words, as a report for people: no stack trace. */
export function refused(run: PulumiRun, ...said: readonly (RegExp | string)[]): void {
  assert.notEqual(run.code, 0, `it should have failed:\n${shown(run)}`);
  const text = shown(run);
  says(text, ...said);
  assert.doesNotMatch(text, /^\s+at .+:\d+:\d+\)?$|Traceback|node_modules\//m, "a stack trace");
}

/** Which release serves on a host, and that nothing half made lies beside it. */
export async function serving(lab: Lab, host: string, role: Role): Promise<string> {
  const link = await execOn(lab, host, ["readlink", currentLink(role)]);
  const releases = await execOn(lab, host, ["ls", releasesDir(role)]);
  for (const name of releases.text.split("\n").filter((line) => line !== ""))
    assert.match(name, /^[0-9a-f]{12}$/, host);
  return link.text.trim();
}

/** Process ids of the units and what they serve: the same before and after means that nobody touched them. */
export async function processes(lab: Lab, host: string, units: readonly string[]): Promise<string> {
  const ran = await execOn(lab, host, ["systemctl", "show", "-p", "Id,MainPID,ActiveState", ...units]);
  return ran.text;
}

/** Waits until `true` comes; the caller's test has the time limit. */
export async function until(asked: () => Promise<boolean>): Promise<void> {
  while (!(await asked()));
}

/** Ids of a process and of all that it started. */
function familyOf(pid: number): number[] {
  const parents = new Map<number, number>();
  for (const entry of pids()) {
    const stat = fileOf(`/proc/${entry}/stat`);
    // the name in brackets may hold anything: what follows the last bracket is "state parent"
    parents.set(Number(entry), Number(stat.slice(stat.lastIndexOf(")") + 2).split(" ")[1]));
  }
  const family = [pid];
  for (const one of family) for (const [child, parent] of parents) if (parent === one) family.push(child);
  return family;
}

/** SIGKILL to a process and all that it started, at once: they are stopped first, so that none starts another one meanwhile. */
export function killWhole(pid: number): void {
  const family = new Set<number>();
  for (let fresh = [pid]; fresh.length > 0; fresh = familyOf(pid).filter((one) => !family.has(one))) {
    for (const one of fresh) {
      family.add(one);
      signal(one, "SIGSTOP");
    }
  }
  for (const one of family) signal(one, "SIGKILL");
}

/** A process that has ended meanwhile needs no signal. */
function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error;
  }
}

/** Time of day, UTC, with milliseconds. */
export const clock = (milliseconds: number): string => new Date(milliseconds).toISOString().slice(11, 23);

/** Secrets that must be seen nowhere: in no output, no command line, no file but the key files. */
export class Canary {
  private readonly secrets: string[] = [];
  private readonly heard = new Map<string, string>();

  /** A private key as text: each of its lines counts, because a text may be quoted or cut. Those that every such key has do not. */
  watchText(secret: string): void {
    const own = secret.split("\n").filter((line) => line.length >= 32 && !/^(-----|b3BlbnNzaC1rZXkt)/.test(line));
    assert.ok(own.length > 0);
    this.secrets.push(...own);
  }

  /** A key of tor's: base64 of the file and of the key in it; and its bytes, a piece that a line of grep can hold. */
  watchKey(secretFile: Uint8Array): void {
    const key = Buffer.from(secretFile.subarray(32));
    const raw =
      key
        .toString("latin1")
        .split(/[\n\0]/)
        .sort((one, other) => other.length - one.length)[0] ?? "";
    this.secrets.push(Buffer.from(secretFile).toString("base64").slice(48), key.toString("base64"), raw);
  }

  /** Keeps a text that somebody could have read. */
  hear(where: string, text: string): void {
    this.heard.set(text, where);
  }

  /** Keeps all command lines of this machine, its lab's hosts included, again and again while `work` runs. */
  async during<T>(work: () => Promise<T>): Promise<T> {
    const timer = setInterval(() => {
      for (const pid of pids()) this.hear("a command line", fileOf(`/proc/${pid}/cmdline`));
    }, 100);
    try {
      return await work();
    } finally {
      clearInterval(timer);
    }
  }

  /** The files of a host that hold a secret; its journal is kept as heard. */
  async filesOf(lab: Lab, host: string): Promise<string[]> {
    const search = ["env", "LC_ALL=C", "grep", "-rlaF", "--devices=skip", "-f", "/dev/stdin"];
    const folders = ["/etc", "/var", "/run", "/tmp", "/home", "/root", "/opt"];
    const ran = await execOn(lab, host, [...search, ...folders], {
      input: Buffer.from(this.secrets.join("\n"), "latin1"),
    });
    this.hear(`journal of ${host}`, (await execOn(lab, host, ["journalctl", "--no-pager", "-o", "cat"])).text);
    return ran.text
      .split("\n")
      .filter((line) => line !== "")
      .sort();
  }

  /** Nothing that was heard has a secret in it. */
  assertUnheard(): void {
    assert.ok(this.heard.size > 20, "something was looked at");
    const told = [...this.heard].filter(([text]) => this.secrets.some((secret) => text.includes(secret)));
    assert.deepEqual(
      told.map(([, where]) => where),
      [],
    );
  }
}

const pids = (): string[] => readdirSync("/proc").filter((name) => /^\d+$/.test(name));

/** A file's text; empty when it is gone: processes come and go. */
function fileOf(path: string): string {
  try {
    return readFileSync(path, "latin1");
  } catch {
    return "";
  }
}
