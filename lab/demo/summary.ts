import type { Previewed } from "./change";
import type { Looked } from "./look";
import type { ServedBackend } from "./serve";

/** What a demo did; `--json` writes it as it is. */
export interface DemoResult {
  readonly sites: readonly { readonly domain: string; readonly onion: string }[];
  readonly backends: readonly ServedBackend[];
  /** Stage to seconds. */
  readonly seconds: Readonly<Record<string, number>>;
  /** Host to ssh connections that this `up` opened. */
  readonly connections: Readonly<Record<string, number>>;
}

/** The demo's last words: what there is now, what it cost, where to go from here. */
export function summary(result: DemoResult, looked: Looked, change: Previewed): string {
  return [
    "",
    "Sites (through the lab's Tor network)",
    ...result.sites.map(({ domain, onion }) => `  ${domain.padEnd(18)} http://${onion}/`),
    "",
    "Backends, and how often each served",
    ...result.backends.map(({ name, address, served }) => `  ${name.padEnd(18)} ${address}  ${served}`),
    "",
    "npx softmap status",
    ...looked.status.map((line) => (line === "" ? "" : `  ${line}`)),
    "",
    `A picture of it   ${looked.map}`,
    "",
    "A one-line change, as pulumi preview --diff shows it",
    ...change.lines.map((line) => `  ${line.trim()}`),
    "What it would do to the units; all others are left alone",
    ...change.units.map((unit) => `  ${unit}`),
    "",
    `Seconds      ${pairs(result.seconds)}`,
    `Connections  ${pairs(result.connections)}`,
    "",
    "Where to look next",
    `  npm run lab -- status                      the hosts`,
    `  npm run lab -- fetch http://${result.sites[0]?.onion ?? "ADDRESS"}/`,
    `  npm run lab -- ssh worker1                 a worker: /etc/softmap/worker/current is what it serves`,
    `  eval "$(npm run -s lab -- env)"            then npx softmap status, doctor, map ..., npx pulumi up, preview --diff, refresh, destroy`,
    "Tear down",
    `  npm run lab -- down`,
  ].join("\n");
}

function pairs(record: Readonly<Record<string, number>>): string {
  return Object.entries(record)
    .map(([name, value]) => `${name} ${value}`)
    .join("  ");
}
