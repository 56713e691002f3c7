import * as pulumi from "@pulumi/pulumi";
import type { types } from "@pulumi/command";
import { ProvidedResource } from "../providedResource";

/** Arguments of {@link HostKey}. */
export interface HostKeyArgs {
  /** The machine's name. @example "worker1" */
  readonly host: string;
  /** How to reach it, without a host key. Secret: it holds the operator's private key. */
  readonly connection: pulumi.Input<types.input.remote.ConnectionArgs>;
  /** The host key that it is to have, as `type base64`. */
  readonly hostKey: pulumi.Input<string>;
  /** The private half of that, OpenSSH format. A secret. */
  readonly privateKey: pulumi.Input<string>;
  /** The host key that it shows at its first boot, as `type base64`: whoever runs there can read it in the user data. */
  readonly firstHostKey: pulumi.Input<string>;
  /** Which incarnation of the machine this is: another one shows its first key again. */
  readonly instance: pulumi.Input<string>;
}

/**
 * A machine that shows a host key which was in no user data. The first connection is pinned to the key that it booted with, and puts the other in
 * its place; from then on nobody who has read the user data can stand in for it.
 * @example new HostKey("hosts-worker1-known", { host: "worker1", connection, hostKey, privateKey, firstHostKey, instance }).hostKey
 */
export class HostKey extends ProvidedResource {
  /** The key that the machine shows from now on. */
  declare readonly hostKey: pulumi.Output<string>;

  constructor(name: string, args: HostKeyArgs, opts: pulumi.CustomResourceOptions = {}) {
    const { connection, privateKey } = args;
    super(
      "HostKey",
      name,
      { ...args, connection: pulumi.secret(connection), privateKey: pulumi.secret(privateKey) },
      pulumi.mergeOptions({ additionalSecretOutputs: ["connection", "privateKey"] }, opts),
    );
  }
}
