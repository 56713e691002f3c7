import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { caFiles } from "./certificates";
import { derivedName, ensureDerivedImage, type Derived } from "./derivedImage";
import { bootSeeded } from "./hosts";
import { imageExists } from "./image";
import type { Lab } from "./places";
import { silent, type Say } from "./progress";

/**
 * Hosts that a cloud would make: Debian's cloud-init finds user data at the first boot and does what is in it. The lab's own login is not there:
 * user, keys and sshd's settings are the user data's.
 */
export const cloudImage: Derived = {
  name: "cloud",
  packages: ["cloud-init"],
  finish: [
    "userdel -r operator 2>/dev/null || userdel operator",
    "rm -f /etc/sudoers.d/operator /etc/ssh/sshd_config.d/lab.conf",
    // The seed is a folder of the machine: nobody is asked over the network. The engine has set the network up.
    "printf 'datasource_list: [ NoCloud ]\\nnetwork: { config: disabled }\\n' >/etc/cloud/cloud.cfg.d/99-lab.cfg",
    "rm -rf /var/lib/cloud",
  ].join("\n"),
};

/** Builds the image where it is not there. @returns its name */
export function ensureCloudImage(say: Say): Promise<string> {
  return ensureDerivedImage(cloudImage, say);
}

/**
 * Boots a host with user data. Returns when it runs, which is before cloud-init has done anything: whoever wants to log in knocks.
 * @returns its address
 */
export async function cloudHostUp(lab: Lab, name: string, userData: string): Promise<string> {
  const image = derivedName(cloudImage);
  if (!(await imageExists(image))) await ensureCloudImage(silent);
  const { certificate, hash } = caFiles(lab);
  return bootSeeded(lab, name, image, (folder) => {
    const put = (file: string, text: string) => writeFileSync(join(folder, file), text, { mode: 0o600 });
    put("ca.crt", certificate);
    put("ca.hash", hash);
    put("user-data", userData);
    put("meta-data", `instance-id: ${name}\nlocal-hostname: ${name}\n`);
  });
}
