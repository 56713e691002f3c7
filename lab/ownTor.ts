import { spawn, type ChildProcessWithoutNullStreams } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { LabError } from "./errors";
import { guest } from "./image";
import { containerName, type Lab } from "./places";
import { podmanLine } from "./podman";

const host = (name: string): string => join(__dirname, "..", "host", `${name}.py`);

/** What a Python program in a container is made of besides itself, files in their order. */
const MODULES = {
  /** For one that looks: it asks a tor of its own. */
  looks: [host("control"), host("descriptors"), guest("own_tor.py")],
  /** For one that visits sites: its tors. */
  visits: [guest("client_tor.py")],
} as const;

/** A Python program of that file, with the modules that it needs, as one text. */
export function programText(program: string, kind: keyof typeof MODULES = "looks"): string {
  const text = [...MODULES[kind], program].map((file) => readFileSync(file, "utf8")).join("\n\n");
  return text.replace(/^from (?:control|descriptors|own_tor|client_tor) import .*\n/gm, "");
}

/** Which program, and where. */
interface Started {
  readonly container: string;
  readonly what: string;
  readonly file: string;
  readonly kind?: keyof typeof MODULES;
}

/** Such a program at work in a container of the lab, and every line of JSON that it has printed. */
export class Looking<Line> {
  lines: Line[] = [];
  private readonly waiting = new Set<() => void>();
  private errors = "";
  private over = false;

  private constructor(
    private readonly what: string,
    private readonly child: ChildProcessWithoutNullStreams,
  ) {
    createInterface({ input: child.stdout }).on("line", (line) => {
      this.lines.push(JSON.parse(line) as Line);
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

  /** Starts the program of that file in a container, one that looks in one with stem; `what` it is, for messages. */
  static start<Line>(lab: Lab, { container, what, file, kind }: Started, settings: object): Looking<Line> {
    // The program is an argument: by the end of its stdin it hears that we are gone.
    const [program = "", ...args] = podmanLine([
      ...["exec", "-i", containerName(lab, container), "python3", "-I", "-u", "-c"],
      ...[programText(file, kind), JSON.stringify(settings)],
    ]);
    return new Looking(what, spawn(program, args, { stdio: "pipe" }));
  }

  /** Waits until `asked`, which is called after every line, answers. @throws LabError when it does not within `seconds`, or the program has ended */
  until<T>(what: string, asked: () => T | undefined, seconds: number): Promise<T> {
    return new Promise((resolve, reject) => {
      const end = (settle: () => void) => {
        clearTimeout(timer);
        this.waiting.delete(look);
        settle();
      };
      const failed = (why: string) => {
        const said = this.errors.trim().split("\n").slice(-5).join("\n    ") || "it said nothing";
        end(() => reject(new LabError(`${this.what}: not until ${what}. ${why}\n    ${said}`, "see there")));
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

  /** Tells a program that reads its stdin something, as a line of JSON. */
  tell(command: object): void {
    this.child.stdin.write(`${JSON.stringify(command)}\n`);
  }

  /** Ends it, and its tors. */
  async end(): Promise<void> {
    this.child.stdin.end();
    await this.until("it is gone", () => this.over || undefined, 15).catch(() => this.child.kill("SIGKILL"));
  }

  private wake(): void {
    for (const look of [...this.waiting]) look();
  }
}
