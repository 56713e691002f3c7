// Who uses the machine's cores: processes of all containers, as this machine's own /proc shows them.
import { readdirSync, readFileSync } from "node:fs";
import { containersOf, podman, type Lab } from "../lab/lab";

/** Of what is measured. `rest of the lab`: systemd, sshd, journals, the lab's own client. */
export const PARTS = [
  "worker tor",
  "worker nginx",
  "balancer",
  "relays",
  "client tors",
  "client program",
  "origin",
  "rest of the lab",
] as const;
export type Part = (typeof PARTS)[number];

/** Seconds that a tick of /proc has: USER_HZ is 100 on every Linux that Debian runs on. */
const TICK = 0.01;

/** In load_clients.py. */
const CLIENTS = "load_clients.py SETTINGS";

export interface Process {
  readonly parent: number;
  readonly name: string;
  readonly command: string;
  /** User and system seconds so far. */
  readonly cpu: number;
  /** The same of its first thread alone: tor's event loop. */
  readonly loop: number;
}

/** The machine at one moment. */
export interface Sample {
  /** Unix seconds. */
  readonly at: number;
  readonly processes: ReadonlyMap<number, Process>;
  /** Of each core: seconds so far that it worked. Idle, waiting and stolen ones are not among them. */
  readonly cores: readonly number[];
  /** Seconds so far that a hypervisor gave to others, of all cores. */
  readonly stolen: number;
}

/** `/proc/PID/stat`: the name may have blanks and brackets in it. */
export function parseStat(text: string): { name: string; parent: number; cpu: number } {
  const end = text.lastIndexOf(")");
  const fields = text.slice(end + 2).split(" ");
  const [, parent = 0] = fields.map(Number);
  const cpu = (Number(fields[11]) + Number(fields[12])) * TICK;
  return { name: text.slice(text.indexOf("(") + 1, end), parent, cpu };
}

/** `/proc/stat`: user, nice, system, idle, iowait, irq, softirq, steal. */
export function parseCores(text: string): Pick<Sample, "cores" | "stolen"> {
  const rows = text.split("\n").flatMap((line) => {
    const [name = "", ...fields] = line.split(/\s+/);
    return /^cpu\d+$/.test(name) ? [fields.map(Number)] : [];
  });
  return {
    cores: rows.map(([user = 0, nice = 0, system = 0, , , irq = 0, softirq = 0]) =>
      [user, nice, system, irq, softirq].reduce((sum, one) => sum + one * TICK, 0),
    ),
    stolen: rows.reduce((sum, row) => sum + (row[7] ?? 0) * TICK, 0),
  };
}

/** Reads all of /proc. A process that ends meanwhile is not in it. */
export function sample(): Sample {
  const processes = new Map<number, Process>();
  const at = Date.now() / 1000;
  for (const pid of readdirSync("/proc").filter((name) => /^\d+$/.test(name)))
    try {
      const { name, parent, cpu } = parseStat(readFileSync(`/proc/${pid}/stat`, "utf8"));
      const command = readFileSync(`/proc/${pid}/cmdline`, "utf8").replaceAll("\0", " ");
      const loop = parseStat(readFileSync(`/proc/${pid}/task/${pid}/stat`, "utf8")).cpu;
      processes.set(Number(pid), { parent, name, command, cpu, loop });
    } catch {
      // it has just ended
    }
  return { at, processes, ...parseCores(readFileSync("/proc/stat", "utf8")) };
}

/** First process of each container of the lab to the container's name without the lab's. */
export async function rootsOf(lab: Lab): Promise<Map<number, string>> {
  const names = (await containersOf(lab)).filter(({ running }) => running).map(({ name }) => name);
  const ran = await podman(["container", "inspect", "--format", "{{.State.Pid}} {{.Name}}", ...names]);
  return new Map(
    ran.text.split("\n").map((line) => {
      const [pid = "", name = ""] = line.split(" ");
      return [Number(pid), name.slice(`softmap-${lab.name}-`.length)] as const;
    }),
  );
}

/** What a process of that container is a part of. */
export function partOf(container: string, { name, command }: Pick<Process, "name" | "command">): Part {
  if (container === "origin") return "origin";
  if (container.startsWith("balancer")) return "balancer";
  if (container === "tor") {
    if (/\/lab-tor\/[ar]\d+\/torrc/.test(command)) return "relays";
    if (/\/bench-load-[^/]+\/\d+\/torrc/.test(command)) return "client tors";
    return isClients({ name, command }) ? "client program" : "rest of the lab";
  }
  if (name === "tor") return "worker tor";
  return name === "nginx" ? "worker nginx" : "rest of the lab";
}

/** The busiest process of a part, as shares of one core. */
export interface Busiest {
  readonly process: number;
  /** Its first thread. */
  readonly loop: number;
}

/** What was used between two samples. */
export interface Used {
  readonly seconds: number;
  /** CPU seconds. */
  readonly parts: Readonly<Record<Part, number>>;
  readonly busiest: Readonly<Record<Part, Busiest>>;
  /**
   * Share of the time that each core worked. Where the kernel looks at its ticks alone (CONFIG_TICK_CPU_ACCOUNTING) it misses work that timers start just
   * after a tick, as tor's are: then it is too low. A process's own seconds are exact.
   */
  readonly cores: readonly number[];
  /** CPU seconds of everything else on the machine: the kernel's own threads, this program, and whoever else there is. */
  readonly others: number;
  readonly stolen: number;
}

/** The clients' program, whose text is in its command line. */
const isClients = ({ name, command }: Pick<Process, "name" | "command">): boolean =>
  name.startsWith("python") && command.includes(CLIENTS);

/** Container of a process: the one whose first process it is or has among its parents. */
function containerOf(pid: number, processes: Sample["processes"], roots: ReadonlyMap<number, string>) {
  for (let at = pid, steps = 0; at > 1 && steps < 64; steps++) {
    const found = roots.get(at);
    if (found !== undefined) return found;
    at = processes.get(at)?.parent ?? 0;
  }
  return undefined;
}

/** @param containers first process of each container of the lab to its name */
export function usedBetween(before: Sample, after: Sample, containers: ReadonlyMap<number, string>): Used {
  const seconds = after.at - before.at;
  const zero = <T>(value: T) => Object.fromEntries(PARTS.map((part) => [part, value])) as Record<Part, T>;
  const parts = zero(0);
  const busiest = zero<Busiest>({ process: 0, loop: 0 });
  // who is started in a container from outside has a parent outside
  const clients = [...after.processes].filter(([, process]) => isClients(process));
  const roots = new Map([...containers, ...clients.map(([pid]) => [pid, "tor"] as const)]);
  let elsewhere = 0;
  for (const [pid, process] of after.processes) {
    const container = containerOf(pid, after.processes, roots);
    const then = before.processes.get(pid);
    const cpu = process.cpu - (then?.cpu ?? 0);
    if (container === undefined) {
      elsewhere += cpu;
      continue;
    }
    const part = partOf(container, process);
    parts[part] += cpu;
    if (cpu / seconds > busiest[part].process)
      busiest[part] = { process: cpu / seconds, loop: (process.loop - (then?.loop ?? 0)) / seconds };
  }
  const cores = after.cores.map((core, n) => (core - (before.cores[n] ?? 0)) / seconds);
  const all = cores.reduce((sum, core) => sum + core * seconds, 0);
  const known = Object.values(parts).reduce((sum, one) => sum + one, 0);
  // processes that have ended are in the cores' seconds alone
  const others = Math.max(elsewhere, all - known);
  return { seconds, parts, busiest, cores, others, stolen: after.stolen - before.stolen };
}
