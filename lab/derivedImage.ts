import { createHash } from "node:crypto";
import { join } from "node:path";
import { ensureLabImage, imageExists, imageName } from "./image";
import { withLock } from "./mutex";
import { cacheFolder } from "./places";
import { podman } from "./podman";
import { step, type Say } from "./progress";

/** Hosts that have more than every host of the lab: the host image and what is put on top of it. */
export interface Derived {
  /** The image becomes `softmap-NAME`. */
  readonly name: string;
  /** Debian packages, without what they only recommend. */
  readonly packages: readonly string[];
  /** debconf answers, a line each, for packages that would ask. */
  readonly answers?: readonly string[];
  /** Units that these packages would start at every boot: a test starts what it needs. */
  readonly disabled?: readonly string[];
  /** Shell, run by root when the packages are there; no daemon runs. */
  readonly finish?: string;
}

/** Name and tag: of another recipe, or another host image, it is another image. */
export function derivedName(derived: Derived): string {
  const hash = createHash("sha256").update(containerfile(derived)).digest("hex").slice(0, 12);
  return `localhost/softmap-${derived.name}:${hash}`;
}

/** What podman builds it from: one layer. */
export function containerfile({ packages, answers = [], disabled = [], finish = "" }: Derived): string {
  const script = [
    "export DEBIAN_FRONTEND=noninteractive",
    // no package's daemon runs while the image is built
    "printf '#!/bin/sh\\nexit 101\\n' >/usr/sbin/policy-rc.d; chmod 755 /usr/sbin/policy-rc.d",
    ...answers.map((answer) => `echo '${answer}' | debconf-set-selections`),
    "apt-get update -q",
    `apt-get install -q -y --no-install-recommends ${packages.join(" ")}`,
    ...(disabled.length > 0 ? [`systemctl disable -q ${disabled.join(" ")}`] : []),
    finish,
    "apt-get clean; rm -rf /usr/sbin/policy-rc.d /var/lib/apt/lists/* /tmp/*; : >/etc/machine-id",
  ];
  return `FROM ${imageName()}\nRUN ${JSON.stringify(["sh", "-ec", script.join("\n")])}\nCMD ["/sbin/labinit"]\n`;
}

/** Builds it when it is not there, after the host image. For tests that need it: no other test waits for it. @returns the image's name */
export async function ensureDerivedImage(derived: Derived, say: Say): Promise<string> {
  await ensureLabImage(say);
  const image = derivedName(derived);
  if (await imageExists(image)) return image;
  return withLock(join(cacheFolder(), `${derived.name}.lock`), async () => {
    if (await imageExists(image)) return image;
    await step(
      say,
      `building the image ${derived.name} (${derived.packages.length} packages and what they need, once a machine)`,
      () =>
        // with this machine's own network, as the host image is built: it asks the package mirror and nobody else
        podman(["build", "-q", "--network=host", "--pull=never", "-t", image, "-"], {
          input: containerfile(derived),
          timeout: 900_000,
          next: "look at the package mirror of this machine: `apt-get update` must work",
        }),
    );
    return image;
  });
}
