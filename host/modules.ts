// Which Python modules make a program on a host, and how they become one text.
import { readFileSync } from "node:fs";
import { join } from "node:path";

/** The Python modules of each step, in the order in which they need one another. */
const shared = [
  "report",
  "files",
  "machine",
  "watched",
  "masks",
  "accounts",
  "tree",
  "state",
  "control",
  "told",
  "health",
];
const release = [...shared, "packages", "services", "socks", "proving", "release"];
const publish = [...release, "descriptors", "proof", "publication", "grace", "purge", "publish"];
const retire = [...release, "drain", "store", "retire"];
export const modules = {
  release,
  publish,
  confirm: publish,
  retire,
  probe: [...retire, "purge", "probe"],
  rollback: [...release, "rollback"],
  preflight: [...retire, "preflight"],
  store: ["report", "files", "store"],
  renew: [...release, "takeover", "renew"],
  survey: [
    ...publish,
    "drain",
    "store",
    "retire",
    "probe",
    "survey_tor",
    "survey_sites",
    "survey_told",
    "survey_publisher",
    "survey",
  ],
  act: [...release, "takeover", "act"],
  leave: [...publish, "leaving", "publisher_settings", "leave"],
  tail: ["report", "tail"],
  mirror: ["report", "files", "machine", "watched", "tree", "mirror"],
  open: ["report", "files", "control", "descriptors", "socks", "open"],
  adopt: [...publish, "drain", "store", "retire", "preflight", "adopt_found", "adopt_boot", "adopt"],
  metrics: ["control", "told", "metrics_page", "metrics_sources", "metrics_told", "metrics"],
  publisher: ["dealing", "leaving", "uploads", "rounds", "publisher_settings", "seams", "publishing", "publisher"],
  watchdog: ["publisher_settings", "socks", "watchdog_settings", "watchdog_marks", "watchdog_pace", "watchdog"],
} as const;

/** A step on a host, or a program that stays there: its last Python module has a function `<step>_main`. */
export type Step = keyof typeof modules;

const everyModule = [...new Set(Object.values(modules).flat())];

/** Imports between our modules: once they are one text they are all there already. */
const localImport = new RegExp(`^from (?:${everyModule.join("|")}) import .*\n`, "gm");

const sources = new Map<string, string>();

/** A module's text without its imports of other modules of ours. Read once: several programs are made of the same modules. */
export function source(name: string): string {
  const known = sources.get(name);
  if (known !== undefined) return known;
  const text = readFileSync(join(__dirname, `${name}.py`), "utf8")
    .replace(localImport, "")
    .trimEnd();
  sources.set(name, text);
  return text;
}

/** The modules of a step as one text. */
export function sourcesOf(step: Step): string {
  return modules[step].map(source).join("\n\n");
}
