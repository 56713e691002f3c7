import * as pulumi from "@pulumi/pulumi";
import { remote } from "@pulumi/command";
import { bootstrap } from "../host/program";
import type { Host } from "./hosts/host";

/** What one step does on one host. */
export interface HostStepArgs {
  readonly host: Host;
  /** The program that runs there, keys and all: it travels on stdin alone. */
  readonly program: pulumi.Input<string>;
}

/**
 * One step on one host: one connection, one stream. Any change of the program or of the connection runs it again;
 * it is the program's business to change nothing where nothing changed.
 */
export function hostStep(name: string, args: HostStepArgs, opts: pulumi.CustomResourceOptions): remote.Command {
  return new remote.Command(name, { create: bootstrap, ...stream(args) }, opts);
}

/**
 * A step that tidies up on a host that stays. It has no `create`, so a first deploy does not dial for it (the command provider
 * returns at once); it runs when its program changes, and does nothing when the resource goes: see {@link leaveStep}.
 */
export function retireStep(name: string, args: HostStepArgs, opts: pulumi.CustomResourceOptions): remote.Command {
  return new remote.Command(name, { update: bootstrap, ...stream(args) }, opts);
}

/** A step that removes everything of its component's from a host when its resource goes, and does nothing before. */
export function leaveStep(name: string, args: HostStepArgs, opts: pulumi.CustomResourceOptions): remote.Command {
  return new remote.Command(
    name,
    { delete: `${bootstrap} everything`, ...stream(args) },
    { ...opts, ...withMachine(args.host) },
  );
}

/** A machine that goes in the same update needs no tidying: it may be gone by then. */
function withMachine(host: Host): pulumi.CustomResourceOptions {
  return host.machine === undefined ? {} : { deletedWith: host.machine };
}

function stream({
  host,
  program,
}: HostStepArgs): Pick<remote.CommandArgs, "connection" | "stdin" | "addPreviousOutputInEnv"> {
  // The variables of a previous run would need AcceptEnv in every sshd.
  return { connection: host.connection, stdin: pulumi.secret(program), addPreviousOutputInEnv: false };
}
