import { createHash } from "node:crypto";
import { chmodSync, existsSync, mkdirSync, readFileSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";
import { LabError } from "../errors";
import { machineMirror, type Mirror } from "../mirror";
import { withLock } from "../mutex";
import { cacheFolder } from "../places";
import { step, type Say } from "../progress";
import { ensureRequirements, REQUIREMENTS, type Requirement } from "../requirements";
import { hasProgram, run, runAsRoot } from "../run";

const SUITE = "bookworm";

const PACKAGES = [
  // a Debian server as clouds have it: their kernel boots without waiting for hardware that is not there
  ...[
    "linux-image-cloud-amd64",
    "initramfs-tools",
    "systemd",
    "systemd-sysv",
    "libpam-systemd",
    "dbus",
    "udev",
    "kmod",
  ],
  ...["cloud-init"],
  ...[
    "systemd-timesyncd",
    "openssh-server",
    "sudo",
    "python3",
    "ca-certificates",
    "curl",
    "openssl",
    "iproute2",
    "procps",
  ],
  // what softmap's machines run: this one has no mirror to get it from
  ...["apparmor", "nftables", "unattended-upgrades", "tor", "onionbalance", "python3-stem", "python3-cryptography"],
  ...["nginx", "libnginx-mod-http-lua", "libnginx-mod-http-headers-more-filter"],
];

// masked before anything is installed, as in the lab's host image; and the timers that would ask for a mirror
const MASKED = [
  ...["tor.service", "tor@.service", "tor@default.service", "nginx.service", "onionbalance.service"],
  ...["apt-daily.timer", "apt-daily-upgrade.timer"],
];

const mask = MASKED.map((unit) => `ln -sf /dev/null "$1"/etc/systemd/system/${unit}`).join("; ");

/** What cloud-init does here: it takes part in the boot, with all its units, and changes nothing. */
const CLOUD = [
  ...[
    "datasource_list: [None]",
    "users: []",
    "ssh_deletekeys: false",
    "ssh_genkeytypes: []",
    "preserve_hostname: true",
  ],
  ...[
    "manage_etc_hosts: false",
    "network: { config: disabled }",
    "cloud_init_modules: []",
    "cloud_config_modules: []",
    "cloud_final_modules: []",
  ],
];

/** Shell that finishes the tree in "$1": its disk, its network by DHCP, a name server (nobody answers there), the login user, sshd by key only. */
const FINISH = `
set -e
printf '/dev/vda / ext4 defaults 0 1\\n' > "$1"/etc/fstab
printf 'vm\\n' > "$1"/etc/hostname
printf '127.0.0.1 localhost vm\\n' > "$1"/etc/hosts
printf 'nameserver 127.0.0.1\\n' > "$1"/etc/resolv.conf
printf '[Match]\\nName=en*\\n[Network]\\nDHCP=ipv4\\n' > "$1"/etc/systemd/network/10-lab.network
: > "$1"/etc/machine-id
printf '${CLOUD.join("\\n")}\\n' > "$1"/etc/cloud/cloud.cfg.d/99-lab.cfg
chroot "$1" useradd --create-home --shell /bin/bash --gid operator operator
printf 'operator ALL=(ALL) NOPASSWD: ALL\\n' > "$1"/etc/sudoers.d/operator
chmod 440 "$1"/etc/sudoers.d/operator
printf 'PasswordAuthentication no\\nKbdInteractiveAuthentication no\\nPermitRootLogin no\\nUseDNS no\\nHostKey /etc/ssh/ssh_host_ed25519_key\\n' > "$1"/etc/ssh/sshd_config.d/lab.conf
rm -f "$1"/etc/ssh/ssh_host_*
chroot "$1" systemctl enable -q ssh.service systemd-networkd.service
`;

/** Shell that puts the keys in folder "$2" into the tree "$1". */
const KEYS = `
install -m 600 "$2"/host "$1"/etc/ssh/ssh_host_ed25519_key
install -m 644 "$2"/host.pub "$1"/etc/ssh/ssh_host_ed25519_key.pub
install -d -m 700 "$1"/home/operator/.ssh
install -m 600 "$2"/login.pub "$1"/home/operator/.ssh/authorized_keys
chown -R --reference="$1"/home/operator "$1"/home/operator/.ssh
`;

/** Shell that makes the disk, the kernel and the initrd in folder "$2" from the tree "$1"; its owner's, as the folder is. */
const PACK = `
cp "$1"/boot/vmlinuz-* "$2"/kernel
cp "$1"/boot/initrd.img-* "$2"/initrd
mke2fs -q -t ext4 -d "$1" "$2"/disk 3G
chown --reference="$2" "$2"/kernel "$2"/initrd "$2"/disk
`;

const program = (name: string) => () => hasProgram(name);

const VM_REQUIREMENTS: readonly Requirement[] = [
  ...REQUIREMENTS.filter(({ package: name }) =>
    ["mmdebstrap", "debian-archive-keyring", "openssh-client"].includes(name),
  ),
  { package: "qemu-system-x86", why: "runs a machine with a kernel of its own", found: program("qemu-system-x86_64") },
  { package: "e2fsprogs", why: "makes that machine's disk", found: program("mke2fs") },
];

/** A machine's disk and what boots it, with the keys that were made for it. */
export interface VmImage {
  readonly disk: string;
  readonly kernel: string;
  readonly initrd: string;
  /** Text of the private key that logs in as `operator`. */
  readonly privateKey: string;
  /** The machine's own public key, `type base64`. */
  readonly hostKey: string;
}

/** Where the image of this recipe is: another recipe is another image. */
function folderOfImage(): string {
  const recipe = JSON.stringify({ SUITE, PACKAGES, MASKED, FINISH, KEYS, PACK });
  return join(cacheFolder(), "vm", createHash("sha256").update(recipe).digest("hex").slice(0, 12));
}

/** Installs what such a machine needs on this one and builds its image, each only when it is not there. */
export async function ensureVmImage(say: Say): Promise<VmImage> {
  if (process.arch !== "x64")
    throw new LabError("The machine with a kernel of its own is an amd64 one.", "run this test on an amd64 machine");
  await ensureRequirements(say, VM_REQUIREMENTS);
  const folder = folderOfImage();
  await withLock(
    `${folder}.lock`,
    async () => {
      if (!existsSync(folder)) await build(folder, say);
    },
    { patience: 900 },
  );
  const text = (name: string) => readFileSync(join(folder, name), "utf8");
  return {
    disk: join(folder, "disk"),
    kernel: join(folder, "kernel"),
    initrd: join(folder, "initrd"),
    privateKey: text("login"),
    hostKey: text("host.pub").split(" ").slice(0, 2).join(" ").trim(),
  };
}

async function build(folder: string, say: Say): Promise<void> {
  const staged = `${folder}.new`;
  const tree = join(staged, "tree");
  await runAsRoot(["rm", "-rf", staged]);
  mkdirSync(staged, { recursive: true });
  // Only while it is built: apt downloads as a user of its own.
  chmodSync(staged, 0o711);
  try {
    for (const name of ["login", "host"])
      await run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", name, "-f", join(staged, name)]);
    const mirror = await machineMirror();
    await step(
      say,
      `building the disk of a Debian machine (${PACKAGES.length} packages and what they need)`,
      async () => {
        await runAsRoot(mmdebstrap(mirror, tree), {
          timeout: 900_000,
          next: "look at the package mirror of this machine: `apt-get update` must work",
        });
        await runAsRoot(["sh", "-ec", KEYS + PACK, "sh", tree, staged], { timeout: 300_000 });
      },
    );
    await runAsRoot(["rm", "-rf", tree]);
    chmodSync(staged, 0o700);
    renameSync(staged, folder);
  } finally {
    if (existsSync(tree)) await runAsRoot(["rm", "-rf", tree]);
    rmSync(staged, { recursive: true, force: true });
  }
}

function mmdebstrap({ archive, security, options }: Mirror, tree: string): string[] {
  return [
    ...["mmdebstrap", "--quiet", "--variant=minbase", "--format=directory", `--include=${PACKAGES.join(",")}`],
    ...['Acquire::Languages "none"', 'APT::Install-Recommends "false"', ...options].map(
      (option) => `--aptopt=${option}`,
    ),
    `--essential-hook=mkdir -p "$1"/etc/systemd/system; ${mask}`,
    `--customize-hook=${FINISH}`,
    ...[SUITE, tree],
    ...[
      `deb ${archive} ${SUITE} main`,
      `deb ${archive} ${SUITE}-updates main`,
      `deb ${security} ${SUITE}-security main`,
    ],
  ];
}
