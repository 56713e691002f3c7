// Asks every machine of a stack how it is: all at once, one connection each.
import { bootstrap, surveyProgram } from "../../host/program";
import { runOn } from "../../host/runOn";
import { byName } from "../../plan/order";
import { isSshError } from "./onHosts";
import type { DeployedStack, MachineLook, MachineSeen, SiteKnown, Survey } from "./survey";

/** How a stack is looked at. */
export interface LookOptions {
  /** Ask the machines alone: no descriptor from the network, no site of its origin. @default false */
  readonly quick?: boolean;
  /** Names of the machines to ask. @default all */
  readonly only?: readonly string[];
  /** Runs a command on a machine. @default host/runOn.ts */
  readonly run?: typeof runOn;
}

/** A machine that is there answers at once; what it asks the network for takes up to half a minute. */
const limits = { dialSeconds: 15, seconds: 120 };

/** A worker asks at most so many sites of their origins. */
const mostAsked = 20;

/** One look at a stack. A machine that does not answer is in it with the reason: never an error. */
export async function survey(stack: DeployedStack, options: LookOptions = {}): Promise<Survey> {
  const { quick = false, only, run = runOn } = options;
  const names = machineNames(stack).filter((name) => only === undefined || only.includes(name));
  const machines = await Promise.all(
    names.map((name) => lookAt(name, stack, { ask: quick ? [] : shareOf(stack, name), quick, run })),
  );
  const { backends, sites } = stack;
  return { stack: stack.stack, taken: new Date().toISOString(), backends, sites, machines };
}

/** Balancers, then the other workers, each by name. */
export function machineNames({ machines, balancers }: DeployedStack): string[] {
  const rank = (name: string): number => (balancers.includes(name) ? 0 : 1);
  return [...machines.keys()].sort((a, b) => rank(a) - rank(b) || byName(a, b));
}

/** Domains that a worker asks for: the sites are dealt to the workers, so that an origin is asked once. */
function shareOf({ sites, workers }: { sites: readonly SiteKnown[]; workers: readonly string[] }, name: string) {
  const at = workers.indexOf(name);
  return sites
    .filter((_, i) => i % Math.max(workers.length, 1) === at)
    .map(({ domain }) => domain)
    .slice(0, mostAsked);
}

async function lookAt(
  name: string,
  { machines }: DeployedStack,
  { ask, quick, run }: { readonly ask: readonly string[]; readonly quick: boolean; readonly run: typeof runOn },
): Promise<MachineLook> {
  const now = Math.round(Date.now() / 1000);
  try {
    const program = surveyProgram({ host: name, ask, quick });
    const { code, stdout, stderr } = await run(machines.get(name), `${bootstrap} now=${now}`, program, limits);
    if (code !== 0) return { name, error: whyOf(stderr, code) };
    return { name, seen: JSON.parse(stdout.trimEnd().split("\n").at(-1) ?? "") as MachineSeen };
  } catch (error) {
    if (error instanceof SyntaxError) return { name, error: "its answer cannot be read" };
    if (isSshError(error)) return { name, error: error.message };
    throw error;
  }
}

/** The last thing that a failed program said, in one line. */
function whyOf(stderr: string, code: number): string {
  const said = stderr.trim().split("\n").at(-1)?.slice(0, 300);
  return said === undefined || said === "" ? `the look ended with ${code} and said nothing` : said.replace(/\.$/, "");
}
