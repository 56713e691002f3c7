// npx softmap import: the way in from Onionspray and EOTK, and from folders of keys.
import { called, CallError, type Exit, stackOption } from "../call";
import type { Streams } from "../check";
import { configSet } from "./configSet";
import { importOnionspray, type Tools } from "./onionspray";
import { importKeys } from "./vanity";

const usage = `usage: npx softmap import onionspray DIR|FILE.tconf|FILE.conf [--out Pulumi.NAME.yaml] [--stack NAME] [--user NAME] [--force] [--json]
       npx softmap import keys DIR [--site DOMAIN] [--onion PREFIX] [--stack NAME] [--json]

onionspray  Reads what Onionspray or EOTK runs from, and says what it is here: what was mapped, what has no meaning any more, what is to be
            decided. DIR is the installation. Nothing there is changed. Without --out and --stack nothing is written at all.
keys        Lists the keys that mkp224o or onionmine found, one to four folders below DIR; with --site takes one of them for a site.

  --out FILE     write the stack's file; one with a config of softmap in it is left as it is
  --force        replace what is imported in such a file, and leave the rest of it
  --stack NAME   write Pulumi.NAME.yaml (or --out), and set the keys in it as secrets, with \`pulumi config set\`
  --user NAME    who logs in at the workers
  --site DOMAIN  the site that the key is for
  --onion PREFIX what its address begins with
  --json         the report as JSON`;

const options = {
  ...stackOption,
  out: { type: "string" },
  user: { type: "string" },
  site: { type: "string" },
  onion: { type: "string" },
  force: { type: "boolean" },
  json: { type: "boolean" },
} as const;

const of = { onionspray: ["out", "stack", "user", "force", "json"], keys: ["site", "onion", "stack", "json"] } as const;

/** Runs `import`. Returns its exit code: 0 when all was imported, 1 when something is wrong, 2 for a wrong call. */
export function main(
  args: readonly string[],
  streams: Streams,
  tools: Tools = { configSet, env: process.env },
): Promise<Exit> {
  return called(args, streams, { usage, options }, async ({ values, positionals }) => {
    const [what, path, ...rest] = positionals;
    if (what !== "onionspray" && what !== "keys") throw new CallError("Say what to import: onionspray or keys.");
    if (path === undefined || path === "") throw new CallError("Name the folder or file.");
    if (rest.length > 0) throw new CallError(`One at a time: ${path}, without ${rest.join(", ")}.`);
    const stray = Object.keys(values).find((name) => !(of[what] as readonly string[]).includes(name));
    if (stray !== undefined) throw new CallError(`import ${what} does not take --${stray}.`);
    if (what === "keys") return importKeys({ ...values, path }, streams, tools);
    return importOnionspray({ ...values, path }, streams, tools);
  });
}
