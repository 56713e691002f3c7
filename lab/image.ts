import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { machineMirror, type Mirror } from "./mirror";
import { withLock } from "./mutex";
import { cacheFolder } from "./places";
import { podman } from "./podman";
import { step, type Say } from "./progress";
import { ensureRequirements } from "./requirements";
import { runAsRoot } from "./run";

/** Debian's releases that softmap's hosts may run: 12 and 13. */
export type Suite = "bookworm" | "trixie";

/** What the lab's own containers run, and its hosts unless they are given another image. */
const DEFAULT_SUITE: Suite = "bookworm";

const PACKAGES = [
  // a small Debian server
  ...[
    "systemd",
    "systemd-sysv",
    "libpam-systemd",
    "dbus",
    "openssh-server",
    "sudo",
    "python3",
    "ca-certificates",
    "curl",
    "openssl",
  ],
  ...["iproute2", "iputils-ping", "procps", "nftables", "less"],
  // what softmap's hosts run; here too, so that a first deploy in the lab does not wait for packages
  ...["tor", "onionbalance", "python3-stem", "python3-cryptography", "python3-yaml"],
  ...["nginx", "libnginx-mod-http-subs-filter", "libnginx-mod-http-lua", "libnginx-mod-http-headers-more-filter"],
  // and what its base has
  ...["unattended-upgrades", "apparmor"],
  // the lab's own DNS
  ...["dnsmasq"],
];

// Debian's tor dials the public network as soon as it is installed: masked before anything is, so that it cannot start
const MASKED = [
  "tor.service",
  "tor@.service",
  "tor@default.service",
  "nginx.service",
  "onionbalance.service",
  "dnsmasq.service",
];

// no devices, consoles, clock or timers of their own in a container
const NOT_IN_CONTAINERS = [
  ...[
    "systemd-udevd.service",
    "systemd-udev-trigger.service",
    "systemd-udevd-control.socket",
    "systemd-udevd-kernel.socket",
  ],
  ...["getty.target", "console-getty.service", "systemd-logind-varlink.socket", "systemd-timesyncd.service"],
  ...["apt-daily.timer", "apt-daily-upgrade.timer", "dpkg-db-backup.timer", "e2scrub_all.timer", "fstrim.timer"],
  // waits for the machine's shutdown, and takes as much memory as a tor
  "unattended-upgrades.service",
];

const mask = (units: readonly string[]) =>
  units.map((unit) => `ln -sf /dev/null "$1"/etc/systemd/system/${unit}`).join("; ");

/** Shell that finishes the tree in "$1": the login user, sshd by key only (each connection logged, so that tests can count), nothing of this build's identity. */
const FINISH = `
set -e
rm -f "$1"/etc/ssh/ssh_host_* "$1"/etc/hostname "$1"/etc/resolv.conf
printf '127.0.0.1 localhost\\n' > "$1"/etc/hosts
: > "$1"/etc/machine-id
mkdir -p "$1"/var/log/journal "$1"/media/lab
chroot "$1" useradd --create-home --shell /bin/bash --gid operator operator
printf 'operator ALL=(ALL) NOPASSWD: ALL\\n' > "$1"/etc/sudoers.d/operator
chmod 440 "$1"/etc/sudoers.d/operator
printf 'PasswordAuthentication no\\nKbdInteractiveAuthentication no\\nPermitRootLogin no\\nUseDNS no\\nLogLevel VERBOSE\\nHostKey /etc/ssh/ssh_host_ed25519_key\\nMaxStartups 100\\n' > "$1"/etc/ssh/sshd_config.d/lab.conf
chroot "$1" systemctl enable -q ssh.service
${mask(NOT_IN_CONTAINERS)}
chown root:root "$1"/sbin/labinit
chmod 755 "$1"/sbin/labinit
`;

/** What the image is made of, as text. Its hash is the image's tag, so that a changed recipe makes a new image and an unchanged one is shared by all labs. */
export function recipe(suite: Suite = DEFAULT_SUITE): string {
  return JSON.stringify({ SUITE: suite, PACKAGES, MASKED, FINISH, init: readFileSync(guest("labinit"), "utf8") });
}

/** Name and tag of the host image. */
export function imageName(suite: Suite = DEFAULT_SUITE): string {
  return `localhost/softmap-host:${createHash("sha256").update(recipe(suite)).digest("hex").slice(0, 12)}`;
}

/** Path of a file that goes into the image or a container. */
export function guest(file: string): string {
  return join(__dirname, "guest", file);
}

/** Installs what the lab needs on this machine and builds the host image, each only when it is not there. @returns the image's name */
export async function ensureLabImage(say: Say, suite: Suite = DEFAULT_SUITE): Promise<string> {
  await ensureRequirements(say);
  const image = imageName(suite);
  if (await imageExists(image)) return image;
  return withLock(join(cacheFolder(), `image-${suite}.lock`), async () => {
    if (await imageExists(image)) return image;
    const mirror = await machineMirror();
    const tar = join(tmpdir(), `softmap-host-${suite}-${process.pid}.tar`);
    try {
      await step(
        say,
        `building the host image, Debian ${suite} (${PACKAGES.length} packages and what they need, once for all labs)`,
        () =>
          runAsRoot(debootstrap(mirror, tar, suite), {
            timeout: 900_000,
            next: "look at the package mirror of this machine: `apt-get update` must work",
          }),
      );
      await step(say, "handing the image to podman", () =>
        podman(["import", "-q", "-c", 'CMD ["/sbin/labinit"]', tar, image]),
      );
    } finally {
      await runAsRoot(["rm", "-f", tar]);
    }
    return image;
  });
}

/** Whether podman has it. */
export async function imageExists(image: string): Promise<boolean> {
  return (await podman(["image", "exists", image], { mayFail: true })).code === 0;
}

/** mmdebstrap's command line; the hosts' own apt sources are the same mirror. */
export function debootstrap(mirror: Mirror, tar: string, suite: Suite = DEFAULT_SUITE): string[] {
  const { archive, security } = mirror;
  return [
    ...["mmdebstrap", "--quiet", "--variant=minbase", "--format=tar", `--include=${PACKAGES.join(",")}`],
    ...['Acquire::Languages "none"', 'APT::Install-Recommends "false"', ...mirror.options].map(
      (option) => `--aptopt=${option}`,
    ),
    // the essential hook runs before any of the packages above is installed
    `--essential-hook=mkdir -p "$1"/etc/systemd/system; ${mask(MASKED)}`,
    `--customize-hook=copy-in ${guest("labinit")} /sbin`,
    `--customize-hook=${FINISH}`,
    ...[suite, tar],
    ...[
      `deb ${archive} ${suite} main`,
      `deb ${archive} ${suite}-updates main`,
      `deb ${security} ${suite}-security main`,
    ],
  ];
}
