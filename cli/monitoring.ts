// npx softmap monitoring: what Prometheus and onionprobe, on a machine of the operator's, have to know of a stack.
import { isIPv6 } from "node:net";
import { stringify } from "yaml";
import type { SshConnection } from "../host/ssh";
import { CallError, called, type Exit, stackOption } from "./call";
import type { Streams } from "./check";
import type { DeployedStack } from "./desk/survey";
import { readStack, StackError } from "./stack";

const usage = `usage: npx softmap monitoring [--stack NAME] [--port PORT] [--onionprobe | --json]

Prints the machines of a stack as targets for Prometheus (file_sd_configs), each with its name and roles: they tell how they are where the
stack has softmap:monitoring. Machines that are reached through ssh alone get a port of this machine each, with the ssh command that leads there.
Asks no machine. Rules, dashboard and an example config are in monitoring/.

  --stack NAME   the stack, as pulumi takes it (default: the one that is selected)
  --port PORT    where the machines tell it, in place of what the stack says; they are asked directly then
  --onionprobe   print a config for Debian's onionprobe instead: every site, as a visitor comes to it
  --json         all of it as JSON

Exit code 1 when the stack is not monitored.`;

/** The first port of this machine that ssh leads to a machine's exporter. */
const firstForwarded = 19_552;

/** What the command reaches the world with. */
export interface Tools {
  readonly read: (stack?: string) => Promise<DeployedStack>;
}

/** A group of targets as Prometheus reads it from a file. */
export interface TargetGroup {
  readonly targets: readonly string[];
  readonly labels: Readonly<Record<"host" | "stack" | "roles", string>>;
}

/** What Prometheus is to ask. */
export interface Scrape {
  readonly groups: readonly TargetGroup[];
  /** ssh commands that have to run beside Prometheus; none where it may ask the machines themselves. */
  readonly forwards: readonly string[];
}

/** Runs the command. */
export function main(
  args: readonly string[],
  { out, err }: Streams,
  tools: Tools = { read: readStack },
): Promise<Exit> {
  const options = {
    ...stackOption,
    port: { type: "string" },
    onionprobe: { type: "boolean" },
    json: { type: "boolean" },
  } as const;
  return called(args, { out, err }, { usage, options }, async ({ values, positionals }) => {
    if (positionals.length > 0) throw new CallError(`${positionals[0]} is one word too many.`);
    if (values.onionprobe && values.json) throw new CallError("--json has the config for onionprobe in it already.");
    const port = values.port === undefined ? undefined : portOf(values.port);
    const stack = await tools.read(values.stack);
    if (values.onionprobe) {
      out(onionprobeText(stack));
      return 0;
    }
    const scrape = scrapeOf(stack, port);
    const onionprobe = onionprobeOf(stack);
    out(values.json ? JSON.stringify({ ...scrape, onionprobe }, null, 2) : targetsText(stack, scrape));
    return 0;
  });
}

function portOf(text: string): number {
  const port = Number(text);
  if (/^[0-9]{1,5}$/.test(text) && port > 0 && port < 65_536) return port;
  throw new CallError(`--port takes a number from 1 to 65535, not ${text}.`);
}

/**
 * The targets of a stack, a group for each machine.
 * @param port where they are asked directly, whatever the stack says
 * @throws {StackError} when the stack is not monitored and no port is given
 */
export function scrapeOf(stack: DeployedStack, port?: number): Scrape {
  const told = port === undefined ? stack.monitoring : { port, from: ["here"] };
  if (told === undefined || told === null) {
    const next = "set softmap:monitoring (docs/monitoring.md) and run `pulumi up`, or give the port with --port.";
    throw new StackError(`The machines of stack ${stack.stack} tell nobody how they are: it has no monitoring.`, next);
  }
  const forwards: string[] = [];
  const groups = [...stack.machines].map(([name, connection]): TargetGroup => {
    const labels = { host: name, stack: stack.stack, roles: rolesOf(stack, name) };
    if (connection === undefined) return { targets: [`127.0.0.1:${told.port}`], labels };
    if (told.from.length > 0) return { targets: [`${bracketed(connection.host)}:${told.port}`], labels };
    const own = firstForwarded + forwards.length;
    forwards.push(`ssh -N -L 127.0.0.1:${own}:127.0.0.1:${told.port} ${loginOf(connection)}`);
    return { targets: [`127.0.0.1:${own}`], labels };
  });
  return { groups, forwards };
}

const bracketed = (host: string): string => (isIPv6(host) ? `[${host}]` : host);

function rolesOf({ balancers, workers }: DeployedStack, name: string): string {
  const roles = [...(balancers.includes(name) ? ["balancer"] : []), ...(workers.includes(name) ? ["worker"] : [])];
  return roles.join(",");
}

/** How ssh is told of a machine, its jump host included; no key. */
function loginOf({ host, port, user, proxy }: SshConnection): string {
  const login = (name: string | undefined, at: string): string => (name === undefined ? at : `${name}@${at}`);
  const jump = proxy && `-J ${login(proxy.user, bracketed(proxy.host))}${portAfter(proxy.port, ":")}`;
  return [
    ...(jump === undefined ? [] : [jump]),
    ...(portAfter(port, "") === "" ? [] : [`-p ${port}`]),
    login(user, host),
  ].join(" ");
}

const portAfter = (port: number | undefined, mark: string): string =>
  port === undefined || port === 22 ? "" : `${mark}${port}`;

function targetsText({ stack }: DeployedStack, { groups, forwards }: Scrape): string {
  const head = [
    `# The machines of ${stack}, for file_sd_configs of Prometheus: monitoring/prometheus.example.yml. Made by npx softmap monitoring.`,
    ...(forwards.length > 0 ? ["# They are reached through ssh: keep these running beside Prometheus."] : []),
    ...forwards.map((each) => `#   ${each}`),
  ];
  return `${head.join("\n")}\n${stringify(groups).trimEnd()}`;
}

/** A site as onionprobe is told of it. */
interface Endpoint {
  readonly address: string;
  readonly protocol: "http";
  readonly port: 80;
  readonly paths: readonly { readonly path: string }[];
}

/** A config for Debian's onionprobe 1.0: keys of its config.py. */
export interface Onionprobe {
  readonly log_level: string;
  readonly launch_tor: boolean;
  readonly tor_address: string;
  readonly socks_port: number;
  readonly control_port: number;
  readonly loop: boolean;
  readonly prometheus_exporter: boolean;
  readonly prometheus_exporter_port: number;
  readonly interval: number;
  readonly sleep: number;
  readonly endpoints: Readonly<Record<string, Endpoint>>;
}

/** Every site by its domain. By http: onionprobe 1.0 takes a self-signed certificate for a fault. */
export function onionprobeOf({ sites }: DeployedStack): Onionprobe {
  const endpoints = sites.map(({ domain, address }): [string, Endpoint] => [
    domain,
    { address, protocol: "http", port: 80, paths: [{ path: "/" }] },
  ]);
  return {
    log_level: "info",
    launch_tor: true,
    tor_address: "127.0.0.1",
    socks_port: 19_050,
    control_port: 19_051,
    loop: true,
    prometheus_exporter: true,
    prometheus_exporter_port: 9935,
    interval: 60,
    sleep: 60,
    endpoints: Object.fromEntries(endpoints),
  };
}

function onionprobeText(stack: DeployedStack): string {
  const head = `# The sites of ${stack.stack}, for onionprobe -c. Made by npx softmap monitoring --onionprobe.`;
  return `${head}\n${stringify(onionprobeOf(stack)).trimEnd()}`;
}
