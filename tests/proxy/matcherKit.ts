/** The real matcher in the LuaJIT of the hosts' nginx, in a container without a network. */
import { spawn, type ChildProcess } from "node:child_process";
import { chmodSync, cpSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ensureLabImage } from "../../lab/image";
import { podman, podmanLine } from "../../lab/podman";
import { silent } from "../../lab/progress";
import type { Rules } from "./reference";

const SHARED = "/media/kit";

export class LuaMatcher {
  private waiting: { resolve: (strings: string[]) => void; reject: (error: Error) => void }[] = [];
  private received = Buffer.alloc(0);
  private errors = "";
  private stopped = false;

  private constructor(
    private readonly container: string,
    private readonly folder: string,
    private readonly child: ChildProcess,
  ) {
    child.stdout?.on("data", (chunk: Buffer) => this.take(chunk));
    child.stderr?.on("data", (chunk: Buffer) => (this.errors += chunk.toString()));
    child.stdin?.on("error", () => undefined); // it has ended: "close" says why
    child.on("close", (code) => {
      const error = new Error(`the Lua runner ended with ${code}: ${this.errors}`);
      for (const { reject } of this.waiting.splice(0)) reject(error);
    });
  }

  static async start(): Promise<LuaMatcher> {
    const image = await ensureLabImage(silent);
    const folder = mkdtempSync(join(tmpdir(), "softmap-matcher-"));
    chmodSync(folder, 0o755);
    for (const file of ["luajit.py", "matcherRunner.lua"]) cpSync(join(__dirname, file), join(folder, file));
    cpSync(join(__dirname, "../../proxy/softmap"), join(folder, "softmap"), { recursive: true });
    const container = `softmap-matcher-${process.pid}`;
    const named = ["--name", container, "--network", "none", "--pull=never", "--systemd=false", "--init=false"];
    const command = ["python3", `${SHARED}/luajit.py`, `${SHARED}/matcherRunner.lua`, SHARED];
    const line = podmanLine(["run", "-i", "--rm", ...named, "-v", `${folder}:${SHARED}:ro`, image, ...command]);
    const [program = "", ...args] = line;
    return new LuaMatcher(container, folder, spawn(program, args, { stdio: "pipe" }));
  }

  async stop(): Promise<void> {
    if (this.stopped) return;
    this.stopped = true;
    this.child.stdin?.end();
    await podman(["rm", "-f", "-t", "1", this.container], { mayFail: true });
    rmSync(this.folder, { recursive: true, force: true });
  }

  /** Runs Lua that gives back strings or numbers; `kit` and `matcher` are its arguments. */
  lua(source: string): Promise<string[]> {
    const bytes = Buffer.from(`local kit, matcher = ...\n${source}`, "latin1");
    return new Promise((resolve, reject) => {
      this.waiting.push({ resolve, reject });
      this.child.stdin?.write(Buffer.concat([Buffer.from(`${bytes.length}\n`), bytes]));
    });
  }

  /** The whole text at once. */
  async all(rules: Rules, text: string, html: boolean): Promise<string> {
    const [out = ""] = await this.lua(`return ${compiled(rules)}:all(${quote(text)}, ${html})`);
    return out;
  }

  /** What comes out for each chunk, and at the end. */
  feed(rules: Rules, chunks: readonly string[], html: boolean): Promise<string[]> {
    return this.lua(`return unpack(kit.feed(${compiled(rules)}, ${html}, {${chunks.map(quote).join(",")}}))`);
  }

  /** All of the text for each way to cut it: the sizes of the chunks, over and over. */
  cut(rules: Rules, text: string, html: boolean, ways: readonly (readonly number[])[]): Promise<string[]> {
    const outs = ways.map((sizes) => `table.concat(kit.feed(m, ${html}, kit.cut(text, {${sizes.join(",")}})))`);
    return this.lua(`local m, text = ${compiled(rules)}, ${quote(text)}\nreturn ${outs.join(", ")}`);
  }

  private take(chunk: Buffer): void {
    this.received = Buffer.concat([this.received, chunk]);
    for (;;) {
      const line = this.received.indexOf("\n");
      if (line < 0) return;
      const end = line + 1 + Number(this.received.subarray(0, line).toString());
      if (this.received.length < end) return;
      const reply = this.received.subarray(line + 1, end).toString("latin1");
      this.received = this.received.subarray(end);
      this.waiting.shift()?.resolve(strings(reply));
    }
  }
}

function strings(reply: string): string[] {
  const found: string[] = [];
  for (let at = 0; at < reply.length;) {
    const colon = reply.indexOf(":", at);
    const end = colon + 1 + Number(reply.slice(at, colon));
    found.push(reply.slice(colon + 1, end));
    at = end;
  }
  return found;
}

/** A text of bytes as Lua. */
export function quote(text: string): string {
  return `"${text.replace(/[^A-Za-z0-9 ./:@%-]/g, (char) => `\\${String(char.charCodeAt(0)).padStart(3, "0")}`)}"`;
}

const pair = ({ from, to, scheme }: { from: string; to: string; scheme?: string }) =>
  `{from=${quote(from)},to=${quote(to)}${scheme ? `,scheme=${quote(scheme)}` : ""}}`;

/** Rules as a Lua table. */
export function luaRules({ hosts = [], keep = [], texts = [], emails = false }: Rules): string {
  return `{hosts={${hosts.map(pair).join(",")}},keep={${keep.map(quote).join(",")}},texts={${texts.map(pair).join(",")}},emails=${emails}}`;
}

function compiled(rules: Rules): string {
  const table = luaRules(rules);
  return `kit.matcher(${quote(table)}, function() return ${table} end)`;
}
