import type * as pulumi from "@pulumi/pulumi";

/**
 * The value of an Output as a promise, undefined where it is not known, which fails where the Output does. Without what the Output brings along: on which
 * resources it depends, and whether it is a secret. The SDK has it, and keeps it out of its types.
 */
export const valueOf = <Value>(output: pulumi.Output<Value>): Promise<Value | undefined> =>
  (output as unknown as { promise(): Promise<Value | undefined> }).promise();
