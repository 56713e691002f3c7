// The door for planned changes: the operator's list of backends that the publishers leave out, on every balancer of a stack at once (host/leave.py).
import { bootstrap, leaveProgram, type LeavePayload } from "../../host/program";
import type { runOn } from "../../host/runOn";
import type { Streams } from "../check";
import { some } from "../doctor/view";
import { isSshError } from "./onHosts";
import type { BackendKnown, DeployedStack } from "./survey";

/** What the door is reached with. */
export interface DoorKit {
  readonly stack: DeployedStack;
  readonly streams: Streams;
  readonly run: typeof runOn;
}

/** A backend that is left out, or that somebody wants left out. */
export interface Marked {
  /** Without `.onion`. */
  readonly address: string;
  readonly name: string;
  /** `operator` or `watchdog`. */
  readonly by: string;
  /** The operator's command: drain, stop or restart; null: it was the watchdog. */
  readonly kind: string | null;
  readonly why: string;
  /** Seconds since it is so. */
  readonly age: number;
  /** It stays listed, because too few would be left. */
  readonly kept: boolean;
}

/** What a balancer says of the door. */
export interface DoorSeen {
  readonly balancer: string;
  /** It has the list, and publishes nothing. */
  readonly standby: boolean;
  /** Why its publisher says nothing of its descriptors; null: it does. */
  readonly quiet: string | null;
  readonly mode: string | null;
  /** Addresses, without `.onion`, of those asked for that a site lists. */
  readonly listed: readonly string[];
  /** Of those the ones that cannot be left out, each with a site that would have nobody left. */
  readonly last: Readonly<Record<string, string>>;
  readonly marks: readonly Marked[];
}

/** What became of a change on one balancer. */
interface Went {
  readonly balancer: string;
  readonly standby: boolean;
  /** Why it is not so yet; null: it is. */
  readonly why: string | null;
  /** Directories that may keep the descriptor before, each with the reason. */
  readonly stuck: Readonly<Record<string, string>>;
  readonly changed: readonly string[];
  readonly seconds: number;
}

/** All balancers' answers; `lost` are the sentences of those that gave none. */
export interface Asked<Answer> {
  readonly told: readonly Answer[];
  readonly lost: readonly string[];
}

/** A change of the list. */
export interface Change {
  readonly backends: readonly BackendKnown[];
  readonly kind: LeavePayload["kind"];
  /** For people; only of those that are left out. */
  readonly reason?: string;
  /** How long it is waited for. */
  readonly seconds: number;
}

/** An address as the list has it. */
export const bare = (address: string): string => address.replace(/\.onion$/, "");

/** `a, b and 58 more`. */
export const namesOf = (backends: readonly BackendKnown[]): string => some(backends.map(({ name }) => name));

/** Runs the door's program on every balancer. */
async function askAll<Answer>(
  { stack, run }: DoorKit,
  payload: Omit<LeavePayload, "host">,
): Promise<Asked<Answer & { readonly balancer: string }>> {
  const limits = { dialSeconds: 15, seconds: payload.seconds + 120 };
  const answers = await Promise.all(
    stack.balancers.map(async (balancer) => {
      try {
        const program = leaveProgram({ host: balancer, ...payload });
        const { code, stdout, stderr } = await run(stack.machines.get(balancer), bootstrap, program, limits);
        if (code !== 0) return stderr.trim() || `${balancer}: the program ended with ${code} and said nothing.`;
        return { balancer, ...(JSON.parse(stdout.trimEnd().split("\n").at(-1) ?? "") as Answer) };
      } catch (error) {
        if (error instanceof SyntaxError) return `${balancer}: its answer cannot be read.`;
        if (isSshError(error)) return `${balancer}: ${error.message}.`;
        throw error;
      }
    }),
  );
  const told = answers.flatMap((each) => (typeof each === "string" ? [] : [each]));
  const lost = answers.flatMap((each) => (typeof each === "string" ? [each] : []));
  return { told, lost: stack.balancers.length === 0 ? ["The stack has no balancer."] : lost };
}

/** Who is left out now, and what may be said of these backends. Changes nothing. */
export function lookAtDoor(kit: DoorKit, backends: readonly BackendKnown[]): Promise<Asked<DoorSeen>> {
  const addresses = backends.map(({ address }) => address);
  return askAll(kit, {
    ...{ action: "look", backends: addresses, kind: "drain", reason: "", seconds: 0, others: false },
  });
}

/** Those of the backends that some balancer lists. */
export function listedOf(seen: readonly DoorSeen[], backends: readonly BackendKnown[]): BackendKnown[] {
  const listed = new Set(seen.flatMap((each) => each.listed));
  return backends.filter(({ address }) => listed.has(bare(address)));
}

/** Those that cannot be left out together, each with a site that would have nobody left. */
export function lastOf(
  seen: readonly DoorSeen[],
  backends: readonly BackendKnown[],
): { readonly backend: BackendKnown; readonly domain: string }[] {
  const last = new Map(seen.flatMap((each) => Object.entries(each.last)));
  return backends.flatMap((backend) => {
    const domain = last.get(bare(backend.address));
    return domain === undefined ? [] : [{ backend, domain }];
  });
}

/** Leaves backends out, and waits until every directory that clients ask has descriptors without them. True when it is so; says what it did. */
export async function leaveOut(kit: DoorKit, change: Change, seen: readonly DoorSeen[]): Promise<boolean> {
  const { told, lost } = await changed(kit, "out", change, seen);
  const publishing = told.filter(({ standby }) => !standby);
  const [first, ...others] = publishing.map(({ stuck }) => stuck);
  // What one balancer's upload did not come to has another one's, also without them.
  const stuck = Object.entries(first ?? {}).filter(([directory]) => others.every((each) => directory in each));
  const whys = [
    ...lost,
    ...publishing.flatMap(({ balancer, why }) => (why === null ? [] : [`${balancer}: ${why}.`])),
    ...stuck.map(([directory, why]) => `The directory ${directory.slice(0, 8)} may still tell of them: ${why.trim()}.`),
  ];
  return said(kit, change, whys, { told, done: "in no descriptor any more", not: "still in a descriptor" });
}

/** Takes backends out of the list, and waits until each is listed again. True when it is so; says what it did. */
export async function takeBack(kit: DoorKit, change: Change, seen: readonly DoorSeen[]): Promise<boolean> {
  const { told, lost } = await changed(kit, "back", change, seen);
  const whys = [...lost, ...told.flatMap(({ balancer, why }) => (why === null ? [] : [`${balancer}: ${why}.`]))];
  return said(kit, change, whys, { told, done: "listed again", not: "not listed again" });
}

function changed(
  kit: DoorKit,
  action: "out" | "back",
  { backends, kind, reason = "", seconds }: Change,
  seen: readonly DoorSeen[],
): Promise<Asked<Went>> {
  const others = seen.filter(({ standby }) => !standby).length > 1;
  return askAll(kit, { action, backends: backends.map(({ address }) => address), kind, reason, seconds, others });
}

function said(
  { streams: { out, err } }: DoorKit,
  { backends }: Change,
  whys: readonly string[],
  { told, done, not }: { readonly told: readonly Went[]; readonly done: string; readonly not: string },
): boolean {
  const seconds = Math.max(0, ...told.map((each) => each.seconds)).toFixed(1);
  if (whys.length === 0) {
    out(`${namesOf(backends)}: ${done} after ${seconds} s (${told.map(({ balancer }) => balancer).join(", ")})`);
    return true;
  }
  err(`${namesOf(backends)}: ${not} after ${seconds} s.\n${whys.map((why) => `  ${why}`).join("\n")}`);
  return false;
}
