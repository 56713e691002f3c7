// npx softmap open: a site as a reader gets it, through Tor.
import { bootstrap, openProgram } from "../../host/program";
import { runOn } from "../../host/runOn";
import { isRecord } from "../../config/place";
import { called, type Exit, stackOption } from "../call";
import type { Streams } from "../check";
import { readStack } from "../stack";
import type { Tools } from "./logs";
import { siteNamed } from "./publisher";

const usage = `usage: npx softmap open [--stack NAME] [--json] SITE

Fetches the front page of a site through Tor, from a descriptor that is fetched anew, by the tor of the first balancer that answers, and
says what came and how long it took. SITE is a domain or an onion address. A site with a certificate is asked by https.

  --stack NAME   the stack, as pulumi takes it (default: the one that is selected)
  --json         the same as JSON

Exit code 1 when no page came, the proxy does not know the site, or its origin failed.`;

/** What one fetch brought. */
export interface Opened {
  /** HTTP status; null: no answer came. */
  readonly status: number | null;
  /** Seconds until the descriptor was there. */
  readonly descriptor: number | null;
  /** Seconds in all. */
  readonly seconds: number;
  readonly error: string | null;
}

/** The login, a descriptor, an introduction, a rendezvous and a page. */
const limits = { dialSeconds: 15, seconds: 180 };

/** Runs the command. */
export function main(
  args: readonly string[],
  streams: Streams,
  tools: Tools = { read: readStack, run: runOn },
): Promise<Exit> {
  const options = { ...stackOption, json: { type: "boolean" } } as const;
  return called(args, streams, { usage, options }, async ({ values, positionals }) => {
    const stack = await tools.read(values.stack);
    const { domain, address } = siteNamed(stack, positionals);
    const lost: string[] = [];
    for (const host of stack.balancers) {
      const program = openProgram({ host, address });
      const found = await tools.run(stack.machines.get(host), bootstrap, program, limits).then(
        ({ code, stdout, stderr }) => (code === 0 ? opened(stdout) : stderr.trim()),
        (error: Error) => error.message,
      );
      if (typeof found === "string") {
        lost.push(`${host}: ${found}`);
        continue;
      }
      const good = found.status !== null && found.status < 500 && found.status !== 421;
      const what = found.status === null ? `no page: ${found.error}` : `answered ${found.status}${tail(found.status)}`;
      const descriptor = found.descriptor === null ? "" : ` (its descriptor after ${found.descriptor.toFixed(1)} s)`;
      const text = `${domain} ${address} ${what} in ${found.seconds.toFixed(1)} s${descriptor}, by ${host}`;
      streams.out(values.json ? JSON.stringify({ domain, address, balancer: host, ...found }) : text);
      return good ? 0 : 1;
    }
    streams.err(`No balancer could ask for it.\n${lost.join("\n")}\n  Next: npx softmap doctor.`);
    return 1;
  });
}

const tail = (status: number): string =>
  status === 421
    ? " (the proxy does not know this site)"
    : status >= 500
      ? " (the proxy works, its origin does not)"
      : "";

/** The last line of what the program printed. Text when it cannot be read. */
function opened(stdout: string): Opened | string {
  try {
    const told: unknown = JSON.parse(stdout.trimEnd().split("\n").at(-1) ?? "");
    if (isRecord(told) && "status" in told) return told as unknown as Opened;
  } catch {
    // said below
  }
  return "its answer cannot be read";
}
