import * as pulumi from "@pulumi/pulumi";
import { ProblemsError, refuse, type Problem } from "../config/problems";

/**
 * What every component of softmap shares: the type token `softmap:index:<Kind>`, children named after their parent,
 * and mistakes reported as a plain report instead of a stack trace.
 */
export abstract class Component extends pulumi.ComponentResource {
  protected constructor(
    kind: string,
    /** The unique name that the program gave this component. */
    readonly name: string,
    problems: readonly Problem[],
    opts: pulumi.ComponentResourceOptions | undefined,
  ) {
    refuseOrRun(problems);
    super(`softmap:index:${kind}`, name, {}, opts);
  }

  /** A child's name: the parent's, then what it is. So a name in an error or a diff leads to its room. */
  childName(what: string): string {
    return `${this.name}-${what}`;
  }
}

/** Like {@link refuse}, but as the error that Pulumi prints without a stack trace. */
function refuseOrRun(problems: readonly Problem[]): void {
  asRunError(() => refuse(problems));
}

/** Runs `work`; a {@link ProblemsError} becomes the error that Pulumi prints without a stack trace. */
export function asRunError<T>(work: () => T): T {
  try {
    return work();
  } catch (error) {
    if (error instanceof ProblemsError) throw new pulumi.RunError(error.message);
    throw error;
  }
}
