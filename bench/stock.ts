import { execOn, type Lab } from "../lab/lab";
import { balancerPaths, currentFile, publisherFiles, units, users } from "../plan/names";

const folder = "/run/softmap-bench";
const config = `${folder}/config.yaml`;

/** The transient unit that Debian's Onionbalance runs in. */
export const STOCK_UNIT = "softmap-bench-onionbalance.service";

/**
 * Seconds after its start or a reload until it is back in its main loop: it fetches (5 s of them asleep), waits 45 s (hs_v3/params.py,
 * INITIAL_CALLBACK_DELAY), publishes, and waits 45 s once more. A reload before that would be one within the other.
 */
export const STOCK_SETTLES = 100;

/** Runs on the host as root. @throws Error with what it said */
async function must(lab: Lab, host: string, argv: readonly string[], input?: string): Promise<string> {
  const ran = await execOn(lab, host, argv, input === undefined ? {} : { input });
  if (ran.code !== 0) throw new Error(`${host}: ${argv.join(" ")}: ${ran.stderr || ran.text}`);
  return ran.text;
}

/** The config that softmap's own Onionbalance has now. */
export function servingConfig(lab: Lab, host: string): Promise<string> {
  return must(lab, host, ["cat", currentFile("publisher", publisherFiles.onionbalance)]);
}

/** Stops softmap's Onionbalance and starts Debian's program in its place, anew where it runs: same user, same keys, same tor, its own timers. */
export async function startStock(lab: Lab, host: string, text: string): Promise<void> {
  await killStock(lab, host);
  await must(lab, host, ["systemctl", "stop", units.onionbalance]);
  await must(lab, host, ["sh", "-c", `mkdir -p ${folder} && cat >${config}`], text);
  await must(lab, host, [
    ...["systemd-run", "--quiet", `--unit=${STOCK_UNIT}`, "--property=Type=exec"],
    ...[`--property=User=${users.onionbalance}`, `--property=Group=${users.onionbalance}`],
    ...["/usr/sbin/onionbalance", "--is-testnet", "-v", "info", "-c", config, "-s", balancerPaths.controlSocket],
  ]);
}

/** The operator's way: the file is edited, and Onionbalance told so. */
export async function reloadStock(lab: Lab, host: string, text: string): Promise<void> {
  const edit = `cat >${config} && systemctl kill --signal=HUP --kill-who=main ${STOCK_UNIT}`;
  await must(lab, host, ["sh", "-c", edit], text);
}

/** It hangs on SIGTERM at times and has no state: it is killed. */
async function killStock(lab: Lab, host: string): Promise<void> {
  const gone =
    'systemctl kill --signal=KILL "$1"; while systemctl is-active -q "$1"; do sleep .1; done; systemctl reset-failed "$1"';
  await execOn(lab, host, ["sh", "-c", gone, "sh", STOCK_UNIT]);
}

/** Back to softmap's own. */
export async function stopStock(lab: Lab, host: string): Promise<void> {
  await killStock(lab, host);
  await must(lab, host, ["systemctl", "start", units.onionbalance]);
}

/** Its last lines, for who has to find out why it does not publish. */
export async function stockJournal(lab: Lab, host: string): Promise<string> {
  return (await execOn(lab, host, ["journalctl", "-q", "--no-pager", "-n", "30", "-u", STOCK_UNIT])).text;
}
