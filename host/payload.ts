// What a step on a host is given: plain data, sent as JSON. The Python in this folder reads the same names.
import type { Role } from "../plan/names";

/** Owner and mode of something outside the release tree; `mode` is octal text such as "0640". */
export interface Ownership {
  readonly owner: string;
  readonly group: string;
  readonly mode: string;
}

/** A directory with its absolute path; made or mended, parents are root's. */
export interface StateDir extends Ownership {
  readonly path: string;
}

/** A file of a release: path relative to it, 0644 root, so never a secret. `install` puts a copy at an absolute path as a state file. */
export interface HostFile {
  readonly path: string;
  readonly text: string;
  readonly install?: StateDir;
}

/** A file outside the release tree, absolute; replaced whole, only when different, put back when the release fails. Secrets are allowed. */
export interface StateFile extends StateDir {
  readonly base64: string;
}

/** What makes a service healthy. */
export type Health =
  /** Bootstrapped to 100 %; with `uploads` also, after a start or restart, one uploaded descriptor. */
  | { readonly kind: "tor"; readonly control: string; readonly uploads?: boolean }
  /** The health socket answers the marker of this release: the proof of a reload. */
  | { readonly kind: "nginx"; readonly socket: string }
  /** Active, and for 3 s the same process after a change. */
  | { readonly kind: "active" };

/** A systemd unit and what it runs on. A change of its own unit file always restarts it. */
export interface Service {
  /** e.g. `softmap-tor@news-1.service` */
  readonly unit: string;
  /** Run on the staged release before the switch; `{release}` becomes its path. */
  readonly verify?: readonly string[];
  /** The user for it; root when absent. */
  readonly verifyAs?: string;
  /** Paths, relative to the release or absolute state paths, whose change needs a reload; one that ends in `/` stands for all below it. */
  readonly reloadOn: readonly string[];
  /** ... whose change needs a restart: one service at a time, the next when it is healthy. */
  readonly restartOn: readonly string[];
  readonly health: Health;
  /** A command that succeeds as long as what the unit did at its start is still there; where it fails the unit is started anew. */
  readonly holds?: readonly string[];
  /** A file where it writes, a line each, what people should know after a start or reload. */
  readonly notes?: string;
  /** Installed and checked, but not running, and not started at boot. @default false */
  readonly standby?: boolean;
}

/** A site as a proof asks for it. */
export interface ProvedSite {
  /** Its onion address. */
  readonly address: string;
  /** What people call it. */
  readonly domain: string;
  /** SHA-256 of the certificate that it must show, 64 hex digits; it is asked by https then, and by http where there is none. */
  readonly fingerprint?: string;
}

/** What a worker's release fetches through Tor before anything lists its backends. */
export interface ProjectProof {
  readonly project: string;
  /** The project's nginx: when it alone was changed, one backend is asked. */
  readonly unit: string;
  /** Two of nginx's sockets, for http and https: what the sites answer before the change. */
  readonly socket: string;
  readonly tlsSocket: string;
  /** The sites: each is asked for by name. */
  readonly sites: readonly ProvedSite[];
  /** The backends on this host: unit, SOCKS socket and own address of each. */
  readonly backends: readonly {
    readonly name: string;
    readonly unit: string;
    readonly socks: string;
    readonly address: string;
  }[];
}

export interface ReleasePayload {
  /** Which stack this is: the host's lock names it. */
  readonly stack: string;
  readonly role: Role;
  /** Whose role it is from now on, any text: only a retirement that names the same owner may take the role away. */
  readonly owner: string;
  /** The host's name, for messages. */
  readonly host: string;
  /** Anything that says which machine it is: a replaced machine under the same name must run the release again. Not used on the host. */
  readonly instance?: string;
  readonly packages: readonly string[];
  readonly users: readonly { readonly name: string; readonly groups: readonly string[] }[];
  readonly dirs: readonly StateDir[];
  readonly files: readonly HostFile[];
  readonly state: readonly StateFile[];
  readonly services: readonly Service[];
  /** Workers only: each touched backend must answer for every site. */
  readonly proof?: readonly ProjectProof[];
  /** Seconds that a changed host is watched before the step ends. @default 0 */
  readonly pauseSeconds?: number;
  /** How many releases stay on disk, the current one included. */
  readonly keepReleases: number;
  /** How long a service may take to become healthy. */
  readonly timeoutSeconds: number;
}

/** One site as it must appear in the network. Addresses with or without `.onion`. */
export interface Frontend extends ProvedSite {
  readonly backends: readonly { readonly name: string; readonly address: string }[];
}

export interface PublishPayload extends ReleasePayload {
  readonly frontends: readonly Frontend[];
  /** Anything that changes when backends were restarted: then they have new introduction points and this is run again. Not used on the host. */
  readonly backendsRunOn?: string;
  /** Control socket of the balancer's tor. */
  readonly control: string;
  /** SOCKS socket of the balancer's tor. */
  readonly socks: string;
  /** Onionbalance's status socket. */
  readonly statusSocket: string;
  /** What the publisher tells of each directory, a file. */
  readonly publisherStatus: string;
  /** The folder of site keys: a key that is in no payload any more is removed from it after the proof. */
  readonly keysDir?: string;
  /** Seconds that backends which were taken out stay up: clients go on with the descriptor that they have. */
  readonly graceSeconds: number;
  /** Addresses of backends on hosts that did not answer: published in the hope that they come back, not waited for. */
  readonly excused: readonly string[];
  /** Addresses of backends that run but are not listed by plan: when they leave a descriptor, nothing has to wait for it. */
  readonly warm: readonly string[];
  /** Seconds after which a balancer that stopped publishing loses its site keys; only read when its service is on standby. */
  readonly rollbackSeconds: number;
  readonly publishTimeoutSeconds: number;
}

/** The proof again, by a balancer that others have just stopped publishing beside. It reads on the host what was published last. */
export interface ConfirmPayload {
  readonly host: string;
  readonly stack: string;
  /** Names of the hosts that publish: when they change, the proof is due. Not used on the host. */
  readonly publishing: readonly string[];
}

export interface RetirePayload {
  /** Which stack this is: the host's lock names it. */
  readonly stack: string;
  /** What is tidied; with the word `everything` after the bootstrap text these roles go as a whole, users with the last role. */
  readonly roles: readonly Role[];
  /** The owner of the roles; with `everything` those that another owner has released since are left alone. */
  readonly owner: string;
  readonly host: string;
  readonly instance?: string;
  /** Units that stay. */
  readonly keepServices: readonly string[];
  /** State directories that stay, absolute. */
  readonly keepStateDirs: readonly string[];
  /** Files of the release that stay; others were carried for what leaves. */
  readonly keepFiles: readonly string[];
  /** The nginxes that stay: those that read a file which goes are reloaded. */
  readonly proxies: readonly Service[];
  /** Seconds that open connections to leaving tors are waited for. */
  readonly drainSeconds: number;
  /** The roles go as a whole, as with the word `everything`. @default false */
  readonly everything?: boolean;
}

/** What a machine is to do, for the look at whether it can. */
export interface PreflightPayload {
  readonly host: string;
  readonly roles: readonly Role[];
  /** Whether a firewall is to come: then nobody may listen on a port that it would shut. */
  readonly firewall: boolean;
  /** TCP ports that it lets in besides ssh. */
  readonly openPorts: readonly number[];
}

/** The comparison of what is on a host with what was released there. */
export interface ProbePayload {
  readonly host: string;
  readonly roles: readonly Role[];
  /** The owner of the roles: what belongs to another one is not looked at. */
  readonly owner: string;
}

/** The way back to the release before, on one worker. */
export interface RollbackPayload {
  readonly host: string;
  readonly stack: string;
}

/** The operator's desk asks how a machine is. */
export interface SurveyPayload {
  readonly host: string;
  /** Domains of the sites that are asked for through the machine's own proxies, up to their origins. */
  readonly ask: readonly string[];
  /** Nothing is asked of the network. */
  readonly quick: boolean;
}

/** Units started, stopped or restarted by hand. */
export interface ActPayload {
  readonly host: string;
  readonly stack: string;
  readonly action: "start" | "stop" | "restart";
  /** Only what serves these projects; none: everything on the machine. */
  readonly projects: readonly string[];
  /** Only the tors of these backends, and nothing else. */
  readonly only?: readonly string[];
  /** Everything but the tors of these backends. */
  readonly without?: readonly string[];
}

/** The operator's list of backends that a balancer leaves out of the descriptors. */
export interface LeavePayload {
  readonly host: string;
  /** `look` changes nothing; `out` and `back` wait until it is so in the descriptors. */
  readonly action: "look" | "out" | "back";
  /** Addresses of backends. */
  readonly backends: readonly string[];
  /** By whom of the desk's commands: `back` takes back what the same one left out, `drain` everything. */
  readonly kind: "drain" | "stop" | "restart";
  /** For people. */
  readonly reason: string;
  /** How long it is waited for. */
  readonly seconds: number;
  /** Whether other balancers publish, too: what a directory refuses here it may have from them. */
  readonly others: boolean;
}

/** The journal of softmap's units. */
export interface TailPayload {
  readonly host: string;
  /** Only these projects'; none: everything. */
  readonly projects: readonly string[];
  /** Lines from before now. */
  readonly lines: number;
  readonly follow: boolean;
}

/** A site asked for through a balancer's tor; what else is to be known of it, the balancer knows from its publication. */
export interface OpenPayload {
  readonly host: string;
  /** The site's onion. */
  readonly address: string;
}

/** A step of the take-over of an Onionspray or EOTK installation. */
export interface AdoptPayload {
  readonly host: string;
  readonly stack: string;
  /** `look` changes nothing; `quiet`: their publisher off; `prove`: ours uploads, and is proved; `off`: their backends off; `back`: theirs runs again. */
  readonly action: "look" | "quiet" | "prove" | "off" | "back";
  /** Their folder, absolute; empty: wherever one is. */
  readonly home: string;
  /** Seconds that visitors connected to theirs are waited for. */
  readonly drainSeconds: number;
}

/** What a machine serves by, and what its units wrote. */
export interface MirrorPayload {
  readonly host: string;
  /** How far back the journal goes. */
  readonly hours: number;
  /** At most so much of the journal, its newest lines. */
  readonly bytes: number;
}
