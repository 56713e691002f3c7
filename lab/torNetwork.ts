import { copyFileSync, existsSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { LabError } from "./errors";
import { guest } from "./image";
import { addresses, containerName, DEFAULT_RELAYS, type Lab, type LabState } from "./places";
import { containerLabel, containerState, podman } from "./podman";
import { placeSeed, SEED } from "./seeds";
import { runService } from "./services";

const HOME = "/var/lib/lab-tor";

/** Label of the network's container: how many relays it was made with. */
const RELAYS = "softmap.relays";

/**
 * The lab's private Tor network: three authorities, relays and a client in one container. A network that does not run, or has another number of
 * relays, is thrown away and made anew: after a restart its old files pass for a working network, and do not make one.
 * @returns the torrc lines that every other tor of the lab needs, and whether the network is a new one
 */
export async function ensureTorNetwork(
  lab: Lab,
  state: LabState,
  image: string,
): Promise<{ torrc: string[]; fresh: boolean }> {
  const name = containerName(lab, "tor");
  const address = addresses(state).tor;
  const relays = String(state.relays ?? DEFAULT_RELAYS);
  const runs = (await containerState(name)) === "running" && (await containerLabel(name, RELAYS)) === relays;
  if (runs && (await isReady(name))) return { torrc: await torrcLines(name), fresh: false };
  await podman(["rm", "-f", "-t", "0", name], { mayFail: true });
  const keys = join(lab.dir, "tor", `keys-${address}-${relays}.tar`);
  await placeSeed(lab, "tor", (folder) => {
    copyFileSync(guest("tor_network.py"), join(folder, "tor_network.py"));
    if (existsSync(keys)) copyFileSync(keys, join(folder, "keys.tar"));
  });
  const command = [image, "python3", `${SEED}/tor_network.py`, address, relays];
  await runService(lab, { role: "tor", address, labels: [`${RELAYS}=${relays}`], command });
  // ends as soon as the network is ready, or with the container
  const ready = await podman(["exec", name, "sh", "-c", `until [ -e ${HOME}/ready ]; do sleep .1; done`], {
    mayFail: true,
    timeout: 300_000,
  });
  if (ready.code !== 0) {
    const log = (await podman(["logs", name], { mayFail: true })).text;
    throw new LabError(
      `The private Tor network did not start:\n    ${log.split("\n").slice(-8).join("\n    ")}`,
      "run `npm run lab -- up` again: it makes the network anew",
    );
  }
  mkdirSync(join(lab.dir, "tor"), { recursive: true, mode: 0o700 });
  writeFileSync(keys, (await podman(["exec", name, "cat", `${HOME}/keys.tar`])).stdout, { mode: 0o600 });
  return { torrc: await torrcLines(name), fresh: true };
}

async function isReady(name: string): Promise<boolean> {
  return (await podman(["exec", name, "test", "-e", `${HOME}/ready`], { mayFail: true })).code === 0;
}

async function torrcLines(name: string): Promise<string[]> {
  return (await podman(["exec", name, "cat", `${HOME}/common.conf`])).text.split("\n").filter(Boolean);
}

/** `HOST:PORT` of the lab's Tor client, inside its container. A user of its own is a circuit of its own (torrc: IsolateSOCKSAuth). */
export async function clientSocks(lab: Lab): Promise<string> {
  const script = `sed -n 's/^SocksPort //p' ${HOME}/client/torrc`;
  return (await podman(["exec", containerName(lab, "tor"), "sh", "-c", script])).text.trim();
}

/** What to fetch, and how. */
export interface FetchOptions {
  /** Seconds for the whole fetch; 30 when absent. */
  readonly timeout?: number;
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
  /** Drops the client's descriptors and circuits first (NEWNYM): a client keeps a frontend's old descriptor for hours. tor allows one in ten seconds. */
  readonly fresh?: boolean;
}

/** What came back. */
export interface Fetched {
  /** 0 when no answer came: then `error` says why. */
  readonly status: number;
  readonly error?: string;
  /** Names in lower case; the values of a header that came several times are joined with `, `. */
  readonly headers: Readonly<Record<string, string>>;
  /** Each Set-Cookie by itself: they cannot be joined. */
  readonly cookies: readonly string[];
  readonly body: string;
  readonly seconds: number;
  /** Of https: what the site showed, in PEM, its own certificate first. */
  readonly certificates?: string;
}

/** Fetches a URL through the lab's Tor client, on a circuit of its own. Whoever asks by https looks at the certificate: an onion's needs no authority. No answer is an answer too (`error`): an onion may need a second try. @throws LabError when the lab has no Tor network */
export async function fetchThroughTor(lab: Lab, url: string, options: FetchOptions = {}): Promise<Fetched> {
  const name = containerName(lab, "tor");
  if ((await containerState(name)) !== "running")
    throw new LabError(
      `The Tor network of lab "${lab.name}" does not run.`,
      `run \`npm run lab -- --name ${lab.name} up\``,
    );
  if (options.fresh) await newIdentity(lab);
  const { timeout = 30, method, headers = {}, body } = options;
  const user = `lab${Math.random().toString(36).slice(2)}`; // own SOCKS user, own circuit (torrc: IsolateSOCKSAuth)
  const address = await clientSocks(lab);
  const args = [
    "curl",
    "-sS",
    "-i",
    "--max-time",
    String(timeout),
    "--socks5-hostname",
    `${user}:x@${address}`,
    "-w",
    "%{stderr}%{http_code} %{time_total}\n%{certs}",
    "--insecure",
  ];
  if (method) args.push("-X", method);
  if (method === "HEAD") args.push("--head");
  for (const [header, value] of Object.entries(headers)) args.push("-H", `${header}: ${value}`);
  if (body !== undefined) args.push("--data-binary", "@-");
  const started = performance.now();
  const ran = await podman(["exec", "-i", name, ...args, url], { mayFail: true, input: body ?? "" });
  if (ran.code !== 0) {
    const reason =
      ran.stderr
        .split("\n")
        .find((line) => line.startsWith("curl:"))
        ?.replace(/^curl: /, "") ?? ran.stderr.trim();
    return {
      status: 0,
      error: reason,
      headers: {},
      cookies: [],
      body: "",
      seconds: (performance.now() - started) / 1000,
    };
  }
  const [, status = "0", seconds = "0"] = /^(\d{3}) ([\d.]+)$/m.exec(ran.stderr) ?? [];
  const certificates = ran.stderr.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----\n?/g)?.join("");
  const shown = certificates === undefined ? {} : { certificates };
  return { status: Number(status), seconds: Number(seconds), ...shown, ...parseAnswer(ran.stdout) };
}

/** Head and body of a raw answer. */
export function parseAnswer(raw: Buffer): { headers: Record<string, string>; cookies: string[]; body: string } {
  const end = raw.indexOf("\r\n\r\n");
  const head = raw.subarray(0, end < 0 ? raw.length : end).toString("latin1");
  const headers: Record<string, string> = {};
  const cookies: string[] = [];
  for (const line of head.split("\r\n").slice(1)) {
    const colon = line.indexOf(":");
    if (colon < 1) continue;
    const name = line.slice(0, colon).toLowerCase();
    const value = line.slice(colon + 1).trim();
    if (name === "set-cookie") cookies.push(value);
    else headers[name] = headers[name] === undefined ? value : `${headers[name]}, ${value}`;
  }
  return { headers, cookies, body: end < 0 ? "" : raw.subarray(end + 4).toString("utf8") };
}

const NEWNYM = `
import stem.control
with stem.control.Controller.from_socket_file("${HOME}/client/control") as control:
    control.authenticate()
    control.signal("NEWNYM")
`;

/** Makes the lab's Tor client forget descriptors and circuits. */
export async function newIdentity(lab: Lab): Promise<void> {
  await podman(["exec", containerName(lab, "tor"), "python3", "-c", NEWNYM]);
}
