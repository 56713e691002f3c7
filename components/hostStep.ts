import * as pulumi from "@pulumi/pulumi";
import { local, remote } from "@pulumi/command";
import { bootstrap } from "../host/program";
import type { Component } from "./component";
import type { Host } from "./hosts/host";
import { Installation, type InstallationArgs } from "./installation";

/** What one step does on one host. */
export interface HostStepArgs {
  readonly host: Host;
  /** The program that runs there, keys and all: it travels on stdin alone. */
  readonly program: pulumi.Input<string>;
  /** What the component has on that host: a machine that does not answer is left out, one that was changed by hand gets the step again. */
  readonly installation: Installation;
  /** Whether there is anything to do. @default true */
  readonly due?: pulumi.Input<boolean>;
}

/** What a component has on a host, before any step on it: a child of the component with the host's name. */
export function installationOn(
  parent: Component,
  host: Host,
  args: Pick<InstallationArgs, "holdsSiteKeys" | "wants" | "preflight" | "pack" | "probe" | "leave">,
): Installation {
  const { name, connection, instance, after = [] } = host;
  const reached = { host: name, component: parent.name, connection, instance, command: bootstrap };
  return new Installation(parent.childName(name), { ...reached, ...args }, { parent, dependsOn: [...after] });
}

/** A step on a host: over ssh, or on this machine. */
export type Step = remote.Command | local.Command;

/**
 * One step on one host: one connection, one stream. Any change of the program or of the connection runs it again;
 * it is the program's business to change nothing where nothing changed. Not `due`, it dials nobody, be the resource new or not.
 */
export function hostStep(name: string, args: HostStepArgs, opts: pulumi.CustomResourceOptions): Step {
  return step(name, args, { create: commandOn(args) }, opts);
}

/**
 * A step for what changes on a host that has been deployed before. It has no `create`, so a first deploy does not dial for it (the command
 * provider returns at once); it runs when its program changes and is `due`.
 */
export function laterStep(name: string, args: HostStepArgs, opts: pulumi.CustomResourceOptions): Step {
  return step(name, args, { update: commandOn(args) }, opts);
}

function step(
  name: string,
  args: HostStepArgs,
  command: { readonly create: pulumi.Output<string> } | { readonly update: pulumi.Output<string> },
  opts: pulumi.CustomResourceOptions,
): Step {
  const { connection } = args.host;
  // The variables of a previous run would need AcceptEnv in every sshd.
  const inputs = { ...command, stdin: stdinOf(args), addPreviousOutputInEnv: false };
  return connection === undefined
    ? new local.Command(name, inputs, opts)
    : new remote.Command(name, { ...inputs, connection }, opts);
}

/** The command, or none: on a silent host, and when nothing is due. The command provider runs nothing then, without a word. */
function commandOn({ installation, due = true }: HostStepArgs): pulumi.Output<string> {
  return pulumi
    .all([installation.silent, due])
    .apply(([silent, isDue]) => (silent === "" && isDue ? bootstrap : undefined)) as pulumi.Output<string>;
}

function stdinOf({ program, installation }: HostStepArgs): pulumi.Output<string> {
  const text = pulumi.all([program, installation.repair]).apply(([known, repair]) => withRepair(known, repair));
  return pulumi.secret(text);
}

/** Another text whenever drift was found: so that the step runs again, and mends it. */
function withRepair(program: string, repair: number): string {
  return repair === 0 ? program : `${program}# Repair ${repair}.\n`;
}
