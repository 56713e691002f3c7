import { execOn, type Lab } from "../../lab/lab";
import { balancerPaths } from "../../plan/names";
import { hostModules } from "./killKit";

/** What one directory held of a site at one moment. */
export interface Sample {
  /** Unix seconds. */
  readonly at: number;
  readonly directory: string;
  readonly revision: number;
  /** Backend to the number of its introduction points that are in it; "?" for those of nobody. */
  readonly points: Readonly<Record<string, number>>;
}

/** What a balancer's tor says of one upload. */
export interface Upload {
  /** Unix seconds. */
  readonly at: number;
  /** The directory took it, or refused it. tor does not say that one begins when it is not its own service's. */
  readonly kind: "UPLOADED" | "FAILED";
  readonly directory: string;
}

/** Uploads of one round go to all directories at once; the next round is ten seconds later at the earliest. */
const ROUND_SECONDS = 3;

const SAMPLING = `
import base64, json, re, sys
from stem.descriptor.hidden_service import HiddenServiceDescriptorV3

ASKED = json.loads(sys.argv[1])

def points_of(control):
    """Introduction point to its backend."""
    found = {}
    for address, (text, _) in fetch(control, [bare(each) for each in ASKED["backends"].values()], 10).items():
        name = next(name for name, each in ASKED["backends"].items() if bare(each) == address)
        for point in introduction_points(text, address) if text else ():
            found[point] = name
    return found

def sample(control, known):
    """What each directory of the network has of the site, asked one by one."""
    address = bare(ASKED["site"])
    directories = re.findall(r"^r (\\S+) (\\S+) .*\\ns .*HSDir", control.info("ns/all"), re.M)
    control.events.clear()
    for _, digest in directories:
        control.command("HSFETCH %s SERVER=%s" % (address, base64.b64decode(digest + "=").hex().upper()))
    end, left = time.monotonic() + 4, len(directories)
    while left:
        event = control.event(max(end - time.monotonic(), 0))
        if event is None:
            return
        head = event[0].split("\\n")[0].split()
        if head[:2] == ["HS_DESC", "FAILED"] and head[2] == address:
            left -= 1
        told = parse_event(event)
        if told is None or told[0] != address or told[1] is None:
            continue
        left -= 1
        outer = HiddenServiceDescriptorV3.from_str(told[1])
        counts = {}
        for point in introduction_points(told[1], address):
            name = known.get(point, "?")
            counts[name] = counts.get(name, 0) + 1
        print(json.dumps({"at": time.time(), "directory": head[3].split("~")[-1], "revision": outer.revision_counter, "points": counts}), flush=True)

end, known = time.monotonic() + ASKED["seconds"], {}
with Control(ASKED["control"]) as control:
    control.command("SETEVENTS HS_DESC HS_DESC_CONTENT")
    while time.monotonic() < end:
        start = time.monotonic()
        known.update(points_of(control))
        sample(control, known)
        time.sleep(max(0, start + ASKED["every"] - time.monotonic()))
`;

const WATCHING = `
import json, sys

ASKED = json.loads(sys.argv[1])
end = time.monotonic() + ASKED["seconds"]
with Control(ASKED["control"]) as control:
    control.command("SETEVENTS HS_DESC")
    while time.monotonic() < end:
        event = control.event(max(end - time.monotonic(), 0))
        words = event[0].split() if event else []
        if len(words) < 5 or words[0] != "HS_DESC" or words[1] not in ("UPLOADED", "FAILED"):
            continue
        # Fetches fail by the same event.
        if words[1] == "UPLOADED" or "REASON=UPLOAD_REJECTED" in words:
            print(json.dumps({"at": time.time(), "kind": words[1], "directory": words[4].split("~")[-1]}), flush=True)
`;

/** What to look at, and for how long. */
export interface SamplingOptions {
  /** Onion address of the site. */
  readonly site: string;
  /** Backend to its onion address. */
  readonly backends: Readonly<Record<string, string>>;
  /** How long, and how often. */
  readonly seconds: number;
  readonly every: number;
}

/** Looks at a site's descriptor on every directory of the network, again and again, through the tor of the balancer on that host. */
export async function sampleDescriptors(lab: Lab, balancer: string, options: SamplingOptions): Promise<Sample[]> {
  return linesOf<Sample>(lab, balancer, SAMPLING, options);
}

/** Keeps what a balancer's tor says of its uploads for so many seconds. */
export function watchUploads(lab: Lab, balancer: string, seconds: number): Promise<Upload[]> {
  return linesOf<Upload>(lab, balancer, WATCHING, { seconds });
}

async function linesOf<T>(lab: Lab, balancer: string, program: string, options: object): Promise<T[]> {
  const asked = JSON.stringify({ ...options, control: balancerPaths.controlSocket });
  const input = hostModules("control", "descriptors") + program;
  const ran = await execOn(lab, balancer, ["python3", "-I", "-", asked], { input, mayFail: false });
  const lines = ran.text.split("\n").filter((line) => line !== "");
  return lines.map((line) => JSON.parse(line) as T);
}

/** What was in the network: how many versions each directory had, whether a later one ever had a lower revision, and which backends were in them. */
export function tellSamples(samples: readonly Sample[]): string {
  const lines: string[] = [];
  for (const directory of [...new Set(samples.map((one) => one.directory))].sort()) {
    const own = samples.filter((one) => one.directory === directory);
    const revisions = own.map(({ revision }) => revision);
    const changes = revisions.filter((revision, i) => i > 0 && revision !== revisions[i - 1]).length;
    const lower = revisions.filter((revision, i) => i > 0 && revision < (revisions[i - 1] ?? 0)).length;
    lines.push(
      `${directory}: ${own.length} samples, ${changes + 1} versions, ${lower} times a lower revision than before`,
    );
  }
  return [...lines, ...contents(samples).map(([words, n]) => `${n} x (${words})`)].join("\n");
}

/** What was in the samples, and how often: the number of each backend's introduction points. */
function contents(samples: readonly Sample[]): [string, number][] {
  const kinds = new Map<string, number>();
  for (const { points } of samples) {
    const words = Object.entries(points)
      .sort()
      .map(([name, n]) => `${name} ${n}`)
      .join(", ");
    kinds.set(words, (kinds.get(words) ?? 0) + 1);
  }
  return [...kinds];
}

/** Who uploaded how often, what was refused, and how often one balancer's round of uploads followed the other's: each such round overwrites it. */
export function tellUploads(byBalancer: ReadonlyMap<string, readonly Upload[]>): string {
  const lines = [...byBalancer].map(([balancer, uploads]) => {
    const refused = uploads.filter(({ kind }) => kind === "FAILED").length;
    return `${balancer}: ${uploads.length - refused} uploads taken, ${refused} refused`;
  });
  const all = [...byBalancer].flatMap(([balancer, uploads]) => uploads.map(({ at }) => ({ at, balancer })));
  all.sort((one, other) => one.at - other.at);
  const rounds = all.filter(({ at, balancer }, i) => {
    const before = all[i - 1];
    return before === undefined || before.balancer !== balancer || at - before.at > ROUND_SECONDS;
  });
  const turns = rounds.filter(({ balancer }, i) => i > 0 && rounds[i - 1]?.balancer !== balancer).length;
  return [...lines, `${rounds.length} rounds of uploads, ${turns} of them after one of the other balancer`].join("\n");
}
