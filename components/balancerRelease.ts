import * as pulumi from "@pulumi/pulumi";
import { publishProgram, releaseProgram } from "../host/program";
import { balancerFiles, balancerPaths, publisherFiles, siteKeyFile, units, users } from "../plan/names";
import type { Host } from "./hosts/host";
import { releaseDefaults } from "./releaseDefaults";
import { ownerOf } from "./retirement";
import type { Workers } from "./workers";

/** A site as the balancer sees it: its key, and the backends that answer for it. */
export interface Frontend {
  readonly domain: string;
  readonly address: pulumi.Output<string>;
  /** base64 of tor's file. */
  readonly secretKey: pulumi.Output<string>;
  readonly backends: readonly { readonly name: string; readonly address: pulumi.Output<string> }[];
}

/** A rendered file and the unit that runs on it. */
export interface FileAndUnit {
  readonly file: pulumi.Output<string>;
  readonly unit: pulumi.Output<string>;
}

/** Every site of every project that the workers run, with all backends of its project. */
export function frontendsOf({ projects, backends }: Workers): Frontend[] {
  return projects.flatMap((project) => {
    const answering = backends
      .filter((backend) => backend.project === project.name)
      .map(({ name, key }) => ({ name, address: key.address }));
    return project.sites.map(({ domain, key }) => ({
      domain,
      address: key.address,
      secretKey: key.secretKey,
      backends: answering,
    }));
  });
}

const packages = ["tor", "onionbalance", "python3-stem", "python3-cryptography", "curl"];
const accounts = [
  { name: users.onionbalance, groups: [] },
  { name: users.tor, groups: [users.onionbalance] },
];

/** The balancer's tor as one program. It waits for no worker. */
export function balancerRelease(host: Host, balancer: string, tor: FileAndUnit): pulumi.Output<string> {
  return pulumi.output({ ...tor, instance: host.instance }).apply(({ file, unit, instance }) =>
    releaseProgram({
      ...releaseDefaults,
      role: "balancer",
      owner: ownerOf(balancer, host),
      host: host.name,
      instance: instance ?? "",
      packages,
      users: accounts,
      dirs: [{ path: balancerPaths.dataDir, owner: users.tor, group: users.tor, mode: "0700" }],
      files: [
        { path: balancerFiles.torrc, text: file },
        { path: balancerFiles.torUnit, text: unit },
      ],
      state: [],
      services: [
        {
          unit: units.balancerTor,
          verify: ["tor", "--verify-config", "--defaults-torrc", "/dev/null", "-f", `{release}/${balancerFiles.torrc}`],
          verifyAs: users.tor,
          reloadOn: [balancerFiles.torrc],
          restartOn: [],
          health: { kind: "tor", control: balancerPaths.controlSocket },
        },
      ],
    }),
  );
}

/** What one publication is made of. */
export interface PublicationArgs {
  readonly host: Host;
  /** The component's name. */
  readonly balancer: string;
  readonly frontends: readonly Frontend[];
  readonly onionbalance: FileAndUnit;
  /** {@link Workers.runsOn} */
  readonly backendsRunOn: pulumi.Output<string>;
  /** Seconds. */
  readonly publishTimeout: number;
  /** Seconds. */
  readonly retireGrace: number;
}

/** Onionbalance with the site keys, and the proof that what it published is the plan, as one program. */
export function publication({
  host,
  balancer,
  frontends,
  onionbalance,
  backendsRunOn,
  publishTimeout,
  retireGrace,
}: PublicationArgs): pulumi.Output<string> {
  return pulumi.output({ frontends, onionbalance, backendsRunOn, instance: host.instance }).apply((known) =>
    publishProgram({
      ...releaseDefaults,
      role: "publisher",
      owner: ownerOf(balancer, host),
      host: host.name,
      instance: known.instance ?? "",
      packages,
      users: accounts,
      // The user's alone, not the group's: the balancer's tor, which talks to the network, is in that group.
      dirs: [{ path: balancerPaths.keysDir, owner: users.onionbalance, group: users.onionbalance, mode: "0700" }],
      files: [
        { path: publisherFiles.onionbalance, text: known.onionbalance.file },
        { path: publisherFiles.unit, text: known.onionbalance.unit },
      ],
      state: known.frontends.map(({ address, secretKey }) => ({
        path: siteKeyFile(address),
        base64: secretKey,
        owner: users.onionbalance,
        group: users.onionbalance,
        mode: "0400",
      })),
      services: [
        {
          unit: units.onionbalance,
          // Each SIGHUP leaves one more control connection open, and a restart loses nothing: Onionbalance keeps no state.
          reloadOn: [],
          restartOn: [publisherFiles.onionbalance],
          health: { kind: "active" },
        },
      ],
      frontends: known.frontends.map(({ domain, address, backends }) => ({ domain, address, backends })),
      backendsRunOn: known.backendsRunOn,
      keysDir: balancerPaths.keysDir,
      control: balancerPaths.controlSocket,
      socks: balancerPaths.socksSocket,
      statusSocket: balancerPaths.statusSocket,
      publishTimeoutSeconds: publishTimeout,
      graceSeconds: retireGrace,
    }),
  );
}
