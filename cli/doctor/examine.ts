// The look that status and doctor share: a survey, what is wrong by it, and what is to be said of the backups.
import { backupWarning } from "../backup/warning";
import type { Exit } from "../call";
import { survey } from "../desk/look";
import type { DeployedStack, Survey } from "../desk/survey";
import { readStack } from "../stack";
import { diagnose } from "./diagnose";
import type { Finding } from "./finding";

/** What a command that looks reaches the world with. */
export interface Tools {
  readonly read: (stack?: string) => Promise<DeployedStack>;
  readonly look: typeof survey;
  /** What is to be said of the stack's backups. @default cli/backup/warning.ts */
  readonly backups?: typeof backupWarning;
}

/** The world as it is. */
export const theWorld: Tools = { read: readStack, look: survey };

/** Options of a command that looks. */
export const lookOptions = { quick: { type: "boolean" }, json: { type: "boolean" } } as const;

/** A stack that was looked at. */
export interface Examined {
  readonly found: Survey;
  readonly findings: readonly Finding[];
  /** A sentence; undefined when every key is in a backup. */
  readonly backups: string | undefined;
  /** 1 when a finding is red. */
  readonly exit: Exit;
}

/** Looks at a stack and judges it. @throws {StackError} when it cannot be read */
export async function examine(
  { stack, quick = false }: { readonly stack?: string | undefined; readonly quick?: boolean | undefined },
  { read, look, backups = backupWarning }: Tools,
): Promise<Examined> {
  const found = await look(await read(stack), { quick });
  const findings = diagnose(found);
  const exit = findings.some(({ severity }) => severity === "red") ? 1 : 0;
  return { found, findings, backups: backups(found), exit };
}

/** A report with what is to be said of the backups behind it. */
export const withBackups = (report: string, backups: string | undefined): string =>
  backups === undefined ? report : `${report}\n\n${backups}`;
