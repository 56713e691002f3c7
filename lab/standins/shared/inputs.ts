/** What every stand-in says of resources and inputs. */

/** An input that is refused, as the engine shows it. */
export interface Failure {
  property: string;
  reason: string;
}

/** A required input that is not given. */
export function missing(property: string): Failure {
  return { property, reason: `Missing required property '${property}'` };
}

/** The resource's type, one of those that the stand-in for `plugin` has. */
export function typeOf(urn: string, known: object, plugin: string): string {
  const type = urn.split("::")[2]?.split("$").pop() ?? "";
  if (Object.hasOwn(known, type)) return type;
  throw new Error(`${type}: the lab's stand-in for the ${plugin} plugin has no such resource`);
}
