// The dynamic provider behind Installation; the state has its name alone, see providedResource.ts.
import type * as pulumi from "@pulumi/pulumi";
import { runOn } from "../host/runOn";
import { knockPatiently, type SshConnection, type SshError } from "../host/ssh";
import { packProgram, rooted } from "../host/program";
import type { unknownValue as unknown } from "./unknownValue";

/** What the engine keeps of what was asked for. */
export interface InstallationInputs {
  readonly host: string;
  readonly component: string;
  readonly holdsSiteKeys: boolean;
  /** Absent: it is this machine. */
  readonly connection?: SshConnection;
  readonly instance?: string;
  /** Absent: nobody looks first, and nobody brings the pack. */
  readonly preflight?: string;
  /** The name of the pack that comes with it. */
  readonly pack?: string;
  readonly wants: string;
  readonly command: string;
  readonly probe: string;
  readonly leave: string;
}

/** And what was found. */
export interface InstallationState extends InstallationInputs {
  readonly silent: string;
  readonly repair: number;
  readonly drift: string;
}

/** Seconds that are given to a host until it counts as dead. */
export interface Patience {
  /** To a machine that is looked at for the first time: one that boots right now answers within this. */
  readonly create: number;
  readonly update: number;
  readonly delete: number;
  /** Between two tries. */
  readonly pause: number;
}

/** What a read may take, and what a removal may: it drains. */
const probeSeconds = 120;
const leaveSeconds = 30 * 60;

/** The names, at every depth, of what leads to another machine or another login, or sends something else; how patiently it is dialled is none. */
const compared = [
  ...["host", "component", "holdsSiteKeys", "instance", "wants", "command", "probe", "leave", "preflight", "pack"],
  ...[
    "connection",
    "proxy",
    "port",
    "user",
    "hostKey",
    "privateKey",
    "privateKeyPassword",
    "password",
    "agentSocketPath",
  ],
];

/** The names of what tells another machine, or another question to an old one. */
const looked = ["connection", "host", "port", "hostKey", "instance", "preflight"];

/** This machine always answers. */
async function knockAt(
  connection: SshConnection | undefined,
  seconds: number,
  pause: number,
): Promise<string | undefined> {
  return connection && knockPatiently(connection, { seconds, pause });
}

/** "" when the host answers, else why not. Said at once, too: an update that fails elsewhere never comes to its roll call. */
async function silenceOf(
  { host, component, connection }: InstallationInputs,
  seconds: number,
  pause: number,
): Promise<string> {
  const why = await knockAt(connection, seconds, pause);
  if (why !== undefined) console.log(`${host}: ${why}: ${component} goes on without it`);
  return why ?? "";
}

/**
 * Brings the pack to the machine. `look`: whether the machine can be used at all is asked first, once, before anything is done to it; its clock is
 * compared with ours.
 */
async function bring(
  carrier: () => string,
  inputs: InstallationInputs,
  look: boolean,
  dialSeconds: number,
): Promise<void> {
  const { host, connection, command, preflight } = inputs;
  if (preflight === undefined) return;
  const limits = { dialSeconds, seconds: probeSeconds };
  const word = look ? `now=${Math.round(Date.now() / 1000)}` : "put";
  let said: string;
  try {
    const { code, stderr } = await runOn(connection, `${command} ${word}`, carrier() + preflight, limits);
    if (code === 0) return;
    said = stderr.trim() || `${host}: the preflight ended with ${code} and said nothing`;
  } catch (error) {
    said = `${host}: ${(error as Error).message}`;
  }
  throw plain(said, host, "this host cannot be used");
}

/** The dynamic provider's host prints `${error}: ${error.stack}` beside an error's message: a short line instead of a stack trace. */
function plain(message: string, host: string, stack: string): Error {
  return Object.assign(new Error(message), { toString: () => host, stack });
}

/**
 * What is on the machine now, in words; "" when it is what was released. The last line of the probe is JSON, `{"drift": ["a line for people"]}`,
 * or null where nothing was deployed yet. A refresh must not fail: what hinders it is a finding.
 */
async function drifted({ connection, command, probe }: InstallationState, dialSeconds: number): Promise<string> {
  const now = Math.round(Date.now() / 1000);
  const limits = { dialSeconds, seconds: probeSeconds };
  const { code, stdout, stderr } = await runOn(connection, `${command} now=${now}`, rooted(probe), limits);
  try {
    const { drift } = JSON.parse(stdout.trimEnd().split("\n").at(-1) ?? "") as { drift: readonly string[] | null };
    if (code === 0) return (drift ?? []).join("\n");
  } catch {
    // Not JSON: said below.
  }
  return `what is there cannot be read: ${stderr.trim() || `the probe ended with ${code}`}`;
}

function leftBehind({ host, component, holdsSiteKeys }: InstallationState, why: string): string {
  const rest = holdsSiteKeys
    ? "A balancer has the site keys, and publishes again if the machine comes back: keep it off the network, and treat its keys as those of a stolen disk"
    : "It is published no more. If the machine comes back, treat its backend keys as those of a stolen disk";
  return `${host}: ${why}: what ${component} had there is left behind. ${rest}`;
}

/**
 * The provider with what a host is given to answer, and the program that brings the pack.
 * - `silent` stays as it is when a refresh finds the host alive: what was skipped is made up for by the update that clears it.
 * - What a refresh found is among the inputs too, where nobody asks for it: so the preview that mends it shows it as what goes.
 */
export function installationProviderWith(
  patience: Patience,
  carrier: () => string = packProgram,
): pulumi.dynamic.ResourceProvider {
  return {
    // What will be found is among the inputs, so that a preview knows it, and with it all that depends on it: that the host answers, and
    // that what a refresh found (`read` writes it to the inputs) is mended by steps that run again.
    async check(olds: Partial<InstallationState>, news: InstallationInputs) {
      const connection = news.connection as SshConnection | typeof unknown | undefined;
      const refused = (what: string) => ({ property: "", reason: `${news.host}: ${what}` });
      const failures: pulumi.dynamic.CheckFailure[] = [];
      if (typeof connection === "object") {
        if (!connection.hostKey) failures.push(refused("its connection has no hostKey. Next: give it as type base64"));
        if (connection.proxy !== undefined && !connection.proxy.hostKey)
          failures.push(refused("its jump host has no hostKey. Next: give it as type base64"));
      }
      const repair = (olds.repair ?? 0) + (olds.drift ? 1 : 0);
      return { inputs: { ...news, silent: "", repair, drift: "" }, failures };
    },

    async diff(_id: string, old: InstallationState, wanted: InstallationInputs) {
      const same = JSON.stringify(old, compared) === JSON.stringify(wanted, compared);
      return { changes: !same || old.silent !== "" || old.drift !== "" };
    },

    async create(inputs: InstallationState) {
      const first = inputs.preflight === undefined ? patience.update : patience.create;
      const silent = await silenceOf(inputs, first, patience.pause);
      if (silent === "") await bring(carrier, inputs, true, patience.update);
      return { id: `${inputs.component}/${inputs.host}`, outs: { ...inputs, silent } };
    },

    async update(_id: string, old: InstallationState, inputs: InstallationState) {
      const silent = await silenceOf(inputs, patience.update, patience.pause);
      const another = old.silent !== "" || JSON.stringify(old, looked) !== JSON.stringify(inputs, looked);
      // Drift may be a machine that was emptied.
      const lacks = another || old.pack !== inputs.pack || old.repair !== inputs.repair;
      if (silent === "" && lacks) await bring(carrier, inputs, another, patience.update);
      return { outs: { ...inputs, silent } };
    },

    async read(id: string, state: InstallationState) {
      let found: { readonly drift: string } | { readonly silent: string; readonly drift: string };
      try {
        found = { drift: await drifted(state, patience.delete) };
      } catch (error) {
        const { message, reached } = error as Partial<SshError> & Error;
        found = reached === false ? { silent: message, drift: "" } : { drift: message };
      }
      const props = { ...state, ...found };
      return { id, props, inputs: props };
    },

    async delete(_id: string, state: InstallationState) {
      const { host, connection, command, leave } = state;
      const why = connection?.proxy ? undefined : await knockAt(connection, patience.delete, patience.pause);
      if (why !== undefined) return console.log(leftBehind(state, why));
      const limits = {
        dialSeconds: patience.delete,
        seconds: leaveSeconds,
        onLine: (line: string) => console.log(line),
      };
      let said: string;
      try {
        const { code, stderr } = await runOn(connection, `${command} everything`, rooted(leave), limits);
        if (code === 0) return;
        said = stderr.trim() || `${host}: the removal ended with ${code} and said nothing`;
      } catch (error) {
        const { reached, message } = error as Partial<SshError> & Error;
        if (reached === false) return console.log(leftBehind(state, message));
        said = `${host}: ${message}`;
      }
      throw plain(said, host, "the removal failed");
    },
  };
}

/** One object for all installations. */
export const installationProvider = installationProviderWith({ create: 80, update: 15, delete: 10, pause: 2 });
