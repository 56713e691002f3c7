import { execFile } from "node:child_process";
import type * as pulumi from "@pulumi/pulumi";
import { readNetworkFile } from "./labFolder";

interface LabHostState {
  lab: string;
  host: string;
  address: string;
  port: number;
  user: string;
  hostKey: string;
  /** The container's id: another one is another machine under the same name. */
  instance: string;
}

/**
 * Runs the lab's own command, `lab/main.ts --name LAB host VERB NAME`, where the lab was started from, and reads the JSON line it ends with.
 * Exit code 3 means that there is no such host.
 */
async function labHost(verb: "up" | "show" | "down", lab: string, host: string): Promise<LabHostState | undefined> {
  const cwd = labRoot(lab);
  if (cwd === undefined) {
    // A lab that is down has no hosts.
    if (verb !== "up") return undefined;
    throw new Error(`lab host ${host}: the lab ${lab} is not up. Next: npm run lab -- --name ${lab} up`);
  }
  const args = ["-r", "./cli/register.js", "lab/main.ts", "--name", lab, "host", verb, host];
  return new Promise((resolve, reject) => {
    execFile(process.execPath, args, { cwd, maxBuffer: 1 << 24 }, (error, stdout, stderr) => {
      if (error && error.code === 3) return resolve(undefined);
      if (error) return reject(new Error(`lab host ${host}: ${verb} failed.\n${stderr.trim() || error.message}`));
      const line = stdout.trim().split("\n").at(-1) ?? "";
      resolve(verb === "down" ? undefined : { ...(JSON.parse(line) as LabHostState), lab, host });
    });
  });
}

/** Folder of the lab's program: read at run time, since a path of this machine does not belong into a state. Undefined: the lab is down. */
function labRoot(lab: string): string | undefined {
  try {
    const { root } = readNetworkFile(lab);
    if (root !== undefined) return root;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
  throw new Error(`the lab ${lab} does not say where its program is. Next: npm run lab -- --name ${lab} up`);
}

/** Boots, looks up and removes machines of the lab. One object for all of them: Pulumi serializes it once. */
export const labHostProvider: pulumi.dynamic.ResourceProvider<{ lab: string; host: string }, LabHostState> = {
  async create({ lab, host }) {
    const outs = await labHost("up", lab, host);
    if (outs === undefined) throw new Error(`lab host ${host}: it did not come up`);
    return { id: `${lab}/${host}`, outs };
  },
  async diff(_id, olds, news) {
    return { changes: olds.lab !== news.lab || olds.host !== news.host, replaces: ["lab", "host"] };
  },
  async read(id, state) {
    if (state === undefined) return {};
    const found = await labHost("show", state.lab, state.host);
    return found === undefined ? {} : { id, props: found };
  },
  async delete(_id, { lab, host }) {
    await labHost("down", lab, host);
  },
};
