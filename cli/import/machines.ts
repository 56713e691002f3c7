// Machines: the workers file, one host a line, and the machine that it is on as the balancer.
import { addressFault, userFault } from "../../config/schema/network";
import { hostNameFault } from "../../config/schema/names";
import type { Decision, Entry, Fault } from "./entry";
import { shown } from "./entry";
import type { Source } from "./read";

/** The keys of a stack's config that say where it runs, and what is to be said of them. */
export interface Machines {
  readonly config: Readonly<Record<"hosts" | "balancers" | "workers" | "workersOnBalancers", unknown>>;
  readonly mapped: Entry[];
  readonly decisions: Decision[];
  readonly faults: Fault[];
}

interface Worker {
  readonly line: number;
  readonly address: string;
  readonly user: string | undefined;
}

/** The machines of a workers file; without one it is all on this machine. `user` is who logs in, where that is known. */
export function machinesOf(home: string, file: Source | undefined, user: string | undefined): Machines {
  const workers: Worker[] = [];
  const faults: Fault[] = [];
  const mapped: Entry[] = [];
  const here: number[] = [];
  (file?.text ?? "").split(/\r\n|\n|\r/).forEach((whole, i) => {
    const text = whole.trim();
    const at = { file: file?.file ?? home, line: i + 1 };
    if (text === "" || text.startsWith("#")) return;
    if (text === "localhost") return void here.push(i + 1);
    const [, login, address = text] = /^([^@\s]+)@(\S+)$/.exec(text) ?? [];
    const wrong = addressFault(address) ?? (login === undefined ? undefined : userFault(login));
    if (wrong !== undefined)
      return void faults.push({ ...at, what: `worker ${shown(text)}`, why: wrong.message, next: wrong.next });
    if (!workers.some((worker) => worker.address === address)) workers.push({ line: i + 1, address, user: login });
  });
  const at = (line?: number): { file: string; line?: number } =>
    file === undefined ? { file: home } : { file: file.file, ...(line !== undefined && { line }) };
  if (workers.length === 0) return { ...allHere(at(here[0])), mapped, faults };
  const names = namesOf(workers.map(({ address }) => address));
  const login = user ?? workers.find((worker) => worker.user !== undefined)?.user;
  const onBalancer = here.length > 0;
  const config = {
    hosts: { provider: "ssh", ...(login !== undefined && { user: login }), agent: true },
    balancers: [{ name: names.includes("balancer1") ? "this" : "balancer1", local: true }],
    workers: workers.map((worker, i) => ({
      name: names[i],
      address: worker.address,
      ...(worker.user !== undefined && worker.user !== login && { user: worker.user }),
    })),
    workersOnBalancers: onBalancer,
  };
  workers.forEach(({ line, address }, i) => {
    mapped.push({ ...at(line), what: `worker ${address}`, to: "workers", why: `Worker ${names[i] ?? ""}.` });
  });
  if (onBalancer) {
    const why = "The balancer's machine runs backends too: workersOnBalancers.";
    mapped.push({ ...at(here[0]), what: "worker localhost", to: "workersOnBalancers", why });
  }
  return { config, mapped, decisions: ofSsh(workers, login, at), faults };
}

type Place = (line?: number) => { file: string; line?: number };

function ofSsh(workers: readonly Worker[], user: string | undefined, at: Place): Decision[] {
  const decisions: Decision[] = [
    {
      ...at(),
      what: "balancer",
      why: "It is the machine that Onionspray is on, taken to be the one on which `pulumi up` will be run (local: true).",
      next: "Else write its address and hostKey in place of local: true.",
      blocks: false,
    },
  ];
  if (user === undefined) {
    const why = "Who logs in at the workers is not told by Onionspray's files.";
    const next = "Write user: NAME into hosts, a user with sudo, or import with --user NAME.";
    decisions.push({ ...at(workers[0]?.line), what: "hosts", why, next, blocks: true });
  }
  for (const { line, address } of workers) {
    const why = "Onionspray pins no host keys; here nobody is logged in at without one.";
    const next = `\`npx softmap hostkey ${address}\` prints it: compare it on the machine's console, and write it as hostKey.`;
    decisions.push({ ...at(line), what: `worker ${address}`, why, next, blocks: true });
  }
  return decisions;
}

function allHere(at: { file: string; line?: number }): Pick<Machines, "config" | "decisions"> {
  return {
    config: { hosts: { provider: "local" }, balancers: 1, workers: 0, workersOnBalancers: true },
    decisions: [
      {
        ...at,
        what: "machines",
        why: "Onionspray runs on its own machine alone, so the config says provider: local, the machine on which `pulumi up` is run.",
        next: "For other machines write another provider: docs/hosts.md.",
        blocks: false,
      },
    ],
  };
}

/** A name for each address: its first label where that tells them apart, else all of it. */
export function namesOf(addresses: readonly string[]): string[] {
  const plain = (text: string): string =>
    text
      .toLowerCase()
      .replaceAll(/[^a-z0-9]+/g, "-")
      .replaceAll(/^-+|-+$/g, "");
  const short = addresses.map((address) => (/^[0-9.]+$|:/.test(address) ? "" : plain(address.split(".")[0] ?? "")));
  const taken = new Set<string>();
  return addresses.map((address, i) => {
    const own = short[i] ?? "";
    const alone = own !== "" && short.filter((each) => each === own).length === 1;
    const wished = [alone ? own : "", plain(address)].find(
      (name) => hostNameFault(name) === undefined && !taken.has(name) && !/^[0-9-]+$/.test(name),
    );
    let name = wished ?? "";
    for (let n = 1; name === ""; n += 1)
      if (!taken.has(`worker${n}`) && !short.includes(`worker${n}`)) name = `worker${n}`;
    taken.add(name);
    return name;
  });
}
