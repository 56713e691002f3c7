/**
 * The real nginx with what the real templates render, in a container without a network: DNS and the origins' TLS are inside with it, the
 * sockets that tor would speak to are in a folder that the tests share, and what an origin answers is said here.
 */
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, dirname, join } from "node:path";
import { ensureLabImage, podman } from "../../lab/lab";
import { silent } from "../../lab/progress";
import {
  nginxHealthSocket,
  nginxSocket,
  nginxSocketDir,
  nginxStateDir,
  workerFiles,
  type NginxSocketKind,
} from "../../plan/names";
import { Wire, type WireOptions } from "./client";
import type { Response } from "./http";
import { Origin } from "./origin";
import { releaseOf, type ProxySettings } from "./release";

/** Where the container has the shared folder. */
const SHARED = "/media/kit";
/** nginx's user: as on a worker no root. */
const USER = "www-data";

/** A container with its network and origins. Any number of proxies run in it. */
export class Rig {
  private constructor(
    readonly container: string,
    readonly folder: string,
    readonly origin: Origin,
  ) {}

  /**
   * @param name becomes a part of the container's name
   * @param domains what the DNS knows; below each, `refused.`, `plaintext.`, `silent.` and `nodns.` have no origin, `wrongname.`, `expired.`,
   * `selfsigned.` and `otherca.` one with such a certificate
   */
  static async start(name: string, domains: readonly string[]): Promise<Rig> {
    const image = await ensureLabImage(silent);
    const folder = mkdtempSync(join(tmpdir(), "softmap-proxy-"));
    chmodSync(folder, 0o755);
    for (const each of ["run", "state", "log", "release"]) mkdirSync(join(folder, each));
    writeFileSync(join(folder, "origin.py"), readFileSync(join(__dirname, "origin.py")));
    const origin = await Origin.listen(join(folder, "origin.sock"));
    const container = `softmap-${name}-${process.pid}`;
    const rig = new Rig(container, folder, origin);
    try {
      await rig.boot(image, domains);
      return rig;
    } catch (error) {
      await rig.stop();
      throw error;
    }
  }

  private async boot(image: string, domains: readonly string[]): Promise<void> {
    const mounts = [
      `${this.folder}:${SHARED}`,
      `${join(this.folder, "run")}:${dirname(nginxSocketDir("x"))}`,
      `${join(this.folder, "state")}:${dirname(nginxStateDir("x"))}`,
    ];
    const shared = mounts.flatMap((mount) => ["-v", mount]);
    const command = ["python3", `${SHARED}/origin.py`, SHARED, ...domains];
    const named = ["--name", this.container, "--network", "none", "--pull=never", "--systemd=false", "--init=false"];
    await podman(["run", "-d", ...named, ...shared, image, ...command]);
    await this.waitFor("the origin", async () => readable(join(this.folder, "ready")) !== undefined);
  }

  /** Runs a command in the container. */
  async run(...command: readonly string[]): Promise<string> {
    return (await podman(["exec", this.container, ...command])).text;
  }

  /** A proxy for one project, answering. Where one was killed it is started anew. */
  async startProxy(settings: ProxySettings): Promise<Proxy> {
    const { project } = settings;
    await this.place(settings, project);
    const inside = `${SHARED}/release/${project}`;
    const sockets = nginxSocketDir(project);
    const own = [sockets, nginxStateDir(project)].join(" ");
    const nginx = `nginx -e stderr -g 'daemon off;' -p ${inside}/nginx/ -c ${inside}/${workerFiles.nginx(project)}`;
    const as = `setpriv --reuid=${USER} --regid=${USER} --clear-groups`;
    // As the unit does it, with the sockets of a killed nginx removed before.
    const prepared = `mkdir -p ${own} && chown -R ${USER} ${own} && find ${sockets} -type s -delete`;
    const script = `${prepared} && exec ${as} ${nginx} 2>>${SHARED}/log/${project}`;
    await podman(["exec", "-d", this.container, "sh", "-c", script]);
    const proxy = new Proxy(this, project);
    await this.waitFor(`nginx of ${project}`, () => proxy.answers(project));
    return proxy;
  }

  /** Gives a running proxy other settings, as a release does: its health socket must then name the marker. */
  async reload(settings: ProxySettings, marker: string): Promise<void> {
    const { project } = settings;
    await this.place(settings, marker);
    await this.run("sh", "-c", `kill -HUP $(cat ${pidFile(project)})`);
    await this.waitFor(`nginx of ${project}, reloaded,`, () => new Proxy(this, project).answers(marker));
  }

  /** Ends a proxy as a crash does: its sockets stay behind. One of its processes may just have ended by itself. */
  async kill(project: string): Promise<void> {
    await this.run("sh", "-c", `main=$(cat ${pidFile(project)}); kill -9 $main $(pgrep -P $main) || true`);
  }

  /** Writes a release, and the keys beside it. */
  private async place(settings: ProxySettings, marker: string): Promise<void> {
    const { project } = settings;
    const release = join(this.folder, "release", project);
    const facts = "resolver 127.0.0.1 valid=30s ipv6=off;\n";
    const rows = `    default "";\n    "unix:${nginxHealthSocket(project)}" "${marker}";\n`;
    const hostConf = `${facts}map $server_addr $softmap_release {\n${rows}}\n`;
    const files = [...(await releaseOf(this.withShared(settings))), { path: "nginx/host.conf", text: hostConf }];
    for (const { path, text } of files) {
      const own = path.startsWith(nginxStateDir(project));
      const file = own
        ? join(this.folder, "state", project, path.slice(nginxStateDir(project).length))
        : join(release, path);
      mkdirSync(dirname(file), { recursive: true });
      writeFileSync(file, text);
    }
  }

  /** Settings whose texts are, as a whole, the contents of files that the container made. */
  private withShared(settings: ProxySettings): ProxySettings {
    const text = JSON.stringify(settings, (_, value: unknown) =>
      typeof value === "string" && value.startsWith("shared:")
        ? readFileSync(join(this.folder, value.slice("shared:".length)), "utf8")
        : value,
    );
    return JSON.parse(text) as ProxySettings;
  }

  /** What a proxy has said so far. */
  log(project: string): string {
    return readable(join(this.folder, "log", project)) ?? "";
  }

  private async waitFor(what: string, done: () => Promise<boolean>): Promise<void> {
    const late = Date.now() + 20_000;
    while (!(await done())) {
      if (Date.now() > late) {
        const said = await podman(["logs", this.container], { mayFail: true });
        const logs = await podman(["exec", this.container, "sh", "-c", `tail -n 20 ${SHARED}/log/*`], {
          mayFail: true,
        });
        throw new Error(`${what} does not answer.\n${said.text}${said.stderr}\n${logs.text}`);
      }
      await new Promise((soon) => setTimeout(soon, 20));
    }
  }

  async stop(): Promise<void> {
    await podman(["rm", "-f", "-t", "0", this.container], { mayFail: true });
    await this.origin.close();
    rmSync(this.folder, { recursive: true, force: true });
  }
}

/** The nginx of one project. */
export class Proxy {
  constructor(
    private readonly rig: Rig,
    readonly project: string,
  ) {}

  /** Path of a daemon's socket on this machine. */
  socket(kind: NginxSocketKind, daemon = 1): string {
    return join(this.rig.folder, "run", this.project, basename(nginxSocket(this.project, daemon, kind)));
  }

  open(kind: NginxSocketKind, options: WireOptions & { readonly daemon?: number } = {}): Promise<Wire> {
    return Wire.open(this.socket(kind, options.daemon), options);
  }

  /** Sends these bytes on a connection of their own and reads the answer. */
  async request(
    kind: NginxSocketKind,
    bytes: string | Buffer,
    options: WireOptions & { readonly daemon?: number } = {},
  ): Promise<Response> {
    const wire = await this.open(kind, options);
    try {
      wire.write(bytes);
      return await wire.response(/^[^ ]*/.exec(bytes.toString("latin1", 0, 20))?.[0] ?? "GET");
    } finally {
      wire.close();
    }
  }

  /** Whether it serves this release: the answer on its health socket names it. */
  async answers(marker: string): Promise<boolean> {
    try {
      const wire = await Wire.open(join(this.rig.folder, "run", this.project, "health.sock"));
      wire.write("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
      const { body } = await wire.response("GET");
      wire.close();
      return body.toString() === marker;
    } catch {
      return false;
    }
  }

  errorLog(): string {
    return this.rig.log(this.project);
  }

  /** Resident memory of its workers together, in bytes. */
  async memory(): Promise<number> {
    const script = `grep -h VmRSS $(pgrep -P $(cat ${pidFile(this.project)}) | sed 's,.*,/proc/&/status,')`;
    const rows = await this.rig.run("sh", "-c", script);
    return [...rows.matchAll(/(\d+) kB/g)].reduce((sum, [, kb]) => sum + Number(kb) * 1024, 0);
  }
}

function pidFile(project: string): string {
  return `${nginxSocketDir(project)}/nginx.pid`;
}

function readable(file: string): string | undefined {
  try {
    return readFileSync(file, "utf8");
  } catch {
    return undefined;
  }
}
