/** A stand-in's process: `main.ts ENGINE_ADDRESS`, started by the engine through `pulumi-resource-NAME`. */
import { main, type Provider } from "@pulumi/pulumi/provider";

/** Serves one engine until it ends the process; `make` gets the address of the engine, unless started by hand. */
export function serve(make: (engine: string | undefined) => Provider): void {
  const args = process.argv.slice(2);

  // The launcher's settings are this process's business, not that of the commands it starts.
  delete process.env["TS_NODE_PROJECT"];

  // The SDK's server prints errors with their stack as well as returning them; a real plugin only returns them.
  console.error = () => undefined;

  void main(make(args.find((arg) => !arg.startsWith("-"))), args);
}
