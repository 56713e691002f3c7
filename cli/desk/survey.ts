/**
 * What one look at a whole stack finds: what its outputs say, and what each of its machines says of itself (host/desk.py). Every command that tells
 * how a stack is, and every picture of it, is a pure function of this. Ages and spans are seconds; null: not known.
 */
import type { SshConnection } from "../../host/ssh";
import type { Role } from "../../plan/names";

/** A deployed stack, as its outputs tell it (index.ts). */
export interface DeployedStack {
  /** As components/releaseDefaults.ts writes it, for the hosts' locks. @example "organization/softmap/prod" */
  readonly stack: string;
  /** How to reach each machine, by its name; private keys are in it. Undefined: it is this one. */
  readonly machines: ReadonlyMap<string, SshConnection | undefined>;
  /** Names of those that run backends, in the order of the stack's config. */
  readonly workers: readonly string[];
  /** Names of those that have a balancer; a machine can be both. */
  readonly balancers: readonly string[];
  readonly backends: readonly BackendKnown[];
  readonly sites: readonly SiteKnown[];
  /** Where its machines tell their metrics, and to whom; undefined: nowhere. */
  readonly monitoring?: { readonly port: number; readonly from: readonly string[] } | undefined;
}

/** A backend of the plan. */
export interface BackendKnown {
  /** @example "news-worker1-2" */
  readonly name: string;
  readonly worker: string;
  readonly project: string;
  /** Its own address, with `.onion`. */
  readonly address: string;
}

/** A site of the plan. */
export interface SiteKnown {
  readonly project: string;
  readonly domain: string;
  /** With `.onion`. */
  readonly address: string;
}

/** One look at everything. */
export interface Survey {
  readonly stack: string;
  /** When it was taken, ISO 8601, UTC. */
  readonly taken: string;
  readonly backends: readonly BackendKnown[];
  readonly sites: readonly SiteKnown[];
  /** Every machine of the stack, balancers first: one that could not be asked is among them. */
  readonly machines: readonly MachineLook[];
}

/** A machine, or why it could not be asked: one sentence without a full stop. */
export type MachineLook =
  | { readonly name: string; readonly error: string; readonly seen?: undefined }
  | { readonly name: string; readonly error?: undefined; readonly seen: MachineSeen };

/** What a machine says of itself. */
export interface MachineSeen {
  readonly system: {
    /** PRETTY_NAME of its os-release. */
    readonly os: string;
    readonly architecture: string;
    readonly cores: number;
    /** Average of one minute. */
    readonly load: number;
    readonly memoryMb: { readonly total: number; readonly free: number };
    readonly uptime: number;
    /** Its clock minus that of the machine that asks. */
    readonly clockAhead: number;
    /** Whether something sets its clock by the network (timedatectl). */
    readonly clockSynchronised: boolean | null;
    /** Each file system once. Inodes are null where the file system has no fixed number of them. */
    readonly disks: readonly {
      readonly place: string;
      readonly totalMb: number;
      readonly freeMb: number;
      readonly inodesTotal?: number | null;
      readonly inodesFree?: number | null;
    }[];
    /** Versions of the packages that serve, by name: tor, nginx, onionbalance. */
    readonly packages: Readonly<Record<string, string>>;
  };
  /** The step of `pulumi up` that holds the machine right now, as it wrote itself down; `since` in UTC. */
  readonly lock: {
    readonly by: string;
    readonly from: string;
    readonly what: string;
    readonly process: number;
    readonly since: string;
  } | null;
  readonly roles: readonly {
    readonly role: Role;
    /** Stack and component that it belongs to. */
    readonly owner: string;
    /** Id of the release that serves. */
    readonly release: string | null;
    /** Id of the one that was proved last: another one after a step that was cut off. */
    readonly proved: string | null;
    /** Age of the serving one. */
    readonly age: number | null;
  }[];
  /** What is not as it was released: the findings of a refresh (host/probe.py), a sentence each. */
  readonly drift: readonly string[];
  readonly units: readonly UnitSeen[];
  readonly tors: readonly TorSeen[];
  readonly proxies: readonly ProxySeen[];
  readonly certificates: readonly CertificateSeen[];
  /** On balancers. */
  readonly publisher: PublisherSeen | null;
}

/** One systemd unit of softmap's. */
export interface UnitSeen {
  /** @example "softmap-tor@news-1-3fa9.service" */
  readonly unit: string;
  readonly kind: "tor" | "client tor" | "nginx" | "balancer tor" | "prober tor" | "onionbalance" | "watchdog" | "base";
  /** Of a tor or nginx of a worker. */
  readonly project: string | null;
  /** What the last release has it do; `leaving`: it runs, and is planned no longer. */
  readonly planned: "run" | "stand by" | "leaving";
  /** systemd's ActiveState: active, reloading, inactive, failed, activating, deactivating. */
  readonly state: string;
  /** systemd's SubState, e.g. running, dead, auto-restart. */
  readonly sub: string;
  readonly enabled: boolean;
  /** Restarts that systemd made of itself. */
  readonly restarts: number;
  readonly age: number | null;
  readonly memoryMb: number | null;
  readonly pid: number | null;
}

/** One tor, asked through its control socket. */
export interface TorSeen {
  readonly unit: string;
  /** Why it did not answer; then the rest is null. */
  readonly error: string | null;
  readonly version: string | null;
  /** Per cent. */
  readonly bootstrapped: number | null;
  /** What it says of that, e.g. "Done". */
  readonly summary: string | null;
  /** Whether it has a circuit that works (status/circuit-established). */
  readonly circuits: boolean | null;
  /** Entry guards by state (GETINFO entry-guards): how many it can use, of how many that it chose. */
  readonly guards: { readonly up: number; readonly all: number } | null;
  /** Of a backend: its service. */
  readonly backend: {
    /** @example "news-worker1-2"; null: no backend of the serving release has this address. */
    readonly name: string | null;
    /** With `.onion`. */
    readonly address: string;
    /** Introduction circuits that stand. tor keeps two descriptors at a time, each with points of its own: twice as many as torIntrosPerDaemon. */
    readonly introductionPoints: number;
    /** HiddenServiceNumIntroductionPoints of the torrc that serves: the setting torIntrosPerDaemon. */
    readonly plannedPoints?: number | null;
    /** Whether the daemon has the file that lets it answer for frontends, with every address in it. */
    readonly obConfig: readonly string[];
  } | null;
}

/** A project's nginx. */
export interface ProxySeen {
  readonly project: string;
  readonly unit: string;
  /** Whether it answers with the marker of the serving release. */
  readonly answers: boolean;
  /** Per site: what the upstream's side says when asked now through the proxy's own socket. Null status: nothing came. */
  readonly sites: readonly {
    readonly domain: string;
    readonly status: number | null;
    readonly seconds: number;
    readonly error: string | null;
  }[];
}

/** A certificate that serves on this machine. */
export interface CertificateSeen {
  readonly project: string;
  readonly domain: string;
  /** SHA-256, hex. */
  readonly fingerprint: string;
  /** Seconds until it ends; negative: it has. */
  readonly left: number;
}

/** What the balancer publishes. */
export interface PublisherSeen {
  /** Installed, and not publishing. */
  readonly standby: boolean;
  /** Why Onionbalance's status socket does not answer. */
  readonly error: string | null;
  /** The last line of its journal, where it does not run. */
  readonly said: string | null;
  /** What it tells of itself; null: nothing, as on a machine that was deployed before it did. */
  readonly told: PublisherTold | null;
  /** What probes its backends; null: nothing does, or it tells nothing. */
  readonly watchdog: WatchdogSeen | null;
  readonly sites: readonly PublishedSite[];
}

/** The publisher as a whole, by its own word. */
export interface PublisherTold {
  /** `onionbalance`: one descriptor for all directories. `distinct`: above ten backends each directory has its own. */
  readonly mode: string;
  /** Since it told. */
  readonly age: number;
  /** What it cannot do as it should, and goes on without. A sentence each. */
  readonly problems: readonly string[];
}

/** A balancer's watchdog. */
export interface WatchdogSeen {
  /** Since it told. */
  readonly age: number;
  /** Seconds between two probes of a backend. */
  readonly every: number;
  /** Why it does not trust its probes, and holds nothing against anybody; empty: it does. */
  readonly broken: string;
  readonly backends: readonly WatchedBackend[];
}

/** A backend as the watchdog finds it. */
export interface WatchedBackend {
  readonly name: string;
  /** With `.onion`. */
  readonly address: string;
  /** `answers`, `silent` (it is to be left out) or `unknown`. */
  readonly state: string;
  /** Since it is so. */
  readonly age: number | null;
  /** Since it answered last. */
  readonly answered: number | null;
  /** How long the last answer took. */
  readonly seconds: number | null;
  readonly failures: number;
  readonly probes: number;
  readonly why: string;
}

/** A site as its balancer sees it, and as the network has it. */
export interface PublishedSite {
  readonly domain: string;
  /** With `.onion`. */
  readonly address: string;
  /** Since Onionbalance last tried to upload either descriptor: it counts tries (DESIGN: "last upload" means tried). */
  readonly attempted: number | null;
  readonly backends: readonly {
    /** Null: nobody of the plan has this address. */
    readonly name: string | null;
    readonly address: string;
    /** Since Onionbalance got its descriptor. */
    readonly received: number | null;
    /** Introduction points of its own descriptor as Onionbalance has it. */
    readonly points: number | null;
    /** Introduction points of it in the published descriptors, fetched and decrypted just now, all together; null: not looked at. */
    readonly listed: number | null;
    /** In how many of the descriptors that were fetched it is. */
    readonly directories: number | null;
  }[];
  /** What the publisher tells of it; null: nothing. */
  readonly told: SiteTold | null;
  /** What the network has, asked for just now; null: not asked (`--quick`). */
  readonly published: {
    /** Why there is no descriptor to read. */
    readonly error: string | null;
    /** Introduction points of the fullest descriptor. */
    readonly points: number;
    /** Of all descriptors together. */
    readonly all: number;
    /** Points in them that belong to no backend that is known. */
    readonly unknown: number;
    /** Seconds until the last one came. */
    readonly took: number;
    /** Directories that were asked: one where all have the same, else every one that clients ask. */
    readonly asked: number;
    /** Those of them that gave none. */
    readonly silent: readonly { readonly fingerprint: string; readonly why: string }[];
  } | null;
}

/** A site by its publisher's word. */
export interface SiteTold {
  readonly backends: number;
  readonly listed: number;
  readonly leftOut: readonly LeftOut[];
  /** Names of those that were to be left out, and stay listed because too few would be left. */
  readonly spared: readonly string[];
  /** The one or two that are published now, the earlier period first. */
  readonly descriptors: readonly DescriptorTold[];
}

/** A backend that is left out of the descriptors. */
export interface LeftOut {
  readonly name: string;
  /** With `.onion`. */
  readonly address: string;
  /** `operator` or `watchdog`. */
  readonly by: string;
  readonly why: string;
  /** Since it is so. */
  readonly age: number | null;
}

/** One descriptor of a site, as it was published last. */
export interface DescriptorTold {
  /** `first` or `second`. */
  readonly which: string;
  readonly period: number;
  /** Whether clients ask for it now. */
  readonly readers: boolean;
  readonly age: number | null;
  /** Why it was published. */
  readonly why: string;
  readonly points: number;
  readonly directories: readonly DirectoryTold[];
}

/** A directory that a descriptor went to. */
export interface DirectoryTold {
  readonly fingerprint: string;
  readonly replica: number;
  /** Whether clients ask it. */
  readonly asked: boolean;
  /** `stored`, `pending`, `refused` (it has one that is not older) or `failed`. */
  readonly state: string;
  readonly reason: string;
  readonly tries: number;
  readonly seconds: number | null;
  readonly bytes: number;
  /** Names of the backends in its descriptor. */
  readonly backends: readonly string[];
}
