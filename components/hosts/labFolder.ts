import { readFileSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";

/** What a lab that is up says of itself (lab/upDown.ts writes it); none of it belongs into a state. */
export interface LabNetwork {
  /** Folder of the program that the lab was started from: its command runs there. */
  readonly root: string;
  /** torrc lines that every tor of the lab needs. */
  readonly torrc: readonly string[];
  /** Private key file for ssh to the lab's hosts. */
  readonly privateKeyFile: string;
}

/** Reads a lab's network.json from where the lab keeps it. Throws the file system's error when there is none. */
export function readNetworkFile(lab: string): Partial<LabNetwork> {
  // An empty variable counts as unset, as for the lab itself (lab/places.ts).
  const cache = process.env["XDG_CACHE_HOME"] || join(homedir(), ".cache");
  return JSON.parse(readFileSync(join(cache, "softmap", "labs", lab, "network.json"), "utf8")) as Partial<LabNetwork>;
}
