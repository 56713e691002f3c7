// Keys that the stack makes: of the login, and of each machine's sshd.
import type * as pulumi from "@pulumi/pulumi";
import * as tls from "@pulumi/tls";
import type { Component } from "../../component";

/** The key that steps log in with: one for all machines, since whoever has the state has all of them. */
export function loginKey(parent: Component): tls.PrivateKey {
  return sshKey(parent, "login");
}

/** A machine's host keys. */
export interface HostKeys {
  /** Shown at the first boot: it travels in the user data, which whoever runs on the machine can read. */
  readonly first: tls.PrivateKey;
  /** Put in its place at the first connection. */
  readonly last: tls.PrivateKey;
}

export function hostKeys(parent: Component, host: string): HostKeys {
  return { first: sshKey(parent, `${host}-first-host-key`), last: sshKey(parent, `${host}-host-key`) };
}

function sshKey(parent: Component, what: string): tls.PrivateKey {
  return new tls.PrivateKey(parent.childName(what), { algorithm: "ED25519" }, { parent });
}

/** The public half as `type base64`. */
export function publicKey(key: tls.PrivateKey): pulumi.Output<string> {
  return key.publicKeyOpenssh.apply((line) => line.trim().split(" ").slice(0, 2).join(" "));
}
