import { readFileSync } from "node:fs";
import type { Say } from "./progress";
import { runAsRoot } from "./run";

/** Every systemd takes some inotify instances, and those of all hosts are one user's: the kernel's 128 end with some twenty hosts. */
const INSTANCES = 4096;
const FILE = "/proc/sys/fs/inotify/max_user_instances";

/** What the limit has to become, by what the kernel says that it is; undefined where it is enough, or nobody knows. */
export function raisedLimit(now: string, wanted = INSTANCES): number | undefined {
  return /^\d+\s*$/.test(now) && Number(now) < wanted ? wanted : undefined;
}

/** Raises the machine's limit where it is lower, until its next boot. Where it may not be set a lab of a few hosts works all the same. */
export async function ensureLimits(say: Say): Promise<void> {
  const now = current();
  const limit = raisedLimit(now);
  if (limit === undefined) return;
  const ran = await runAsRoot(["sh", "-c", 'echo "$1" >"$2"', "sh", String(limit), FILE], { mayFail: true });
  const from = `fs.inotify.max_user_instances from ${now.trim()}`;
  if (ran.code === 0)
    say(`raised ${from} to ${limit}, until this machine's next boot: every host's systemd needs some`);
  else say(`could not raise ${from} to ${limit}: a lab of more than some twenty hosts will not start`);
}

function current(): string {
  try {
    return readFileSync(FILE, "utf8");
  } catch {
    return ""; // a kernel without inotify has no such limit
  }
}
