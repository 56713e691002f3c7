import { LabError } from "../errors";
import type { Say } from "../progress";
import { ensureStack, pulumi, type LabStack } from "../pulumi";

/** What the dev stack exports, as far as the demo uses it. */
export interface StackOutputs {
  readonly sites: readonly { readonly domain: string; readonly onion: string }[];
  readonly backends: readonly { readonly name: string; readonly worker: string; readonly address: string }[];
}

/** `pulumi up` of the stack, every line shown as it comes. @throws LabError with the run's last lines */
export async function deploy(stack: LabStack, say: Say): Promise<void> {
  await ensureStack(stack);
  const up = await pulumi(stack, ["up", "--yes", "--skip-preview", "--suppress-outputs"], {
    onLine: (line) => isNews(line) && say(line.trim()),
  });
  if (up.code !== 0)
    throw new LabError(`pulumi up failed:\n${causeOf(up.stdout)}`, "mend what it names and run npm run demo again");
}

/** What Pulumi says at the end about the resources that failed: its `Diagnostics` without the stack's own line. */
export function causeOf(stdout: string): string {
  const [, said = stdout] = stdout.split(/^Diagnostics:$/m);
  const [causes = said] = said.split(/^(?:Outputs|Resources):/m);
  return causes.trimEnd();
}

/** Pulumi's own dots and blank lines say nothing. */
function isNews(line: string): boolean {
  return line.trim() !== "" && !line.startsWith("@ updating");
}

/** The stack's outputs. */
export async function outputsOf(stack: LabStack): Promise<StackOutputs> {
  const run = await pulumi(stack, ["stack", "output", "--json"]);
  if (run.code !== 0) throw new LabError(`pulumi stack output failed:\n${run.stderr}`, "run npx pulumi up");
  const { addresses, backends } = JSON.parse(run.stdout) as {
    addresses: Record<string, Record<string, string>>;
    backends: StackOutputs["backends"];
  };
  const sites = Object.values(addresses).flatMap((project) =>
    Object.entries(project).map(([domain, onion]) => ({ domain, onion })),
  );
  return { sites, backends };
}
