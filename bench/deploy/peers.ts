import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { hostInfo, readNetwork, type Lab } from "../../lab/lab";
import type { Arm } from "../deployFigures";
import type { Manifest } from "./hosts";
import type { Command } from "../spent";

/** What the other tools deploy: as softmap left it at first, or with one line changed. */
export type Version = "first" | "changed";

/** The other tools, ready to deploy what was collected. */
export interface Peers {
  readonly lab: Lab;
  /** Where each host's files are, in a folder of its name. */
  readonly collected: string;
  /** Where pyinfra's and Ansible's commands are. */
  readonly bin: string;
  /** A folder for inventories. */
  readonly folder: string;
}

/** Everything that a tool is told, on disk. No key is in it, only where it is. */
interface Told {
  readonly plan: string;
  readonly inventory: string;
  readonly sshConfig: string;
}

/** The command by which a tool brings that version to these hosts. What it needs is written before its time begins. */
export function peerCommand(
  peers: Peers,
  arm: Exclude<Arm, "softmap">,
  to: { readonly hosts: readonly string[]; readonly version: Version; readonly manifest: Manifest },
): Command {
  const { hosts, version } = to;
  const told = tell(peers, to);
  const path = `${peers.bin}:${process.env["PATH"] ?? ""}`;
  // Nothing is left in the clone.
  const environment = { PATH: path, DEPLOY_PLAN: told.plan, PYTHONDONTWRITEBYTECODE: "1" };
  const here = { folder: __dirname, environment };
  switch (arm) {
    case "pyinfra":
    case "pyinfra, archives": {
      const deploy = arm === "pyinfra" ? "files.py" : "archives.py";
      const words = ["-y", "--parallel", String(hosts.length), "pyinfra/inventory.py", `pyinfra/${deploy}`];
      return { ...here, argv: [join(peers.bin, "pyinfra"), ...words] };
    }
    case "ansible, archives": {
      const settings = {
        ANSIBLE_CONFIG: join(__dirname, "ansible", "ansible.cfg"),
        ANSIBLE_FORKS: String(hosts.length),
        ANSIBLE_HOME: join(peers.folder, "ansible"),
        ANSIBLE_SSH_ARGS: `-F ${told.sshConfig} -o ControlMaster=auto -o ControlPersist=60s`,
        ANSIBLE_SSH_CONTROL_PATH_DIR: join(peers.folder, "cp"),
      };
      const argv = [join(peers.bin, "ansible-playbook"), "-i", told.inventory, "ansible/deploy.yml"];
      return { ...here, environment: { ...environment, ...settings }, argv };
    }
    case "rsync + ssh": {
      const each = hosts.map((host) => `${host}=${join(peers.collected, host)}`);
      return { ...here, argv: ["sh", join(__dirname, "loop.sh"), told.sshConfig, version, ...each] };
    }
  }
}

function tell(
  { lab, collected, folder }: Peers,
  { hosts, version, manifest }: { hosts: readonly string[]; version: Version; manifest: Manifest },
): Told {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const put = (name: string, text: string): string => {
    const file = join(folder, name);
    writeFileSync(file, text, { mode: 0o600 });
    return file;
  };
  const { privateKeyFile: key } = readNetwork(lab);
  const infos = hosts.map((host) => ({ ...hostInfo(lab, host), folder: join(collected, host) }));
  // By their addresses and by their names: one tool looks for these, another for those.
  const known = infos.map(({ name, address, hostKey }) => `${address},${name} ${hostKey}\n`);
  const knownHosts = put("known_hosts", known.join(""));
  const { users, units } = manifest;

  const all = {
    hosts: Object.fromEntries(infos.map(({ name, address, folder }) => [name, { ansible_host: address, folder }])),
    vars: { users, units, version },
  };
  const settings = [`IdentityFile ${key}`, "IdentitiesOnly yes", "BatchMode yes", "StrictHostKeyChecking yes"];
  const files = [`UserKnownHostsFile ${knownHosts}`, "GlobalKnownHostsFile /dev/null"];
  const named = infos.map(({ name, address }) => `Host ${name}\n  HostName ${address}\n`);
  const common = ["User operator", ...settings, ...files].map((line) => `  ${line}\n`);
  return {
    plan: put("plan.json", JSON.stringify({ key, knownHosts, version, users, units, hosts: infos })),
    inventory: put("inventory.json", JSON.stringify({ all })),
    sshConfig: put("ssh_config", [...named, "Host *\n", ...common].join("")),
  };
}
