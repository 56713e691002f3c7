import { containerName, type Lab } from "./places";
import { podman } from "./podman";
import { SEED } from "./seeds";

/** A container of the lab that is no host. */
export interface Service {
  /** Its name after the lab's, its hostname, and the name of its seed. */
  readonly role: string;
  readonly address: string;
  /** Image and command line. */
  readonly command: readonly string[];
  /** More labels than the lab's own. */
  readonly labels?: readonly string[];
}

/** Starts it: IPv4 only, its seed at {@link SEED}. */
export async function runService(lab: Lab, { role, address, command, labels = [] }: Service): Promise<void> {
  const marks = [lab.label, `softmap.role=${role}`, ...labels].flatMap((label) => ["--label", label]);
  const network = ["--network", lab.network, "--ip", address, "--sysctl", "net.ipv6.conf.all.disable_ipv6=1"];
  const named = ["--name", containerName(lab, role), "--hostname", role, "-v", `${lab.seeds}/${role}:${SEED}:ro`];
  await podman(["run", "-d", ...named, ...marks, ...network, "--systemd=false", "--pull=never", ...command]);
}
