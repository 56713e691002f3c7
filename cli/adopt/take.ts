// The take-over itself, a step at a time: their publisher off, ours proved, the grace time, their backends off. Each step may be the last one of a call:
// the next call goes on from what it finds on the machines.
import type { Survey } from "../desk/survey";
import type { Exit } from "../call";
import { confirmOn, lookOn, placesOf, stepOn, type Call } from "./hosts";
import { publishedByThem, type SeenOn } from "./seen";

/** Asks every machine. Undefined when one could not be asked: that has been said. */
export async function lookEverywhere(call: Call): Promise<SeenOn[] | undefined> {
  const places = placesOf(call);
  const all = await Promise.all(places.map(async (name) => ({ name, seen: await lookOn(call, name) })));
  const lost = all.flatMap(({ seen }) => (typeof seen === "string" ? [seen] : []));
  lost.forEach((text) => call.streams.err(text));
  return lost.length > 0
    ? undefined
    : all.flatMap(({ name, seen }) => (typeof seen === "string" ? [] : [{ name, seen }]));
}

/** Machines with an installation of theirs for which this holds. */
function having(all: readonly SeenOn[], holds: (one: SeenOn["seen"]["installations"][number]) => boolean): string[] {
  return all.filter(({ seen }) => seen.installations.some(holds)).map(({ name }) => name);
}

/** Names of our balancers that publish. */
export function publishers({ machines }: Survey): string[] {
  return machines.filter(({ seen }) => seen?.publisher?.standby === false).map(({ name }) => name);
}

/** Why ours cannot stand alone for these addresses: a sentence each with its next step. Pure. */
export function notReady(survey: Survey, addresses: readonly (string | null)[]): string[] {
  const unknown = addresses.filter(
    (address) => address === null || !survey.sites.some((site) => site.address === address),
  );
  const found = unknown.map((address) =>
    address === null
      ? "Theirs publishes an address that cannot be told from its key file's name.\n  Next: name the file as Onionspray does, ADDRESS.v3sec.key, with its .v3pub.key beside it."
      : `Theirs publishes ${address}, and no site of stack ${survey.stack} has it: it would go.\n  Next: add it with its key (npx softmap import), run \`pulumi up\`, then this again.`,
  );
  const silent = survey.machines.flatMap(({ name, error }) => (error === undefined ? [] : [`${name}: ${error}.`]));
  const units = survey.machines.flatMap(({ name, seen }) =>
    (seen?.units ?? [])
      .filter(({ planned, kind, state }) => planned === "run" && kind !== "base" && state !== "active")
      .map(({ unit, state }) => `${name}: ${unit} is ${state}.\n  Next: npx softmap doctor`),
  );
  return [...found, ...silent, ...units, ...addresses.flatMap((address) => notPublished(survey, address))];
}

function notPublished({ sites, machines }: Survey, address: string | null): string[] {
  const site = sites.find((each) => each.address === address);
  if (site === undefined) return [];
  const seen = machines.flatMap((machine) =>
    machine.seen?.publisher?.standby === false ? [machine.seen.publisher] : [],
  );
  const good = seen.some(({ error, sites: published }) =>
    published.some(
      (each) =>
        error === null &&
        each.address === address &&
        each.attempted !== null &&
        each.backends.length > 0 &&
        each.backends.every(({ received }) => received !== null),
    ),
  );
  return good ? [] : [`Ours does not publish ${site.domain} yet.\n  Next: npx pulumi up, then npx softmap ob-status`];
}

/** Runs a step on machines one after the other; false at the first that fails. */
async function inTurn(hosts: readonly string[], step: (host: string) => Promise<boolean>): Promise<boolean> {
  for (const host of hosts) if (!(await step(host))) return false;
  return true;
}

/** Takes everything over. */
export async function take(call: Call): Promise<Exit> {
  const { streams, tools, stack } = call;
  const { out, err } = streams;
  const all = await lookEverywhere(call);
  if (all === undefined) return refused(call);
  const left = having(
    all,
    ({ taken, daemons }) => taken.backendsOff === null || daemons.some(({ pid }) => pid !== null),
  );
  if (having(all, () => true).length === 0) {
    err(
      "There is no Onionspray and no EOTK on these machines.\n  Next: name its folder with --dir, or its machines with --also.",
    );
    return 1;
  }
  if (left.length === 0) {
    out("All of theirs is off already. `npx softmap adopt back` starts it again.");
    return 0;
  }
  const survey = await tools.survey(stack);
  const [ours, wrong] = [publishers(survey), notReady(survey, publishedByThem(all))];
  if (ours.length === 0) wrong.push("No balancer of ours publishes.\n  Next: npx pulumi up");
  if (wrong.length > 0) {
    wrong.forEach((text) => err(text));
    return refused(call);
  }
  if (!(await quietThem(call, all, ours))) return 1;
  await grace(call, ours);
  return offWithThem(call, left, ours);
}

function refused({ streams }: Call): Exit {
  streams.err("Nothing was changed: theirs serves as before.");
  return 1;
}

/** Their publishers off, then ours must prove itself; when it cannot, theirs is started again. */
async function quietThem(call: Call, all: readonly SeenOn[], ours: readonly string[]): Promise<boolean> {
  const { out, err } = call.streams;
  const loud = having(
    all,
    ({ frontends, taken }) =>
      taken.publisherOff === null || frontends.some(({ runs, by }) => runs && by === "onionbalance"),
  );
  if (loud.length === 0 && provedAt(all, ours) !== undefined) {
    out("Theirs publishes no longer, and ours has proved that it publishes alone.");
    return true;
  }
  if (loud.length > 0) out("1. Their publisher off; their backends go on, for whoever has a descriptor of theirs.");
  const quiet = await inTurn(loud, (host) => stepOn(call, host, "quiet"));
  if (quiet) out("2. Ours publishes alone, and proves it.");
  if (quiet && (await inTurn(ours, (host) => stepOn(call, host, "prove")))) return true;
  out("Theirs is started again.");
  const again = await backOn(
    call,
    having(all, () => true),
  );
  err(
    again
      ? "Ours did not prove itself: theirs publishes again, beside ours.\n  Next: see to what is named above (npx softmap doctor), then: npx softmap adopt take"
      : "Ours did not prove itself, and theirs did not start again.\n  Next: see to what is named above at once, then: npx softmap adopt back",
  );
  return false;
}

/** Readers go on with the descriptor that they have, and got theirs until ours was proved. A call that was interrupted waits for what was left. */
async function grace(call: Call, ours: readonly string[]): Promise<void> {
  const { tools, streams, graceSeconds } = call;
  const since = provedAt((await lookEverywhere(call)) ?? [], ours) ?? tools.now();
  const left = Math.min(graceSeconds, Math.ceil(since + graceSeconds - tools.now()));
  if (left <= 0) return;
  streams.out(
    `3. Their backends go on for ${left} s: readers may have a descriptor of theirs. (It may be interrupted: the same command goes on.)`,
  );
  await tools.wait(left);
}

/** When the last of our balancers was proved to publish alone; undefined when one has not been since their publishers are off. Pure. */
export function provedAt(all: readonly SeenOn[], ours: readonly string[]): number | undefined {
  const quiet = Math.max(
    0,
    ...all.flatMap(({ seen }) => seen.installations.map(({ taken }) => taken.publisherOff ?? 0)),
  );
  const proved = all.filter(({ name }) => ours.includes(name)).map(({ seen }) => seen.proved ?? -1);
  return proved.length > 0 && proved.every((at) => at >= quiet) ? Math.max(...proved) : undefined;
}

/** One machine of theirs first: what goes wrong there is seen before the others follow. */
async function offWithThem(call: Call, hosts: readonly string[], ours: readonly string[]): Promise<Exit> {
  const { out, err } = call.streams;
  out("4. Ours is asked once more; then their backends off, drained first.");
  // The last moment in which nothing is lost: who else publishes, or has died in the grace time, is seen here.
  if (!(await inTurn(ours, (host) => confirmOn(call, host)))) {
    err(
      "Ours does not publish alone: their backends go on.\n  Next: see to what is named above, then: npx softmap adopt take, or npx softmap adopt back",
    );
    return 1;
  }
  for (const group of [hosts.slice(0, 1), hosts.slice(1)]) {
    const went = await Promise.all(group.map((host) => stepOn(call, host, "off")));
    if (went.every(Boolean)) continue;
    err("Not all of theirs is off.\n  Next: see to what is named above, then: npx softmap adopt take");
    return 1;
  }
  if (!(await inTurn(ours, (host) => confirmOn(call, host)))) {
    err("Ours does not prove itself without theirs.\n  Next: npx softmap adopt back, then npx softmap doctor");
    return 1;
  }
  out(
    "Taken over: ours serves alone, theirs is off and does not start at boot. Nothing of it was deleted: npx softmap adopt back",
  );
  return 0;
}

/** Starts theirs again: backends everywhere before anything publishes them. */
async function backOn(call: Call, hosts: readonly string[]): Promise<boolean> {
  const went = await Promise.all(hosts.map((host) => stepOn(call, host, "back")));
  return went.every(Boolean);
}

/** Takes everything back. */
export async function back(call: Call): Promise<Exit> {
  const { out, err } = call.streams;
  const all = await lookEverywhere(call);
  if (all === undefined) return 1;
  const taken = having(all, (one) => one.taken.publisherOff !== null || one.taken.backendsOff !== null);
  if (taken.length === 0) {
    out("Nothing was taken over: there is nothing to go back from.");
    return 0;
  }
  const publishing = having(all, ({ frontends }) => frontends.length > 0);
  const backends = taken.filter((host) => !publishing.includes(host));
  if (
    !(await backOn(call, backends)) ||
    !(await backOn(
      call,
      taken.filter((host) => publishing.includes(host)),
    ))
  ) {
    err(
      "Not all of theirs runs again; what does, stays.\n  Next: see to what is named above, then: npx softmap adopt back",
    );
    return 1;
  }
  out(
    "Theirs runs again, and publishes beside ours: both answer. To have theirs alone, stop ours: npx softmap shutdown --yes",
  );
  return 0;
}
