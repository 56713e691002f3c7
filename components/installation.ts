import * as pulumi from "@pulumi/pulumi";
import type { types } from "@pulumi/command";
import { rootless } from "../host/program";
import { ProvidedResource } from "./providedResource";
import { comparable } from "./valueOf";

/** Arguments of {@link Installation}. */
export interface InstallationArgs {
  /** The host's name. @example "worker1" */
  readonly host: string;
  /** What is installed there, as messages call it. @example "workers" */
  readonly component: string;
  /** Whether the site keys are on that host: what is said when it is left behind depends on it. @default false */
  readonly holdsSiteKeys?: boolean;
  /** How to reach the host, host key pinned, that of a jump host too. Secret: it holds the operator's private key. Absent: it is this machine. */
  readonly connection?: pulumi.Input<types.input.remote.ConnectionArgs> | undefined;
  /** Which incarnation of the machine this is. @default none */
  readonly instance?: pulumi.Input<string> | undefined;
  /** A hash of all that the host's steps would send: another one means that something will be sent. */
  readonly wants: pulumi.Input<string>;
  /** The command that runs a program which it gets on stdin, host/program.ts `bootstrap`; `everything` is its argument at a removal. */
  readonly command: string;
  /**
   * The end of the program that brings the machine its pack (host/pack.ts) and looks whether it can be used, once, before anything is done to it. No secret.
   * @default nobody looks, and another component's installation on the machine has brought the pack
   */
  readonly preflight?: pulumi.Input<string> | undefined;
  /** The name of the pack. @default none */
  readonly pack?: pulumi.Input<string> | undefined;
  /** The program that looks for drift and ends with one line of JSON: `{"drift": ["line", ...]}`, or null where nothing was deployed. No secret. */
  readonly probe: pulumi.Input<string>;
  /** The program that removes what the component has on the host. No secret. */
  readonly leave: pulumi.Input<string>;
}

/**
 * What a component has on one host. It stands before the host's steps and sees whether the machine answers, so that a dead one is
 * skipped and not waited for; a refresh finds what was changed on the machine by hand; its end removes what is there.
 * It never fails for a dead host: see {@link RollCall}.
 * @example new Installation("workers-worker1", { host: "worker1", component: "workers", connection, wants, command: bootstrap, probe, leave }).silent
 */
export class Installation extends ProvidedResource {
  /** "" when the host's sshd answered, else why not, in words. A preview supposes that it will. */
  declare readonly silent: pulumi.Output<string>;
  /** How often drift was found and is to be mended: a part of what the steps send, so that they run again. */
  declare readonly repair: pulumi.Output<number>;
  /** What the last refresh found, one line each; "" when the machine is as it was released. */
  declare readonly drift: pulumi.Output<string>;

  constructor(name: string, args: InstallationArgs, opts: pulumi.CustomResourceOptions = {}) {
    super(
      "Installation",
      name,
      {
        ...args,
        wants: comparable(args.wants),
        probe: pulumi.output(args.probe).apply(rootless),
        leave: pulumi.output(args.leave).apply(rootless),
        holdsSiteKeys: args.holdsSiteKeys ?? false,
        connection: args.connection && pulumi.secret(args.connection),
        silent: undefined,
        repair: undefined,
        drift: undefined,
      },
      // The programs are long and say nothing that a person could decide by.
      pulumi.mergeOptions(
        { additionalSecretOutputs: ["connection"], hideDiffs: ["probe", "leave", "preflight"] },
        opts,
      ),
    );
  }
}
