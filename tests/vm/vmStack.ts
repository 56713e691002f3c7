// A stack of one machine, over the mock engine: what each of its steps would send there, for a machine that has a kernel but no network.
import assert from "node:assert/strict";
import * as pulumi from "@pulumi/pulumi";
import { Balancer, SoftmapProject, SshHosts, Workers } from "../../components";
import { packProgram, releaseProgram, type PublishPayload, type ReleasePayload } from "../../host/program";
import { payloadIn } from "../graphKit";
import { mockEngine, type Registered } from "../mocks";

/** The one site. */
export const domain = "www.example.org";
/** The machine's name in the stack. */
export const machine = "north";

/** What a stack would run on the machine. */
export interface VmStack {
  /** The look before anything changes; it brings the code of all the others. */
  readonly preflight: string;
  /** The machine's base, as it is. */
  readonly base: string;
  /** A worker's release. Nobody answers a tor here, so being alive has to be enough, and nothing is proved through Tor. */
  readonly worker: string;
  /** The same once more, for files that differ: nginx and tor are reloaded. */
  readonly workerAgain: string;
  /** The balancer's tor and Onionbalance, the same. */
  readonly balancer: string;
  readonly publisher: string;
  /** The look for drift of the base. */
  readonly baseProbe: string;
  /** The removal of the base. */
  readonly removal: string;
  /** The site's onion address. */
  readonly onion: string;
  /** The stack's only tor daemon. */
  readonly daemon: string;
}

/**
 * Lines of a private network with one authority that is not there: on the machine itself nobody listens on that port.
 * `authority`: the certificates' authority that the origin is checked with.
 */
const network = [
  "TestingTorNetwork 1",
  "DirAuthority nobody orport=5000 no-v2 v3ident=0123456789ABCDEF0123456789ABCDEF01234567 127.0.0.1:7000 FEDCBA9876543210FEDCBA9876543210FEDCBA98",
];

export async function vmStack(hostKey: string, authority: string): Promise<VmStack> {
  const engine = await mockEngine();
  const here = { name: machine, address: "192.0.2.10", hostKey };
  const hosts = new SshHosts("hosts", {
    balancers: [here],
    workers: [here],
    privateKey: pulumi.secret("none"),
    torNetwork: network,
  });
  const news = new SoftmapProject("news", {
    sites: [{ domain }],
    softmapTorWorkers: 1,
    nginxProxySslTrustedCertificate: authority,
    // All that nginx writes, reads and asks for: certificates, a cache, the journal.
    onionTls: "selfSigned",
    forceHttps: false,
    nginxCacheSeconds: 60,
    accessLog: "full",
  });
  const workers = new Workers("workers", { hosts: hosts.workers, projects: [news] });
  new Balancer("balancer", { hosts: hosts.balancers, publishes: workers });
  await engine.settled();
  return stackOf(engine.resources);
}

function stackOf(resources: readonly Registered[]): VmStack {
  const named = (name: string): Registered => {
    const found = resources.find((one) => one.name === name);
    assert.ok(found, `${name} is missing; there are ${resources.map((one) => one.name).join(", ")}`);
    return found;
  };
  const sent = (name: string): string => String(named(name).inputs["stdin"]);
  const release = (name: string) => payloadIn(sent(name)) as ReleasePayload;
  const hosts = named(`hosts-${machine}`).inputs;
  const worker = alone(release(`workers-${machine}-release`));
  const frontends = (payloadIn(sent(`balancer-${machine}-publish`)) as PublishPayload).frontends;
  return {
    preflight: packProgram() + String(hosts["preflight"]),
    base: sent(`hosts-${machine}-base`),
    worker: releaseProgram(worker),
    workerAgain: releaseProgram(changed(worker)),
    balancer: releaseProgram(alone(release(`balancer-${machine}-release`))),
    publisher: releaseProgram(alone(release(`balancer-${machine}-publish`))),
    baseProbe: String(hosts["probe"]),
    removal: String(hosts["leave"]),
    onion: `${(frontends[0]?.address ?? "").replace(/\.onion$/, "")}.onion`,
    daemon: /softmap-tor@(.*)\.service/.exec(worker.services.map(({ unit }) => unit).join("\n"))?.[1] ?? "",
  };
}

/** A release whose tors need not be bootstrapped, and that proves nothing by Tor. */
function alone(payload: ReleasePayload): ReleasePayload {
  const { proof: _through, ...rest } = payload;
  const services = rest.services.map((service) =>
    service.health.kind === "tor" ? { ...service, health: { kind: "active" as const } } : service,
  );
  // The publish payload has more than a release knows.
  const { stack, role, owner, host, packages, users, dirs, files, state, keepReleases, timeoutSeconds } = rest;
  const known = { stack, role, owner, host, packages, users, dirs, files, state, keepReleases, timeoutSeconds };
  return { ...known, services };
}

/** The same with one more comment in every file that a service reloads on. */
function changed(payload: ReleasePayload): ReleasePayload {
  const files = payload.files.map((file) =>
    /\/(torrc|news\.conf)$/.test(file.path) ? { ...file, text: `${file.text}# Once more.\n` } : file,
  );
  return { ...payload, files };
}
