// Units that stop or start anew by plan: their backends are left out of the descriptors before, and listed again after.
import { type DoorKit, type DoorSeen, bare, lastOf, leaveOut, listedOf, lookAtDoor, namesOf, takeBack } from "./door";
import type { BackendKnown } from "./survey";

/** Backends whose tors are restarted together. */
export interface Part {
  readonly backends: readonly BackendKnown[];
  /** A site that has nobody else: then they are not left out. */
  readonly lastOf?: string;
  readonly seen: readonly DoorSeen[];
}

/** The balancers' answers; undefined, and said, when one gives none. */
async function seenBy(kit: DoorKit, backends: readonly BackendKnown[]): Promise<readonly DoorSeen[] | undefined> {
  const { told, lost } = await lookAtDoor(kit, backends);
  if (lost.length === 0) return told;
  const next = "Next: npx softmap doctor says why; --now does without, and visitors of what goes down are cut off.";
  kit.streams.err(
    `${lost.join("\n")}\nBackends cannot be left out of the descriptors first. Nothing was changed.\n  ${next}`,
  );
  return undefined;
}

/**
 * How the backends of a machine are to be restarted: those whose sites have others together and first, each other one by itself. Those that no site
 * lists are in no part. Undefined, and said, when no balancer can leave them out.
 */
export async function partsOf(kit: DoorKit, backends: readonly BackendKnown[]): Promise<readonly Part[] | undefined> {
  const seen = await seenBy(kit, backends);
  if (seen === undefined) return undefined;
  const last = lastOf(seen, backends).map(({ backend }) => backend);
  const free = listedOf(seen, backends).filter((backend) => !last.includes(backend));
  const parts: Part[] = free.length > 0 ? [{ backends: free, seen }] : [];
  for (const backend of last) {
    const alone = await seenBy(kit, [backend]);
    if (alone === undefined) return undefined;
    const [only] = lastOf(alone, [backend]);
    parts.push({ backends: [backend], seen: alone, ...(only && { lastOf: only.domain }) });
  }
  return parts;
}

/** Works on a part's tors while nobody is sent there. True when all went well, and each is listed again. */
export async function through(
  kit: DoorKit,
  { backends, lastOf: domain, seen }: Part,
  work: () => Promise<boolean>,
  seconds: number,
): Promise<boolean> {
  if (domain !== undefined) {
    kit.streams.out(`${namesOf(backends)} is all that ${domain} has: its visitors will notice the restart`);
    return work();
  }
  const change = { backends, kind: "restart", reason: "restarted by hand", seconds } as const;
  if (!(await leaveOut(kit, change, seen))) {
    await undone(kit, change, seen);
    return false;
  }
  if (!(await work())) {
    kit.streams.err(`They stay left out.\n  Next: when they are well, npx softmap undrain ${words(backends)}.`);
    return false;
  }
  return takeBack(kit, change, seen);
}

/** Before a stop: leaves out whom it concerns, as far as their sites have others. True when it may go on. */
export async function stopThrough(kit: DoorKit, backends: readonly BackendKnown[], seconds: number): Promise<boolean> {
  if (backends.length === 0) return true;
  const seen = await seenBy(kit, backends);
  if (seen === undefined) return false;
  const last = lastOf(seen, backends);
  const free = listedOf(seen, backends).filter((each) => !last.some(({ backend }) => backend === each));
  for (const domain of new Set(last.map((each) => each.domain)))
    kit.streams.out(`${domain} has no other backends: its visitors will notice`);
  if (free.length === 0) return true;
  const change = { backends: free, kind: "stop", reason: "stopped by hand", seconds } as const;
  if (await leaveOut(kit, change, seen)) return true;
  await undone(kit, change, seen);
  return false;
}

/** After a start: lists again whom a stop left out. True when they are, or nobody was. */
export async function backAfterStart(
  kit: DoorKit,
  backends: readonly BackendKnown[],
  seconds: number,
): Promise<boolean> {
  if (backends.length === 0) return true;
  // A balancer that says nothing has its own alarm: what was started runs.
  const { told: seen } = await lookAtDoor(kit, backends);
  const stopped = new Set(
    seen.flatMap(({ marks }) => marks.flatMap(({ kind, address }) => (kind === "stop" ? address : []))),
  );
  const mine = backends.filter(({ address }) => stopped.has(bare(address)));
  return mine.length === 0 || takeBack(kit, { backends: mine, kind: "stop", seconds }, seen);
}

/** What could not be left out in time is not acted on, and not left out either. */
async function undone(kit: DoorKit, change: Parameters<typeof takeBack>[1], seen: readonly DoorSeen[]): Promise<void> {
  const quiet = { ...kit, streams: { out: () => undefined, err: () => undefined } };
  await takeBack(quiet, { ...change, seconds: 0 }, seen);
  const next = "Next: npx softmap doctor says what is in the way; --now does without.";
  kit.streams.err(`Nothing was stopped, and they are listed as before.\n  ${next}`);
}

/** As words of a command. */
const words = (backends: readonly BackendKnown[]): string => backends.map(({ name }) => name).join(" ");
