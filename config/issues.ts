// zod's issues in plain words.
import type { z } from "zod";
import { type Level, levels, meant, unknownKey } from "./keys";
import { type Path, isRecord, problemAt, valueAt } from "./place";
import type { Problem } from "./problems";
import { jsonSchemaOf } from "./schema/json";
import { hostKeyNext } from "./schema/network";
import { stackSchema } from "./schema/stack";
import { anyOf, kindOf, nearest } from "./words";

type Issue = z.core.$ZodIssue;

/** Problems of all issues of one safeParse; `at` is where in `raw` the parsed value stands. */
export function problemsOf(issues: readonly Issue[], raw: unknown, at: Path = []): Problem[] {
  const problems = issues.flatMap((issue) => translate(issue, raw, at));
  // A misspelt key and the missing key that it means are one slip, told once.
  const meantKeys = new Set(problems.flatMap((problem) => (problem.meant ? [JSON.stringify(problem.meant)] : [])));
  return problems.filter((problem) => !(problem.missing && meantKeys.has(JSON.stringify(problem.path)))).map(plain);
}

function plain(problem: Translated): Problem {
  const copy: Translated = { ...problem };
  delete copy.meant;
  delete copy.missing;
  return copy;
}

interface Translated extends Problem {
  meant?: Path | undefined;
  missing?: boolean;
}

function translate(issue: Issue, raw: unknown, at: Path): Translated[] {
  const path: Path = [...at, ...issue.path.map((step) => (typeof step === "symbol" ? String(step) : step))];
  const value = valueAt(raw, path);
  switch (issue.code) {
    case "invalid_union":
      return union(issue, raw, path);
    case "unrecognized_keys":
      return unknownKeys(issue.keys, raw, path);
    case "custom":
      return [problemAt(raw, path, { message: issue.message, next: nextOf(issue) }, isHidden(issue, value))];
    case "invalid_value":
      return [wrongWord(issue.values.map(String), raw, path)];
    case "invalid_key":
      return issue.issues.map((inner) => wrongKey(inner, raw, path));
    case "invalid_type":
      return [wrongType([expectedWord(issue.expected)], raw, path)];
    case "too_small":
      if (Array.isArray(value))
        return [problemAt(raw, path, { message: "The list is empty.", next: giveExample(path) })];
      return [problemAt(raw, path, { message: `It must be at least ${String(issue.minimum)}.`, next: "Raise it." })];
    case "too_big":
      return [problemAt(raw, path, { message: `It must be at most ${String(issue.maximum)}.`, next: "Lower it." })];
    default:
      return [problemAt(raw, path, { message: "The value does not fit.", next: giveExample(path) })];
  }
}

function nextOf(issue: z.core.$ZodIssueCustom): string {
  const next: unknown = issue.params?.["next"];
  return typeof next === "string" ? next : "Correct it.";
}

const isPrivateKey = (value: unknown): boolean => typeof value === "string" && value.includes("PRIVATE KEY");
const isHidden = (issue: z.core.$ZodIssueCustom, value: unknown): boolean =>
  issue.params?.["hide"] === true || isPrivateKey(value);

/** One of a few words or numbers, misspelt or of another kind. */
function wrongWord(known: readonly string[], raw: unknown, path: Path): Translated {
  const value = valueAt(raw, path);
  if (value === undefined) return wrongType([], raw, path);
  const near = typeof value === "string" ? nearest(value, known) : undefined;
  const next = near === undefined ? giveExample(path) : `Did you mean ${near}?`;
  return problemAt(raw, path, { message: `It must be ${anyOf(known)}.`, next });
}

/** The key of an object whose keys are the operator's own, e.g. the name of a header; what stands there is its value's business. */
function wrongKey(issue: Issue, raw: unknown, path: Path): Translated {
  const next = issue.code === "custom" ? nextOf(issue) : "Correct it.";
  return problemAt(raw, path, { message: issue.message, next }, true);
}

function union(issue: z.core.$ZodIssueInvalidUnion, raw: unknown, path: Path): Translated[] {
  if (path.at(-1) === "provider") return [provider(raw, path)];
  // The branch of the value's own kind is the one that the operator meant; its issues are the real ones.
  const branch = issue.errors.find((issues) => !issues.some(isRootType));
  if (branch) return branch.flatMap((inner) => translate(inner, raw, path));
  const expected = issue.errors.flatMap((issues) => issues.filter(isRootType).flatMap(expectedOf));
  return [wrongType(expected, raw, path)];
}

const providers = {
  lab: "the built-in lab",
  ssh: "machines that exist",
  aws: "EC2 instances that the stack makes",
  local: "this machine",
} as const;

function provider(raw: unknown, path: Path): Translated {
  const value = valueAt(raw, path);
  const known = Object.keys(providers);
  const near = typeof value === "string" ? nearest(value, known) : undefined;
  const all = Object.entries(providers).map(([name, what]) => `${name} for ${what}`);
  const next = near === undefined ? `Write ${all.join(", ")}.` : `Did you mean ${near}?`;
  const message = value === undefined ? "It is missing." : `The provider is ${anyOf(known)}.`;
  return { ...problemAt(raw, path, { message, next }), missing: value === undefined };
}

type RootType = z.core.$ZodIssueInvalidType | z.core.$ZodIssueInvalidValue;

const expectedOf = (issue: RootType): string[] =>
  issue.code === "invalid_value" ? issue.values.map(String) : [expectedWord(issue.expected)];

function isRootType(issue: Issue): issue is RootType {
  if (issue.code === "invalid_value") return issue.path.length === 0;
  // A fraction where a whole number is wanted is still of the number's branch.
  return issue.code === "invalid_type" && issue.path.length === 0 && expectedWord(issue.expected) !== "a whole number";
}

const words: Readonly<Record<string, string>> = {
  string: "text",
  number: "a number",
  int: "a whole number",
  boolean: "true or false",
  array: "a list",
  object: "an object",
  record: "an object",
};
const expectedWord = (expected: string): string => words[expected] ?? expected;

function wrongType(expected: readonly string[], raw: unknown, path: Path): Translated {
  const value = valueAt(raw, path);
  const missing = value === undefined;
  const message = missing ? "It is missing." : `It must be ${anyOf(expected)}, but is ${kindOf(value)}.`;
  return { ...problemAt(raw, path, { message, next: giveInstead(value, path) }), missing };
}

function unknownKeys(keys: readonly string[], raw: unknown, path: Path): Translated[] {
  const level = levelOf(raw, path);
  const object = valueAt(raw, path);
  const given = isRecord(object) ? Object.keys(object) : [];
  return keys.map((key) => {
    const near = meant(key, level);
    const problem = problemAt(raw, [...path, key], unknownKey(key, level, given), true);
    return { ...problem, meant: near === undefined ? undefined : [...path, near] };
  });
}

function levelOfHosts(provider: unknown): Level {
  return typeof provider === "string" && Object.hasOwn(providers, provider)
    ? levels[provider as keyof typeof providers]
    : levels.lab;
}

function levelOf(raw: unknown, path: Path): Level {
  const name = path.findLast((step) => typeof step === "string");
  switch (name) {
    case undefined:
      return levels.stack;
    case "hosts":
      return levelOfHosts(valueAt(raw, ["hosts", "provider"]));
    case "proxy":
      return levels.proxy;
    case "rollout":
      return levels.rollout;
    case "timers":
      return levels.timers;
    case "watchdog":
      return levels.watchdog;
    case "monitoring":
      return levels.monitoring;
    case "projects":
      return levels.project;
    case "sites":
      return levels.site;
    case "balancers":
    case "workers":
      return levels.host;
    default: {
      const keys = nodesAt(path).flatMap((node) =>
        Object.keys((valueAt(node, ["properties"]) as object | undefined) ?? {}),
      );
      return { where: `an entry of ${name}`, keys };
    }
  }
}

function giveInstead(value: unknown, path: Path): string {
  const example = exampleAt(path);
  if (path.at(-1) === "hostKey") return hostKeyNext;
  if (typeof example === "boolean") return "Write true or false.";
  const duration = nodesAt(path).some((node) => valueAt(node, ["unit"]) === "duration");
  if (typeof value === "number" && duration) return `Write ${value}s if seconds are meant.`;
  if (typeof value === "string" && typeof example === "number" && /^\d+$/.test(value))
    return `Write ${value} without quotes.`;
  return giveExample(path);
}

function giveExample(path: Path): string {
  const example = exampleAt(path);
  return example === undefined ? "Correct it." : `Give it, e.g. ${JSON.stringify(example)}.`;
}

let jsonSchema: unknown;

/** What the schema has at a path: one node, or one for each kind that may stand there. */
function nodesAt(path: Path): unknown[] {
  jsonSchema ??= jsonSchemaOf(stackSchema);
  let places: unknown[] = [jsonSchema];
  for (const step of path) {
    places = places.flatMap(branches).flatMap((node) => {
      const named = valueAt(node, ["properties", step]) ?? valueAt(node, ["additionalProperties"]);
      const next = typeof step === "number" ? valueAt(node, ["items"]) : named;
      return next === undefined ? [] : [next];
    });
  }
  return places;
}

/** The first example that the schema has for the key at a path. */
function exampleAt(path: Path): unknown {
  for (const node of nodesAt(path).flatMap((node) => [node, ...branches(node)])) {
    const example = valueAt(node, ["examples", 0]);
    if (example !== undefined) return example;
  }
  return undefined;
}

function branches(node: unknown): unknown[] {
  const several = valueAt(node, ["anyOf"]) ?? valueAt(node, ["oneOf"]);
  return Array.isArray(several) ? several.flatMap(branches) : [node];
}
