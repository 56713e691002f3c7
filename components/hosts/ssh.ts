import * as pulumi from "@pulumi/pulumi";
import { readFileSync } from "node:fs";
import { Component } from "../component";
import { homePath } from "../homePath";
import { withBase, type BaseArgs } from "./hostBase";
import { patience, type Host, type Hosts } from "./host";
import { validateHosts, validateMonitoring } from "../../config/parse";

/** One Debian machine that ssh reaches. */
export interface SshHostArgs {
  /** Unique name in the stack. @example "worker1" */
  readonly name: string;
  /** DNS name or IP address. @example "192.0.2.10" */
  readonly address: string;
  /** ssh port. @default 22 */
  readonly port?: number;
  /** Login user; root, or one with sudo that asks for no password. @default the component's `user` */
  readonly user?: string;
  /** The machine's public host key as `type base64`; the connection is refused when it shows another. @example "ssh-ed25519 AAAAC3Nza..." */
  readonly hostKey: string;
}

/** The machine that the program runs on, among others that ssh reaches. */
export interface ThisHostArgs {
  /** Unique name in the stack. @example "here" */
  readonly name: string;
  readonly local: true;
}

/** The machine that ssh goes through to all others. */
export interface JumpHostArgs {
  /** DNS name or IP address. @example "jump.example.net" */
  readonly address: string;
  /** ssh port. @default 22 */
  readonly port?: number | undefined;
  /** Login user. @default the component's `user` */
  readonly user?: string | undefined;
  /** Its public host key as `type base64`, pinned like those of the machines. @example "ssh-ed25519 AAAAC3Nza..." */
  readonly hostKey: string;
}

/** Arguments of {@link SshHosts}. */
export interface SshHostsArgs extends BaseArgs {
  /** Machines that publish: Onionbalance and the site keys live there. At least one. */
  readonly balancers: readonly (SshHostArgs | ThisHostArgs)[];
  /** Machines that serve. A machine named in both lists does both. */
  readonly workers: readonly (SshHostArgs | ThisHostArgs)[];
  /** Login user where a machine names none. @default "root" */
  readonly user?: string;
  /** torrc lines of a private Tor network. @example ["TestingTorNetwork 1", "DirAuthority ..."] @default the public network */
  readonly torNetwork?: readonly string[] | undefined;
  /** The operator's private key (OpenSSH format). A secret. Absent: the ssh agent's keys. */
  readonly privateKey?: pulumi.Input<string>;
  /** A jump host; the same key logs in there. @example { address: "jump.example.net", hostKey: "ssh-ed25519 AAAA..." } @default none */
  readonly proxy?: JumpHostArgs | undefined;
}

/**
 * Debian machines that are already there, reached by ssh with pinned host keys.
 *
 * @example
 * const hosts = new SshHosts("hosts", { user: "admin", privateKey: config.requireSecret("sshKey"), balancers: [...], workers: [...] });
 */
export class SshHosts extends Component implements Hosts {
  readonly balancers: readonly Host[];
  readonly workers: readonly Host[];

  constructor(name: string, args: SshHostsArgs, opts?: pulumi.ComponentResourceOptions) {
    const { balancers, workers, torNetwork, proxy } = args;
    const problems = [
      ...validateHosts({ component: name, balancers, workers, torNetwork, proxy }),
      ...validateMonitoring(name, args.monitoring, args),
    ];
    super("SshHosts", name, problems, opts);
    const reach = (host: SshHostArgs | ThisHostArgs): Host => ({
      name: host.name,
      connection: "local" in host ? undefined : connectionTo(host, args),
      torNetwork: torNetwork && { torrc: torNetwork },
    });

    const hosts = withBase(this, { balancers: balancers.map(reach), workers: workers.map(reach) }, args);
    this.balancers = hosts.balancers;
    this.workers = hosts.workers;
    this.registerOutputs({});
  }
}

function connectionTo(host: SshHostArgs, args: SshHostsArgs): Host["connection"] {
  const { user = "root", privateKey, proxy } = args;
  // Without a key the command provider asks the agent of SSH_AUTH_SOCK. Its path is another one in every login: in the
  // state it would be a change each time, and gone when something is to be deleted.
  const login = { ...(privateKey !== undefined && { privateKey }), ...patience };
  return pulumi.secret({
    host: host.address,
    port: host.port ?? 22,
    user: host.user ?? user,
    hostKey: host.hostKey,
    ...login,
    ...(proxy && {
      proxy: {
        host: proxy.address,
        port: proxy.port ?? 22,
        user: proxy.user ?? user,
        hostKey: proxy.hostKey,
        ...login,
      },
    }),
  });
}

/** A private key file's text; `~` is the home folder. @throws an error that names the file and what to do. */
export function readPrivateKey(file: string): pulumi.Output<string> {
  try {
    return pulumi.secret(readFileSync(homePath(file), "utf8"));
  } catch (error) {
    const reason = (error as NodeJS.ErrnoException).code ?? "unreadable";
    throw new pulumi.RunError(
      `hosts: privateKeyFile = ${JSON.stringify(file)}\n  The file cannot be read (${reason}).\n  Next: name the private key that the machines accept, or set agent: true.`,
    );
  }
}
