// What every directory of the lab's Tor network has of a site, read by ourselves: see beyond_watch.py.
import { join } from "node:path";
import { LabError } from "../../lab/errors";
import { readNetwork, type Lab } from "../../lab/lab";
import { Looking } from "../../lab/ownTor";

/** One directory's answer. */
export interface Answer {
  /** Nickname. */
  readonly relay: string;
  readonly fingerprint: string;
  /** Clients ask it. The others have the descriptor for the case that the ring changes. */
  readonly asked: boolean;
  /** `ok`, or why there is no descriptor of it. */
  readonly state: string;
  readonly revision?: number;
  /** Of the whole descriptor. */
  readonly bytes?: number;
  /** Length of the padded plaintext. */
  readonly plain?: number;
  /** Introduction point's key to its relay. */
  readonly points?: Readonly<Record<string, string>>;
}

/** All directories that the site's descriptor belongs to at one moment. */
export interface Round {
  /** Unix seconds. */
  readonly at: number;
  readonly ended: number;
  /** Time period of the network. */
  readonly period: number;
  readonly directories: readonly Answer[];
}

type Line = Round | { readonly backend: string; readonly at: number; readonly points: readonly string[] };

/** What a descriptor may be: clients refuse more points, directories more bytes; the padding is rend-spec-v3's (2.5.1.1). */
export const limits = { points: 20, bytes: 50_000, padding: 10_000 } as const;

/** So many rounds in a row without a backend: it is out. One alone may have missed a directory. */
const AGREE = 2;

/** Somebody who looks at a site's descriptors all the time. */
export class DescriptorWatch {
  private readonly owners = new Map<string, string>();
  private read = 0;

  private constructor(
    private readonly looking: Looking<Line>,
    readonly backends: Readonly<Record<string, string>>,
    private readonly published: () => Promise<string>,
  ) {}

  /**
   * Starts in the lab's Tor container; `backends` are all that ever may be listed, name to onion address; `published` tells, when something does not
   * become so, what the publisher says of its uploads.
   * @returns when each directory has been asked once
   */
  static async start(
    lab: Lab,
    site: string,
    backends: Readonly<Record<string, string>>,
    published: () => Promise<string>,
  ): Promise<DescriptorWatch> {
    const backendsEach = Math.ceil(Object.keys(backends).length / 5);
    const settings = { torrc: readNetwork(lab).torrc, site, backends, pause: 1, backendsEach };
    const program = { container: "tor", what: "The look at all directories", file: join(__dirname, "beyond_watch.py") };
    const watch = new DescriptorWatch(Looking.start(lab, program, settings), backends, published);
    await watch.until("it has looked", () => (watch.rounds().length > 0 ? true : undefined), 120);
    return watch;
  }

  /** All rounds so far that began after that moment, Unix seconds. */
  rounds(since = 0): Round[] {
    return this.looking.lines.filter((line): line is Round => "directories" in line && line.at >= since);
  }

  /** Backend to its number of points in a directory's descriptor; `?` for points that no backend has published as far as we saw. */
  shares({ points = {} }: Answer): Record<string, number> {
    this.learn();
    const shares: Record<string, number> = {};
    for (const key of Object.keys(points)) {
      const owner = this.owners.get(key) ?? "?";
      shares[owner] = (shares[owner] ?? 0) + 1;
    }
    return shares;
  }

  /** The backends that clients can find in that round. */
  found({ directories }: Round): Set<string> {
    return new Set(directories.filter(({ asked }) => asked).flatMap((one) => Object.keys(this.shares(one))));
  }

  /** Waits until clients find each of these, and none of the backends that are not among them. @returns the round in which it was so first */
  listed(names: readonly string[], since: number, seconds: number): Promise<Round> {
    const wanted = new Set(names);
    const right = (round: Round) => {
      const found = this.found(round);
      const wrong = [...found].some((name) => name !== "?" && !wanted.has(name));
      return !wrong && answered(round) && names.every((name) => found.has(name));
    };
    return this.until(
      `clients find exactly these ${names.length} backends`,
      () => this.rounds(since).find(right),
      seconds,
    );
  }

  /**
   * Waits until no directory that answers has a point of these backends any more, those included that no client asks.
   * @returns the seconds from `since` until it was so
   */
  async out(names: readonly string[], since: number, seconds: number): Promise<number> {
    const gone = ({ directories }: Round) =>
      !directories.some((one) => names.some((name) => (this.shares(one)[name] ?? 0) > 0));
    const settled = () => {
      const rounds = this.rounds(since);
      const first = rounds.findIndex(
        (round, n) => answered(round) && n + AGREE <= rounds.length && rounds.slice(n, n + AGREE).every(gone),
      );
      return first < 0 ? undefined : rounds[first];
    };
    const round = await this.until(`${names.join(", ")} is in no directory's descriptor`, settled, seconds);
    return round.ended - since;
  }

  /** @throws LabError with what the directories had at last, when it does not become so within `seconds` */
  async until<T>(what: string, asked: () => T | undefined, seconds: number): Promise<T> {
    try {
      return await this.looking.until(what, asked, seconds);
    } catch (error) {
      const last = this.rounds().at(-1);
      if (!(error instanceof LabError) || last === undefined) throw error;
      // Where the publisher cannot be asked, that is told beside what went wrong, not in its place.
      const published = await this.published().catch((why: unknown) => `The publisher cannot be asked: ${String(why)}`);
      throw new LabError(`${error.what}\n    ${this.tell(last)}\n    ${published}`, error.next);
    }
  }

  end(): Promise<void> {
    return this.looking.end();
  }

  /** A round in words: each directory that clients ask, with what it has. */
  private tell(round: Round): string {
    const told = round.directories
      .filter(({ asked }) => asked)
      .map(
        (one) =>
          `${one.relay} ${one.fingerprint}: ${one.state} ${one.revision ?? ""} ${JSON.stringify(this.shares(one))}`,
      );
    const ago = (Date.now() / 1000 - round.at).toFixed(1);
    return [`The last look, ${ago} s ago, period ${round.period}:`, ...told].join("\n    ");
  }

  /** Whose introduction points are whose: a point belongs to one backend for ever. */
  private learn(): void {
    for (; this.read < this.looking.lines.length; this.read++) {
      const line = this.looking.lines[this.read];
      if (line !== undefined && "backend" in line) for (const key of line.points) this.owners.set(key, line.backend);
    }
  }
}

/** Every directory that clients ask had a descriptor. */
function answered({ directories }: Round): boolean {
  return directories.every(({ asked, state }) => !asked || state === "ok");
}

/** What is wrong with the descriptors of a round, in words; empty when nothing is. */
export function wrongIn({ directories }: Round): string[] {
  return directories
    .filter(({ state }) => state === "ok")
    .flatMap(({ relay, bytes = 0, plain = 0, points = {} }) => {
      const relays = Object.values(points);
      const twice = relays.filter((one, n) => relays.indexOf(one) !== n);
      return [
        ...(relays.length > limits.points ? [`${relay}: ${relays.length} introduction points`] : []),
        ...(twice.length > 0 ? [`${relay}: two introduction points at ${twice.join(", ")}`] : []),
        ...(bytes > limits.bytes ? [`${relay}: ${bytes} bytes`] : []),
        ...(plain === 0 || plain % limits.padding !== 0 ? [`${relay}: a plaintext of ${plain} bytes`] : []),
      ];
    });
}
