// What an import found, for people and as JSON. No value of a setting and no key is in either.
import { count } from "../../config/words";
import type { Adopted } from "./configSet";
import { type Decision, type Entry, type Notes, placed, shown } from "./entry";

/** What was done, beside what was found. */
export interface Done {
  /** What was imported, as it was named. */
  readonly from: string;
  readonly projects: number;
  readonly sites: number;
  /** The stack's file that was written; undefined when none was. */
  readonly written: string | undefined;
  /** Text of a stack's file that was not asked to be written. */
  readonly yaml?: string | undefined;
  readonly keys: readonly Adopted[];
}

/** Whether `pulumi up` takes the config as it is. */
const isReady = ({ decisions, faults }: Notes, keys: readonly Adopted[]): boolean =>
  faults.length === 0 && !decisions.some(({ blocks }) => blocks) && keys.every(({ set }) => set);

/** The report as JSON. */
export function asJson(notes: Notes, done: Done): string {
  const keys = done.keys.map(({ secret: { key, name, address, file, command }, set, failure }) => ({
    key,
    name,
    address,
    file,
    command,
    set,
    failure,
  }));
  const { from, projects, sites, written, yaml } = done;
  const { mapped, dropped, decisions, faults: problems } = notes;
  const ready = isReady(notes, done.keys);
  return JSON.stringify(
    { from, projects, sites, written, ready, mapped, dropped, decisions, problems, keys, yaml },
    null,
    2,
  );
}

/** More problems than these are a file of another kind. */
const mostShown = 100;

/** What is wrong, for people. */
export function asFaults({ faults }: Notes, from: string): string {
  const more = faults.length > mostShown ? [`  ... and ${faults.length - mostShown} more.`] : [];
  const title = `${count(faults.length, "problem")} in ${from}, nothing was written:`;
  return [title, ...faults.slice(0, mostShown).map(block), ...more].join("\n\n");
}

/** The report for people. */
export function asText(notes: Notes, done: Done): string {
  const { mapped, dropped } = notes;
  const blocking = notes.decisions.filter(({ blocks }) => blocks);
  const free = notes.decisions.filter(({ blocks }) => !blocks);
  const parts = [
    `${done.from}: ${count(done.projects, "project")}, ${count(done.sites, "site")}, ${count(done.keys.length, "key")}.`,
    list(`Mapped (${mapped.length})`, mapped, line),
    list(`No meaning any more (${dropped.length})`, dropped, line),
    list(`To decide, and before \`pulumi up\` (${blocking.length})`, blocking, decision),
    list(`To decide (${free.length})`, free, decision),
    keysText(done.keys),
    last(notes, done),
  ];
  return parts.filter((part) => part !== "").join("\n\n");
}

function list<E extends Entry>(title: string, entries: readonly E[], show: (entry: E) => string): string {
  return entries.length === 0 ? "" : [title, ...entries.map(show)].join("\n");
}

// Words of the files are in it: nothing of them may move the cursor of a terminal.
const said = (text: string): string => shown(text, 2000);
const line = (entry: Entry): string => `  ${placed(entry)}  ${said(entry.what)}\n      ${said(entry.why)}`;
const decision = (entry: Decision): string => `${line(entry)}\n      Next: ${said(entry.next)}`;
const block = (entry: Entry): string =>
  `  ${placed(entry)}  ${said(entry.what)}\n    ${said(entry.why)}\n    Next: ${said(entry.next ?? "")}`;

function keysText(keys: readonly Adopted[]): string {
  const set = keys.filter((key) => key.set);
  const open = keys.filter((key) => !key.set);
  const failures = open.flatMap(({ secret, failure }) =>
    failure === undefined ? [] : [`  ${secret.key} of ${secret.name} was not set: ${failure}`],
  );
  return [
    list2("Keys, set as secrets", set, ({ secret }) => `  ${secret.key} of ${secret.name}${of(secret.address)}`),
    failures.join("\n"),
    list2(
      "Keys, to be set as secrets: each command reads the file on stdin",
      open,
      ({ secret }) => `  ${secret.command}`,
    ),
  ]
    .filter((part) => part !== "")
    .join("\n\n");
}

const of = (address: string | undefined): string => (address === undefined ? "" : `, ${address}`);

function list2<E>(title: string, entries: readonly E[], show: (entry: E) => string): string {
  return entries.length === 0 ? "" : [`${title} (${entries.length})`, ...entries.map(show)].join("\n");
}

function last(notes: Notes, { written, yaml, keys }: Done): string {
  if (yaml !== undefined)
    return `Nothing was written: name a file with --out, or a stack with --stack. It would hold:\n\n${yaml}`;
  if (written === undefined) return "";
  const left = isReady(notes, keys) ? "" : "do what stands above, then ";
  return `Written: ${written}\n  Next: ${left}\`npx softmap check ${written}\`.`;
}
