// Where in the config something stands, in the operator's words.
import type { Problem } from "./problems";

export type Path = readonly (string | number)[];

/** The value at a path, undefined where there is none. */
export function valueAt(raw: unknown, path: Path): unknown {
  let value = raw;
  for (const step of path) value = isRecord(value) || Array.isArray(value) ? own(value, step) : undefined;
  return value;
}

function own(value: object, step: string | number): unknown {
  return Object.hasOwn(value, step) ? (value as Record<string | number, unknown>)[step] : undefined;
}

/** Whether a value is an object with keys, not a list and not null. */
export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** `sites[1].onion`. */
export function written(path: Path): string {
  return path.map((step, i) => (typeof step === "number" ? `[${step}]` : i === 0 ? step : `.${step}`)).join("");
}

/** Component and property of a path: `project news` and `sites[1].onion`, `host w1` and `hostKey`, `hosts` and `user`, `stack` and `workers`. */
export function place(raw: unknown, path: Path): Pick<Problem, "component" | "property" | "path"> {
  const [top, second, ...rest] = path;
  if (top === undefined) return { component: "stack", property: "config", path };
  const kinds: Record<string, string> = { projects: "project", balancers: "host", workers: "host" };
  const kind = Object.hasOwn(kinds, top) ? kinds[top] : undefined;
  if (kind !== undefined && typeof second === "number") {
    const name = valueAt(raw, [top, second, "name"]);
    if (rest.length > 0 && typeof name === "string" && name !== "" && name.length <= 100) {
      return { component: `${kind} ${name}`, property: written(rest), path };
    }
    return { component: String(top), property: written([second, ...rest]), path };
  }
  if (second !== undefined) return { component: String(top), property: written([second, ...rest]), path };
  return { component: "stack", property: String(top), path };
}

/** A problem at a path, with the value that stands there if it is short and plain. */
export function problemAt(raw: unknown, path: Path, fault: Pick<Problem, "message" | "next">, hide = false): Problem {
  const value = valueAt(raw, path);
  const simple = value === null || ["string", "number", "boolean"].includes(typeof value);
  return { ...place(raw, path), ...(simple && !hide ? { value } : {}), ...fault };
}

/** The value that was noted for a key before, if any; else notes this one. */
export function earlier<Value>(seen: Map<string, Value>, key: string, value: Value): Value | undefined {
  const other = seen.get(key);
  if (other === undefined) seen.set(key, value);
  return other;
}

/** One place, one problem of a kind: what the schema and a rule both say is said once. */
export function once(problems: readonly Problem[]): Problem[] {
  const seen = new Set<string>();
  return problems.filter(({ component, property, message }) => {
    const key = JSON.stringify([component, property, message]);
    return !seen.has(key) && seen.add(key);
  });
}
