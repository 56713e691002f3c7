import * as pulumi from "@pulumi/pulumi";
import { unknownValue } from "./unknownValue";

/**
 * The value of an Output as a promise, undefined where it is not known, which fails where the Output does. Without what the Output brings along: on which
 * resources it depends, and whether it is a secret. The SDK has it, and keeps it out of its types.
 */
export const valueOf = <Value>(output: pulumi.Output<Value>): Promise<Value | undefined> =>
  (output as unknown as { promise(): Promise<Value | undefined> }).promise();

/**
 * The same for a value that is only compared: {@link unknownValue} where it is not known, as a provider would be given it. The state does not have the
 * names of all that it comes from.
 */
export function comparable(input: pulumi.Input<string>): Promise<string> {
  const value = valueOf(pulumi.output(input)).then((known) => known ?? unknownValue);
  // Who is given it fails with it: here nobody does.
  value.catch(() => undefined);
  return value;
}
