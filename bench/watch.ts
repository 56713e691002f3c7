import { spawn, type ChildProcessWithoutNullStreams } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { containerName, LabError, readNetwork, type Lab } from "../lab/lab";
import { podmanLine } from "../lab/podman";
import { settledAt, type Look } from "./judge";

/** Seconds between two looks. */
const PAUSE = 0.5;
/** So many answers in a row, each of another directory, must hold the plan: the directories get a descriptor one after the other. */
const AGREE = 4;

/** watch.py with the host's modules that it needs, as one text. */
export function watchProgram(): string {
  const host = join(__dirname, "..", "host");
  const files = [join(host, "control.py"), join(host, "descriptors.py"), join(__dirname, "watch.py")];
  const text = files.map((file) => readFileSync(file, "utf8")).join("\n\n");
  return text.replace(/^from (?:control|descriptors) import .*\n/gm, "");
}

/** What is looked at: addresses with or without `.onion`. */
export interface Watched {
  readonly frontend: string;
  /** Every backend that may be listed. */
  readonly backends: readonly string[];
}

/** Somebody who looks at the descriptors all the time, on a host with stem; see watch.py. */
export class Watch {
  private readonly looks: Look[] = [];
  private readonly waiting = new Set<() => void>();
  private errors = "";
  private over = false;

  private constructor(
    private readonly child: ChildProcessWithoutNullStreams,
    private readonly watched: Watched,
  ) {
    createInterface({ input: child.stdout }).on("line", (line) => {
      this.looks.push(JSON.parse(line) as Look);
      this.wake();
    });
    child.stderr.setEncoding("utf8").on("data", (text: string) => (this.errors = (this.errors + text).slice(-4000)));
    child.stdin.on("error", () => undefined); // it has ended: "close" says so
    child.on("error", (error) => (this.errors += error.message));
    child.on("close", () => {
      this.over = true;
      this.wake();
    });
  }

  /** Starts on that host of the lab. @returns when each address has been seen once @throws LabError when one is not within 2 minutes */
  static async start(lab: Lab, host: string, watched: Watched): Promise<Watch> {
    // The program is an argument: by the end of its stdin it hears that we are gone.
    const settings = JSON.stringify({ ...watched, torrc: readNetwork(lab).torrc, pause: PAUSE });
    const [program = "", ...args] = podmanLine([
      ...["exec", "-i", containerName(lab, host), "python3", "-I", "-u", "-c", watchProgram(), settings],
    ]);
    const watch = new Watch(spawn(program, args, { stdio: "pipe" }), watched);
    const wanted = [watched.frontend, ...watched.backends].map((address) => address.replace(/\.onion$/, ""));
    const seen = () => wanted.every((address) => watch.looks.some((look) => look.address === address));
    await watch.until("every address has been seen", () => seen() || undefined, 120);
    return watch;
  }

  /**
   * Waits until the directories hold these backends and no others.
   * @param since Unix seconds: earlier answers do not count
   * @returns when the first of the answers came that agree, Unix seconds @throws LabError when it is not so after `seconds`
   */
  published(planned: readonly string[], since: number, seconds: number): Promise<number> {
    const wanted = { frontend: this.watched.frontend, backends: this.watched.backends, planned };
    return this.until(
      `${planned.length} backends are published`,
      () => settledAt(this.looks, wanted, since, AGREE),
      seconds,
    );
  }

  /** Ends it, and the tor that it looked through. */
  async end(): Promise<void> {
    this.child.stdin.end();
    await this.until("it is gone", () => this.over || undefined, 15).catch(() => this.child.kill("SIGKILL"));
  }

  private wake(): void {
    for (const look of [...this.waiting]) look();
  }

  private until<T>(what: string, asked: () => T | undefined, seconds: number): Promise<T> {
    return new Promise((resolve, reject) => {
      const end = (settle: () => void) => {
        clearTimeout(timer);
        this.waiting.delete(look);
        settle();
      };
      const failed = (why: string) => {
        const said = this.errors.trim().split("\n").slice(-5).join("\n    ") || "it said nothing";
        end(() =>
          reject(new LabError(`The look at the descriptors: not until ${what}. ${why}\n    ${said}`, "see there")),
        );
      };
      const look = () => {
        const found = asked();
        if (found !== undefined) end(() => resolve(found));
        else if (this.over) failed("It ended.");
      };
      const timer = setTimeout(() => failed(`${seconds} s are over.`), seconds * 1000);
      this.waiting.add(look);
      look();
    });
  }
}
