/** The plugin's process: `main.ts ENGINE_ADDRESS`, started by the engine through `pulumi-resource-command`. */
import { main } from "@pulumi/pulumi/provider";
import { EngineLog } from "./context";
import { CommandProvider } from "./provider";

const args = process.argv.slice(2);
const log = new EngineLog(args.find((arg) => !arg.startsWith("-")));

// The launcher's settings are this process's business, not that of the commands it starts.
delete process.env["TS_NODE_PROJECT"];

// The SDK's server prints errors with their stack as well as returning them; the real plugin only returns them.
console.error = () => undefined;

void main(new CommandProvider((urn, cancelled) => log.context(urn, cancelled)), args);
