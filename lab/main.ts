import { spawn } from "node:child_process";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { ensureEngine } from "./engine/engine";
import { DEV_STACK, shellExports, stackEnvironment } from "./environment";
import { LabError } from "./errors";
import { hostDown, hostInfo, hostShow, hostUp, knownHosts } from "./hosts";
import { labDown, labUp } from "./upDown";
import { labNamed, stateOf, writeWhole, type Lab } from "./places";
import { stopwatch } from "./progress";
import { ensureStack } from "./pulumi";
import { labStatus, statusTable } from "./status";
import { fetchThroughTor } from "./torNetwork";

const USAGE = `npm run lab -- [--name NAME] COMMAND

  up [--domains A,B]     start the lab, or mend what of it does not run
  down [--keep]          remove everything the lab made (--keep: keep its keys and the stack's state)
  status [--json]        hosts, addresses, memory, Tor network, egress lock
  ssh HOST [COMMAND]     a shell, or one command, on a host
  fetch [--fresh] [--timeout SECONDS] [--header "NAME: VALUE"] URL
                         through the lab's Tor client: status, seconds, body (--fresh: with new descriptors)
  env                    shell lines for the dev stack: eval "$(npm run -s lab -- env)"
  host up|show|down NAME one host; up and show print a JSON line (show: exit code 3 when there is none)

The default NAME is dev, or SOFTMAP_LAB of the environment.`;

const print = (text: string) => process.stdout.write(text.endsWith("\n") ? text : `${text}\n`);

const OPTIONS = {
  name: { type: "string" },
  domains: { type: "string" },
  keep: { type: "boolean" },
  json: { type: "boolean" },
  fresh: { type: "boolean" },
  timeout: { type: "string" },
  header: { type: "string", multiple: true },
  help: { type: "boolean", short: "h" },
} as const;

interface Asked {
  readonly words: readonly string[];
  readonly values: {
    name?: string;
    domains?: string;
    keep?: boolean;
    json?: boolean;
    fresh?: boolean;
    timeout?: string;
    header?: string[];
    help?: boolean;
  };
}

/** Words and options; what follows `ssh HOST` belongs to the host, dashes and all. */
export function parse(args: readonly string[]): Asked {
  const at = args.findIndex((word, index) => word === "ssh" && args[index - 1] !== "--name");
  const own = at < 0 ? args : args.slice(0, at);
  try {
    const { positionals, values } = parseArgs({ args: [...own], options: OPTIONS, allowPositionals: true });
    if (at >= 0 && positionals.length === 0) return { words: args.slice(at), values };
    return { words: [...positionals, ...(at < 0 ? [] : args.slice(at))], values };
  } catch (error) {
    throw new LabError((error as Error).message, `usage:\n\n${USAGE}`);
  }
}

async function main(args: readonly string[]): Promise<number> {
  const { words, values } = parse(args);
  const lab = labNamed(values.name ?? process.env["SOFTMAP_LAB"] ?? "dev");
  const [command, ...rest] = words;
  if (values.help || command === undefined || command === "help") {
    print(USAGE);
    return command === undefined && !values.help ? 2 : 0;
  }
  switch (command) {
    case "up":
      await labUp(lab, stopwatch(), values.domains ? { domains: values.domains.split(",") } : {});
      return 0;
    case "down":
      return down(lab, values.keep ?? false);
    case "status": {
      const status = await labStatus(lab);
      print(values.json ? JSON.stringify(status, null, 2) : statusTable(status));
      return 0;
    }
    case "ssh":
      return ssh(lab, rest[0], rest.slice(1));
    case "fetch":
      return fetch(lab, rest[0], values);
    case "env":
      await ensureEngine(stopwatch());
      await ensureStack({ name: DEV_STACK, environment: stackEnvironment(lab) });
      print(shellExports(stackEnvironment(lab)));
      return 0;
    case "host":
      return host(lab, rest[0], rest[1]);
    default:
      throw new LabError(`There is no command "${command}".`, `usage:\n\n${USAGE}`);
  }
}

async function down(lab: Lab, keep: boolean): Promise<number> {
  const removed = await labDown(lab, { keep });
  const parts = [
    removed.containers.length > 0 ? `${removed.containers.length} containers` : "",
    removed.network ? `network ${lab.network}` : "",
    removed.lock ? `nft table ${lab.table}` : "",
    removed.folder ? lab.dir : "",
  ].filter(Boolean);
  print(
    parts.length > 0 ? `lab ${lab.name}: removed ${parts.join(", ")}` : `lab ${lab.name}: there was nothing to remove`,
  );
  return 0;
}

async function host(lab: Lab, action: string | undefined, name: string | undefined): Promise<number> {
  if (!name || !["up", "show", "down"].includes(action ?? ""))
    throw new LabError("host takes up, show or down and a name.", `usage:\n\n${USAGE}`);
  if (action === "down") {
    print((await hostDown(lab, name)) ? `host ${name} removed` : `there is no host ${name}`);
    return 0;
  }
  const info = action === "up" ? await hostUp(lab, name) : await hostShow(lab, name);
  if (!info) {
    process.stderr.write(
      `Lab "${lab.name}" has no host ${name}.\n  Next: npm run lab -- --name ${lab.name} host up ${name}\n`,
    );
    return 3;
  }
  print(JSON.stringify(info));
  return 0;
}

async function ssh(lab: Lab, name: string | undefined, command: readonly string[]): Promise<number> {
  stateOf(lab);
  const info = name ? await hostShow(lab, name) : undefined;
  if (!info)
    throw new LabError(
      `Lab "${lab.name}" has no host ${name ?? "of that name"}.`,
      "`npm run lab -- status` lists them",
    );
  const known = join(lab.dir, "known_hosts");
  writeWhole(
    known,
    knownHosts(lab)
      .map((one) => hostInfo(lab, one))
      .map((one) => `${one.address} ${one.hostKey}\n`)
      .join(""),
  );
  const options = [
    "-i",
    join(lab.dir, "id_ed25519"),
    "-o",
    "IdentitiesOnly=yes",
    "-o",
    "StrictHostKeyChecking=yes",
    "-o",
    `UserKnownHostsFile=${known}`,
  ];
  const child = spawn("ssh", ["-F", "none", ...options, `${info.user}@${info.address}`, ...command], {
    stdio: "inherit",
  });
  return new Promise((resolve, reject) => {
    child.on("error", reject);
    child.on("close", (code) => resolve(code ?? 1));
  });
}

async function fetch(lab: Lab, url: string | undefined, values: Asked["values"]): Promise<number> {
  if (!url) throw new LabError("fetch takes a URL.", "for example: npm run lab -- fetch http://ADDRESS.onion/");
  const headers = Object.fromEntries(
    (values.header ?? []).map((line) => [line.split(":")[0] ?? "", line.slice(line.indexOf(":") + 1).trim()]),
  );
  const got = await fetchThroughTor(lab, url, {
    headers,
    fresh: values.fresh ?? false,
    ...(values.timeout ? { timeout: Number(values.timeout) } : {}),
  });
  if (got.error !== undefined)
    throw new LabError(
      `No answer from ${url} through Tor: ${got.error}`,
      "a new onion site needs some seconds, and its client may hold an old descriptor: try --fresh",
    );
  process.stderr.write(`${got.status} in ${got.seconds.toFixed(2)} s\n`);
  print(got.body);
  return got.status < 400 ? 0 : 1;
}

if (require.main === module)
  main(process.argv.slice(2)).then(
    (code) => (process.exitCode = code),
    (error: unknown) => {
      process.stderr.write(`${error instanceof LabError ? error.message : String((error as Error).stack ?? error)}\n`);
      process.exitCode = 1;
    },
  );
