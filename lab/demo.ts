/**
 * `npm run demo [-- --json FILE]`: from a clone to pages through Tor. Engine, lab, `pulumi up` of the dev stack, fetches of every site
 * until every backend has served, the operator's look at it, the preview of a one-line change, and a summary. A second run finds everything there and changes nothing.
 */
import { writeFileSync } from "node:fs";
import { oneLineChange } from "./demo/change";
import { deploy, outputsOf } from "./demo/deploy";
import { lookAround } from "./demo/look";
import { serveEverywhere } from "./demo/serve";
import { summary, type DemoResult } from "./demo/summary";
import { ensureEngine } from "./engine/engine";
import { DEV_STACK } from "./environment";
import { connectionsOf, connectionsSince, labUp, stackEnvironment } from "./lab";
import { labNamed } from "./places";
import { stopwatch } from "./progress";
import type { LabStack } from "./pulumi";

async function demo(args: readonly string[]): Promise<void> {
  const json = jsonFile(args);
  const say = stopwatch();
  const lab = labNamed("dev"); // the lab that Pulumi.dev.yaml names;
  const seconds: Record<string, number> = {};
  const stage = async <T>(name: string, work: () => Promise<T>): Promise<T> => {
    const started = performance.now();
    say(`== ${name}`);
    const result = await work();
    seconds[name] = Math.round((performance.now() - started) / 100) / 10;
    return result;
  };

  await stage("engine", () => ensureEngine(say));
  await stage("lab", () => labUp(lab, say));
  const stack: LabStack = { name: DEV_STACK, environment: stackEnvironment(lab) };
  const before = await connectionsOf(lab);
  await stage("up", () => deploy(stack, say));
  const outputs = await outputsOf(stack);
  const connections = await connectionsSince(lab, before);
  const backends = await stage("fetch", () => serveEverywhere(lab, outputs, say));
  const looked = await stage("look", () => lookAround(lab, stack));
  const change = await stage("preview", () => oneLineChange(stack, say));

  const result: DemoResult = { sites: outputs.sites, backends, seconds, connections };
  if (json !== undefined) writeFileSync(json, `${JSON.stringify(result, null, 2)}\n`);
  console.log(summary(result, looked, change));
}

function jsonFile(args: readonly string[]): string | undefined {
  if (args.length === 0) return undefined;
  if (args.length === 2 && args[0] === "--json") return args[1];
  throw new Error("usage: npm run demo [-- --json FILE]");
}

demo(process.argv.slice(2)).catch((error: unknown) => {
  console.error(`\nThe demo failed: ${error instanceof Error ? error.message : String(error)}`);
  process.exitCode = 1;
});
