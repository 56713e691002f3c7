import { createHash } from "node:crypto";
import * as pulumi from "@pulumi/pulumi";

/** A sha256 of values, in hex, and no secret even of secrets: what it is made of has random keys in it or is public. */
export function hashOf(values: unknown): pulumi.Output<string> {
  const all: pulumi.Output<unknown> = pulumi.output(values);
  return pulumi.unsecret(all.apply((known) => sha256(JSON.stringify(known))));
}

/** sha256 of a text, in hex. */
export function sha256(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}
