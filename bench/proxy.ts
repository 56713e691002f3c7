/** `npm run bench:proxy`: our rewriting nginx beside plain proxy_pass and subs_filter. See README.md. */
import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { cpus, loadavg, tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { ensureDerivedImage } from "../lab/derivedImage";
import { podman, stopwatch } from "../lab/lab";
import { podmanLine } from "../lab/podman";
import { nginxSocketDir, nginxStateDir, workerFiles } from "../plan/names";
import { releaseOf } from "../tests/proxy/release";
import { benchOptions } from "./options";
import { besideConfig, besides, KEPT, originConfig, REGEX, REGEX_VARIABLE, VARIABLE, type Named } from "./proxyConfigs";
import { csv, goalLine, proxyTable, wrkFigures, type Point } from "./proxyFigures";
import { memoryOf, memoryScript, memoryTable, type Memory } from "./proxyMemory";
import { LONG, longPages, page, pages, type Page } from "./proxyPages";

/** The folder of this run, inside the container. */
const SHARED = "/media/bench";
const CONTAINER = `softmap-benchproxy-${process.pid}`;
const IMAGE = { name: "bench", packages: ["wrk", "libnginx-mod-http-subs-filter"] };
/** Seconds: one point; one with a page of 10 MB; the same of who is slow with it; the downloads of 100 MB. */
const SECONDS = { point: 1, long: 2, slow: 5, memory: 45 };
const CONNECTIONS = 8;
const READERS = 200;

const domains = ["www.example.org", "shop.example.org"].concat(
  Array.from({ length: 18 }, (_, n) => `site${String(n).padStart(2, "0")}.example.net`),
);
const names = domains.map((domain, n): Named => [domain, `${String.fromCharCode(97 + n).repeat(55)}d.onion`]);
const host = names[0]?.[1] ?? "";
const ours = [1, names.length].map((sites) => {
  return { name: `softmap, ${sites}`, project: `sites${sites}`, sites, port: 8000 + sites, slow: false };
});
const beside = besides(names);
const all = [...beside, ...ours];
const most = `softmap, ${names.length}`;
const goals = (["100k", "100k-few"] as const).flatMap((page) => [
  ...[KEPT, VARIABLE].map((than) => ({ page, who: most, than, times: 0.4 })),
  ...[REGEX, REGEX_VARIABLE].map((than) => ({ page, who: most, than: `${than}, ${names.length}`, times: 10 })),
]);

const say = stopwatch();
const load = (): number => loadavg()[0] ?? 0;
const shell = async (script: string): Promise<string> => {
  return (await podman(["exec", CONTAINER, "sh", "-c", script])).text;
};
const url = (port: number, file: string): string => `http://127.0.0.1:${port}/${file}.html`;
const get = (port: number, file: string): string => `curl -sf -H 'Host: ${host}' ${url(port, file)}`;

/** Pages and configs: ours are a worker's files, on a TCP port (wrk speaks to no unix socket), host.conf apart. */
async function writeFiles(folder: string): Promise<void> {
  const put = (path: string, text: string): void => {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), text);
  };
  for (const name of pages) put(`www/${name}.html`, page(name, domains));
  put("origin.conf", originConfig(SHARED));
  put("beside.conf", besideConfig(beside));
  const resolver = "resolver 127.0.0.1:5353 ipv6=off;";
  for (const { project, sites, port } of ours) {
    const given = names.slice(0, sites).map(([domain, onion]) => ({ domain, onion }));
    for (const { path, text } of await releaseOf({ project, sites: given, nginxWorkers: 1 }))
      put(`${project}/${path}`, text);
    put(`${project}/${workerFiles.nginxListen(project, "http")}`, `listen 127.0.0.1:${port};\n`);
    const marker = 'map $server_addr $softmap_release { default "bench"; }';
    put(`${project}/nginx/host.conf`, `${resolver} keepalive_requests 1000000; ${marker}\n`);
  }
}

/** The origin, its certificate, a resolver for its name, and everybody who is measured. */
function startScript(): string {
  const subject = "-subj /CN=bench -addext subjectAltName=DNS:*.example.org,DNS:*.example.net";
  const certificate = "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -noenc -days 9";
  const local = "--port=5353 --listen-address=127.0.0.1 --bind-interfaces --address=/#/127.0.0.1";
  return [
    `cd ${SHARED}`,
    `(cd www && ${longPages})`,
    `${certificate} ${subject} -keyout origin.key -out origin.crt`,
    "cat origin.crt >>/etc/ssl/certs/ca-certificates.crt",
    `dnsmasq --no-resolv --no-hosts ${local}`,
    `nginx -c ${SHARED}/origin.conf`,
    `nginx -c ${SHARED}/beside.conf`,
    ...ours.flatMap(({ project }) => [
      `mkdir -p ${nginxSocketDir(project)} ${nginxStateDir(project)}`,
      `nginx -e stderr -g 'daemon off;' -p ${SHARED}/${project}/nginx/ -c ${SHARED}/${project}/${workerFiles.nginx(project)} &`,
    ]),
    "sleep 2",
  ].join("\n");
}

/** Everybody rewrites what they are said to rewrite, and nothing else. @throws Error that names who does not */
async function prove(): Promise<void> {
  for (const { name, port, sites } of all) {
    const text = await shell(get(port, "100k"));
    const left = domains.filter((domain) => text.includes(`//${domain}/`)).length;
    const onions = names.filter(([, onion]) => text.includes(`//${onion}/`)).length;
    if (onions !== sites || left !== domains.length - sites)
      throw new Error(`${name}: ${onions} onions and ${left} domains in the page, not ${sites} and the rest`);
  }
}

/** One request comes before the clock, so that who keeps connections to the origin has one, or knows its address. */
async function wrk(at: { port: number; page: Page }, connections: number, seconds: number) {
  const clients = `-t1 -c${connections} -d${seconds} --timeout 60 --latency`;
  const work = `wrk ${clients} -H 'Host: ${host}' ${url(at.port, at.page)}`;
  return wrkFigures(await shell(`${get(at.port, at.page)} >/dev/null && ${work}`));
}

/** One point; the page of 10 MB with one connection alone: more would not all have ended a page in time. */
async function measured(at: { port: number; page: Page; slow: boolean }) {
  if (at.page === "10m") return { connections: 1, ...(await wrk(at, 1, at.slow ? SECONDS.slow : SECONDS.long)) };
  const { perSecond } = await wrk(at, CONNECTIONS, SECONDS.point);
  const { latency } = await wrk(at, 1, SECONDS.point);
  return { connections: CONNECTIONS, perSecond, latency };
}

async function measure(round: number, add: (point: Point) => void): Promise<void> {
  for (const page of pages)
    for (const { name, port, slow } of all) {
      if (page === "10m" && slow && round > 1) continue;
      try {
        add({ round, page, contestant: name, load: load(), ...(await measured({ port, page, slow })) });
      } catch (error) {
        // on a busy machine one point may have no answer in its time: the others are still worth something
        say(`round ${round}, ${page}, ${name} has no figure: ${String(error)}`);
      }
    }
}

async function remember(add: (memory: Memory) => void): Promise<void> {
  const { project, port } = ours[1] ?? { project: "", port: 0 };
  for (const [file, what] of Object.entries(LONG)) {
    // the brackets keep the shell that looks from finding itself
    const master = `[m]aster process.*/${project}/nginx`;
    const downloads = { master, url: url(port, file), host, readers: READERS, seconds: SECONDS.memory };
    add(memoryOf(what, await shell(memoryScript(downloads))));
    say(`memory, ${what}, load ${load().toFixed(1)}`);
  }
}

function report(points: readonly Point[], memories: readonly Memory[]): void {
  const loads = points.map((point) => point.load);
  console.log(`${cpus()[0]?.model ?? "?"}, ${cpus().length} cores`);
  console.log(`load average ${Math.min(...loads).toFixed(1)} to ${Math.max(...loads).toFixed(1)}\n`);
  console.log(`${proxyTable(points, KEPT)}\n`);
  for (const goal of goals) console.log(`- ${goalLine(points, goal)}`);
  console.log(`\n${memoryTable(memories)}`);
}

async function main(args: readonly string[]): Promise<void> {
  const { rounds, file } = benchOptions({ command: "bench:proxy", file: "--csv" }, args);
  const image = await ensureDerivedImage(IMAGE, say);
  const folder = mkdtempSync(join(tmpdir(), "softmap-bench-"));
  const end = (): void => {
    const [program = "", ...args] = podmanLine(["rm", "-f", "-i", "-t", "0", CONTAINER]);
    spawnSync(program, args, { stdio: "ignore" });
    rmSync(folder, { recursive: true, force: true });
  };
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const)
    process.once(signal, () => {
      end();
      process.exit(130);
    });
  const points: Point[] = [];
  const memories: Memory[] = [];
  try {
    await writeFiles(folder);
    const named = ["--name", CONTAINER, "--network", "none", "--pull=never", "--systemd=false"];
    await podman(["run", "-d", ...named, "-v", `${folder}:${SHARED}`, image, "sleep", "infinity"]);
    await shell(`( ${startScript()} ) >/tmp/log 2>&1 </dev/null`);
    await prove();
    say(`everybody rewrites as they should; ${rounds} rounds begin, load ${load().toFixed(1)}`);
    for (let round = 1; round <= rounds; round++) {
      await measure(round, (point) => points.push(point));
      say(`round ${round}, load ${load().toFixed(1)}`);
    }
    await remember((memory) => memories.push(memory));
    const packages = "nginx libnginx-mod-http-lua libnginx-mod-http-subs-filter";
    console.log(await shell(`dpkg-query -W -f '\${Package} \${Version}\\n' ${packages}; tail -5 /tmp/log >&2`));
  } finally {
    // What was measured before a failure is measured.
    if (points.length > 0) report(points, memories);
    if (file !== undefined) writeFileSync(file, csv(points));
    end();
  }
}

main(process.argv.slice(2)).catch((error: unknown) => {
  console.error(`\nThe benchmark failed: ${error instanceof Error ? error.message : String(error)}`);
  process.exitCode = 1;
});
