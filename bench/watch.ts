import { join } from "node:path";
import { readNetwork, type Lab } from "../lab/lab";
import { Looking, programText } from "../lab/ownTor";
import { settledAt, type Look } from "./judge";

/** Seconds between two looks. */
const PAUSE = 0.5;
/** So many answers in a row, each of another directory, must hold the plan: the directories get a descriptor one after the other. */
const AGREE = 4;

/** Prints one look with an empty address first, as soon as it can look. */
export const WATCH_PROGRAM = join(__dirname, "watch.py");

/** watch.py with the modules that it needs, as one text. */
export const watchProgram = (): string => programText(WATCH_PROGRAM);

/** What is looked at: addresses with or without `.onion`. */
export interface Watched {
  readonly frontend: string;
  /** Every backend that may be listed. */
  readonly backends: readonly string[];
}

/** Somebody who looks at the descriptors all the time, on a host with stem; see watch.py. */
export class Watch {
  private constructor(
    private readonly looking: Looking<Look>,
    private readonly watched: Watched,
  ) {}

  /** Starts on that host of the lab. @returns when each address has been seen once @throws LabError when one is not within 2 minutes */
  static async start(lab: Lab, host: string, watched: Watched): Promise<Watch> {
    const settings = { ...watched, torrc: readNetwork(lab).torrc, pause: PAUSE };
    const looking = Looking.start<Look>(
      lab,
      { container: host, what: "The look at the descriptors", file: WATCH_PROGRAM },
      settings,
    );
    const wanted = [watched.frontend, ...watched.backends].map((address) => address.replace(/\.onion$/, ""));
    const seen = () => wanted.every((address) => looking.lines.some((look) => look.address === address));
    await looking.until("every address has been seen", () => seen() || undefined, 120);
    return new Watch(looking, watched);
  }

  /**
   * Waits until the directories hold these backends and no others.
   * @param since Unix seconds: earlier answers do not count
   * @returns when the first of the answers came that agree, Unix seconds @throws LabError when it is not so after `seconds`
   */
  published(planned: readonly string[], since: number, seconds: number): Promise<number> {
    const wanted = { frontend: this.watched.frontend, backends: this.watched.backends, planned };
    const settled = () => settledAt(this.looking.lines, wanted, since, AGREE);
    return this.looking.until(`${planned.length} backends are published`, settled, seconds);
  }

  /** Ends it, and the tor that it looked through. */
  end(): Promise<void> {
    return this.looking.end();
  }
}
