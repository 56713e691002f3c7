/** Who of a command's processes used how much of the processor: /proc, looked at while it runs. */
import { readdirSync, readFileSync } from "node:fs";
import { setTimeout as wait } from "node:timers/promises";

/** Kinds of processes that a `pulumi preview` is made of. */
export const KINDS = ["engine", "program", "providers", "command plugin"] as const;
export type Kind = (typeof KINDS)[number];

/** What a kind used. Seconds from the start of the command. */
export interface Use {
  readonly cpu: number;
  readonly began: number;
}

/** One look at one process. */
export interface Process {
  readonly pid: number;
  readonly parent: number;
  readonly command: string;
  /** Ticks of a hundredth of a second. */
  readonly ticks: number;
}

/** The kind of a process by its command line: what is none of the others is the engine, git and the launchers included. */
export function kindOf(command: string): Kind {
  if (command.includes("/cmd/dynamic-provider")) return "providers";
  if (/\/cmd\/run(\/|\b)/.test(command)) return "program";
  if (command.includes("/standins/command/") || command.includes("resource-command")) return "command plugin";
  return "engine";
}

/** `pid (name) state ppid ...`: the name may have spaces and parentheses. */
export function processOf(stat: string, command: string): Process {
  const [before = "", ...rest] = stat.split(" (");
  const fields = rest.join(" (").split(") ").at(-1)?.split(" ") ?? [];
  return {
    pid: Number(before),
    parent: Number(fields[1]),
    command,
    ticks: Number(fields[11]) + Number(fields[12]),
  };
}

/** `root` and all that came of it. */
export function below(root: number, all: readonly Process[]): Process[] {
  const found = new Set([root]);
  for (let before = 0; before < found.size;) {
    before = found.size;
    for (const { pid, parent } of all) if (found.has(parent)) found.add(pid);
  }
  return all.filter(({ pid }) => found.has(pid));
}

function running(): Process[] {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .flatMap((pid) => {
      try {
        const command = readFileSync(`/proc/${pid}/cmdline`, "utf8").replaceAll("\0", " ");
        return [processOf(readFileSync(`/proc/${pid}/stat`, "utf8"), command)];
      } catch {
        return []; // it has ended
      }
    });
}

/** Looks at `root` and its processes until `work` is done. What a process used after the last look is not seen: some hundredths of a second. */
export async function watched(
  root: () => number | undefined,
  work: Promise<unknown>,
): Promise<Readonly<Record<Kind, Use>>> {
  const began = performance.now();
  const last = new Map<number, Process & { readonly began: number }>();
  let done = false;
  const end = work.finally(() => (done = true)).catch(() => undefined);
  while (!done) {
    const pid = root();
    const at = (performance.now() - began) / 1000;
    for (const each of pid === undefined ? [] : below(pid, running())) {
      const before = last.get(each.pid);
      // One that has ended and was not asked yet how has no command line any more.
      const command = each.command === "" ? (before?.command ?? "") : each.command;
      last.set(each.pid, { ...each, command, began: before?.began ?? at });
    }
    await Promise.race([wait(50), end]);
  }
  const of = (kind: Kind): Use => {
    const its = [...last.values()].filter(({ command }) => kindOf(command) === kind);
    const cpu = its.reduce((sum, { ticks }) => sum + ticks, 0) / 100;
    return { cpu, began: its.length > 0 ? Math.min(...its.map((one) => one.began)) : NaN };
  };
  return Object.fromEntries(KINDS.map((kind) => [kind, of(kind)])) as Record<Kind, Use>;
}
