// Many backends behind one site in a lab with many relays: a stack of them, what is done to them, and how visitors are spread over them.
import assert from "node:assert/strict";
import { execOn, type Lab, type LoadRecord, type LoadReport } from "../../lab/lab";
import { balancerPaths, publisherStatus, units } from "../../plan/names";
import { DescriptorWatch } from "./beyondWatch";
import { Rehearsal, type Settings } from "./fixture";
import { pidsOf, Visitors } from "./killKit";

/** A descriptor has 20 introduction points, each at another relay: so many are enough to choose from. */
export const RELAYS = 40;

/** A tor daemon, as the stack's output has it. */
export interface Backend {
  readonly name: string;
  readonly worker: string;
  readonly address: string;
}

/** What became of a directory's descriptor (host/rounds.py). */
interface Uploaded {
  readonly fingerprint: string;
  readonly state: string;
  readonly reason: string | null;
  readonly tries: number;
}

/** The parts of the publisher's status that tests read. */
export interface PublisherStatus {
  readonly problems: readonly string[];
  readonly sites: Readonly<
    Record<
      string,
      {
        readonly listed: number;
        readonly leftOut: Readonly<Record<string, { readonly by: string }>>;
        readonly descriptors: readonly { readonly period: number; readonly directories: readonly Uploaded[] }[];
      }
    >
  >;
}

/** How the stack is at the moment. */
export interface Shape {
  /** Worker hosts, and tor daemons on each. */
  readonly workers: number;
  readonly daemons: number;
  /** More settings of the stack. */
  readonly settings?: Settings;
}

const DOMAIN = "www.daily.test";

/** A lab with a stack of one site with many backends. */
export class Beyond {
  private watching: DescriptorWatch | undefined;
  private visiting: Visitors | undefined;
  /** Those of the last `up`. */
  backends: readonly Backend[] = [];
  /** With `.onion`. */
  site = "";

  private constructor(readonly rehearsal: Rehearsal) {}

  /** Starts lab and stack of that name; nothing is deployed yet. */
  static async start(name: string): Promise<Beyond> {
    return new Beyond(await Rehearsal.start(name, { relays: RELAYS, domains: [DOMAIN] }));
  }

  get lab(): Lab {
    return this.rehearsal.lab;
  }

  /** Writes the config, for an `up` that the test runs itself. */
  configure({ workers, daemons, settings = {} }: Shape): void {
    this.rehearsal.configure({
      ...{ hosts: { provider: "lab", name: this.lab.name }, balancers: 1, workers, publisher: "distinct" },
      ...{ protectKeys: false, retireGrace: "5s", drainTimeout: "20s" },
      projects: [{ name: "news", softmapTorWorkers: daemons, backendHeader: true, sites: [{ domain: DOMAIN }] }],
      ...settings,
    });
  }

  /** `pulumi up` to that shape. @returns its seconds */
  async up(shape: Shape): Promise<number> {
    this.configure(shape);
    const { seconds } = await this.rehearsal.up();
    this.backends = await this.rehearsal.output<Backend[]>("backends");
    assert.equal(this.backends.length, shape.workers * shape.daemons);
    this.site =
      (await this.rehearsal.output<Record<string, Record<string, string>>>("addresses"))["news"]?.[DOMAIN] ?? "";
    return seconds;
  }

  /** Names of the backends that run now. */
  names(): string[] {
    return this.backends.map(({ name }) => name);
  }

  /** Who looks at the directories; begins with the first call, and knows the backends of then. */
  async watch(): Promise<DescriptorWatch> {
    const addresses = Object.fromEntries(this.backends.map(({ name, address }) => [name, address]));
    this.watching ??= await DescriptorWatch.start(this.lab, this.site, addresses, () => this.published());
    return this.watching;
  }

  /** For a failure: what the publisher says of each upload, and how many relays its tor has in the consensus, and with their keys. */
  private async published(): Promise<string> {
    const { problems, sites } = await this.status();
    const uploads = Object.values(sites).flatMap(({ descriptors }) =>
      descriptors.flatMap(({ period, directories }) =>
        directories.map((one) => `${period} ${one.fingerprint}: ${one.state} ${one.reason ?? ""}, tries ${one.tries}`),
      ),
    );
    const counts = `cd ${balancerPaths.dataDir}; cat cached-microdesc-consensus | grep -c '^r '; cat cached-microdescs* | grep -c '^id ed25519'`;
    const relays = (await execOn(this.lab, "balancer1", ["sh", "-c", counts])).text.trim().split("\n").join(", ");
    const said = [`The publisher, whose tor knows of relays and of keys: ${relays}`, ...problems, ...uploads];
    return said.join("\n    ");
  }

  /** The look at the directories begins anew, with the backends of now. */
  async watchAnew(): Promise<DescriptorWatch> {
    await this.watching?.end();
    this.watching = undefined;
    return this.watch();
  }

  /** Who fetches the site without pause; begins with the first call. */
  async visitors(): Promise<Visitors> {
    this.visiting ??= await Visitors.of(this.lab, [this.site]);
    return this.visiting;
  }

  async status(balancer = "balancer1"): Promise<PublisherStatus> {
    const ran = await execOn(this.lab, balancer, ["cat", publisherStatus]);
    assert.equal(ran.code, 0, ran.stderr);
    return JSON.parse(ran.text) as PublisherStatus;
  }

  /** Process of the publisher: the same before and after means that it was not started anew. */
  async publisher(balancer = "balancer1"): Promise<string> {
    return (await pidsOf(this.lab, balancer, [units.onionbalance]))[units.onionbalance] ?? "";
  }

  /** Does something to backends at once, all at the same moment as far as may be. @returns when the last was done, Unix seconds */
  async harm(backends: readonly Backend[], how: Harm): Promise<number> {
    await this.onTheirHosts(backends, HARM[how].harm);
    return Date.now() / 1000;
  }

  /** Takes it back. @returns when they run again, Unix seconds */
  async heal(backends: readonly Backend[], how: Harm): Promise<number> {
    await this.onTheirHosts(backends, HARM[how].heal);
    return Date.now() / 1000;
  }

  async end(): Promise<void> {
    await this.visiting?.leave();
    await this.watching?.end();
    await this.rehearsal.end();
  }

  private async onTheirHosts(backends: readonly Backend[], script: string): Promise<void> {
    const hosts = [...new Set(backends.map(({ worker }) => worker))];
    await Promise.all(
      hosts.map(async (host) => {
        const numbers = backends
          .filter(({ worker }) => worker === host)
          .map(({ name }) => name.split("-").at(-1) ?? "");
        const ran = await execOn(this.lab, host, ["bash", "-ec", FIND + script, "bash", ...numbers]);
        assert.equal(ran.code, 0, `${host}: ${ran.stderr}${ran.text}`);
      }),
    );
  }
}

/** Daemons' numbers become their units: the name has their generation in it. */
const FIND = `units=()
for n in "$@"; do units+=($(systemctl list-units --all --plain --no-legend "softmap-tor@news-$n-*" | cut -d" " -f1)); done
`;

// Restart=always would have it back after two seconds: a drop-in keeps it dead.
const KILL = `for u in "\${units[@]}"; do mkdir -p /run/systemd/system/$u.d; printf "[Service]\\nRestart=no\\n" >/run/systemd/system/$u.d/dead.conf; done
systemctl daemon-reload
systemctl kill --signal=KILL "\${units[@]}"`;
const REVIVE = `for u in "\${units[@]}"; do rm -r /run/systemd/system/$u.d; done
systemctl daemon-reload
systemctl reset-failed "\${units[@]}"
systemctl start "\${units[@]}"`;

// One tor's packets are told from another's by the ports that it has, which are read again and again: they have one user, and nft finds no cgroup of
// theirs where version 2 is not mounted alone.
const CUT = `nft -f - <<"END"
table inet labcut {
  set ports { type inet_service; }
  chain out { type filter hook output priority -300; oifname != "lo" tcp sport @ports drop; }
  chain in { type filter hook input priority -300; iifname != "lo" tcp dport @ports drop; }
}
END
pids=$(systemctl show -P MainPID "\${units[@]}" | tr -s "\\n" "|" | sed "s/|$//")
cat >/run/labcut <<END
ss -tnpH | grep -E "pid=($pids)," | awk '{ n = split(\\$4, part, ":"); print "add element inet labcut ports { " part[n] " }" }' | nft -f -
END
bash /run/labcut
systemd-run -q --unit=labcut bash -c "while :; do bash /run/labcut; sleep .2; done"`;
const JOIN = "systemctl stop labcut; nft delete table inet labcut";

const HARM = {
  killed: { harm: KILL, heal: REVIVE },
  stopped: {
    harm: 'systemctl kill --signal=STOP "${units[@]}"',
    heal: 'systemctl kill --signal=CONT "${units[@]}"',
  },
  "cut off": { harm: CUT, heal: JOIN },
} as const;

/** What happens to a backend: kill -9 and nobody starts it; it hangs (SIGSTOP); nothing of its connections gets through any more, without a word (nft). */
export type Harm = keyof typeof HARM;

/**
 * Failed requests but for answers that had begun to come from a backend when it was harmed: nobody can end them in its place. A browser's user sees a
 * page cut off, and loads it again.
 */
export function brokenIn({ failed }: LoadReport, harmed: readonly Backend[]): LoadRecord[] {
  const names = harmed.map(({ name }) => name);
  return failed.filter(({ backend, status }) => !(status === 200 && names.includes(backend)));
}

/** How evenly answers are spread over backends. */
export interface Spread {
  readonly answers: number;
  /** Backends that answered, of all. */
  readonly reached: number;
  readonly backends: number;
  /** Standard deviation of the backends' numbers of answers by their mean, and what chance alone makes it (Poisson). */
  readonly variation: number;
  readonly chance: number;
}

/** @param answers backend to the number of its answers; those of others than `backends` do not count */
export function spreadOf(answers: Readonly<Record<string, number>>, backends: readonly string[]): Spread {
  const counts = backends.map((name) => answers[name] ?? 0);
  const sum = counts.reduce((all, one) => all + one, 0);
  const mean = sum / counts.length;
  const variance = counts.reduce((all, one) => all + (one - mean) ** 2, 0) / counts.length;
  return {
    ...{ answers: sum, reached: counts.filter((one) => one > 0).length, backends: counts.length },
    ...{ variation: Math.sqrt(variance) / mean, chance: 1 / Math.sqrt(mean) },
  };
}

/** `14 of 14 backends, variation 0.31 (chance 0.29) of 166 answers`. */
export function tellSpread({ answers, reached, backends, variation, chance }: Spread): string {
  return `${reached} of ${backends} backends, variation ${variation.toFixed(2)} (chance ${chance.toFixed(2)}) of ${answers} answers`;
}

/** What units use: their share of a core over the seconds since the last call, and their memory (PSS). */
export interface Usage {
  readonly cpu: number;
  /** MiB. */
  readonly memory: number;
}

const USAGE = `for u in "$@"; do p=$(systemctl show -P MainPID "$u")
echo "$u $(date +%s.%N) $(cut -d" " -f14,15 /proc/$p/stat) $(sed -n "s/^Pss: *\\([0-9]*\\) kB/\\1/p" /proc/$p/smaps_rollup)"; done`;

/** Looks at units of a balancer twice, while `work` runs. */
export async function usageDuring(
  lab: Lab,
  host: string,
  watched: readonly string[],
  work: () => Promise<unknown>,
): Promise<Record<string, Usage>> {
  const look = async () => {
    const ran = await execOn(lab, host, ["bash", "-ec", USAGE, "bash", ...watched], { mayFail: false });
    return new Map(
      ran.text.split("\n").map((line) => {
        const [unit = "", ...numbers] = line.split(" ");
        const [at = 0, user = 0, system = 0, pss = 0] = numbers.map(Number);
        return [unit, { at, ticks: user + system, pss }] as const;
      }),
    );
  };
  const before = await look();
  await work();
  const after = await look();
  return Object.fromEntries(
    [...after].map(([unit, now]) => {
      const then = before.get(unit) ?? now;
      return [unit, { cpu: (now.ticks - then.ticks) / 100 / (now.at - then.at), memory: now.pss / 1024 }];
    }),
  );
}

/** Writes the operator's leave-out list of a balancer as it is; empty removes it. */
export async function writeList(lab: Lab, balancer: string, path: string, text: string): Promise<void> {
  const script =
    text === ""
      ? 'rm -f "$1"'
      : 'mkdir -p "$(dirname "$1")" && cat >"$1.new" && chmod 644 "$1.new" && mv "$1.new" "$1"';
  const ran = await execOn(lab, balancer, ["sh", "-c", script, "sh", path], { input: text });
  assert.equal(ran.code, 0, ran.stderr);
}
