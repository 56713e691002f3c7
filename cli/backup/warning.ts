// The warning that a site's key is in no backup, for whoever looks at a stack.
import type { SiteKnown } from "../desk/survey";
import { StackError } from "../stack";
import { noteFile, parseNote, uncovered } from "./note";
import { pulumiStacks, readIf } from "./stacks";

/**
 * A sentence when a site of a deployed stack has its key in no backup that is noted beside the stack's config. Undefined when all have, and
 * where there is no project around: then nobody here can know.
 * @param folder where the project is, or a folder below it
 */
export function backupWarning(
  { stack, sites }: { readonly stack: string; readonly sites: readonly SiteKnown[] },
  folder = process.cwd(),
): string | undefined {
  try {
    const config = pulumiStacks(undefined, folder).configFile(stack.split("/").at(-1) ?? stack);
    return uncovered(parseNote(readIf(noteFile(config))), sites).sentence || undefined;
  } catch (error) {
    if (error instanceof StackError) return undefined;
    throw error;
  }
}
