/** Instances: hosts of the lab that boot with the user data that EC2 would give them. */
import { cloudHostUp } from "../../cloudHost";
import { execOn, hostDown, hostShow } from "../../hosts";
import type { Lab } from "../../places";
import { plain, type Properties } from "../shared/values";

/** Starts and ends machines. */
export interface Machines {
  /** Boots one; returns when it runs, which is before its sshd answers. @returns its address */
  readonly boot: (id: string, userData: string) => Promise<string>;
  readonly terminate: (id: string) => Promise<void>;
  readonly runs: (id: string) => Promise<boolean>;
  /** Gives it one more address, an elastic one. */
  readonly giveAddress: (id: string, address: string) => Promise<void>;
  /** Stops and starts it, as for another instance type. */
  readonly restart: (id: string) => Promise<void>;
}

/** In the lab. */
export function labMachines(lab: Lab): Machines {
  return {
    boot: (id, userData) => cloudHostUp(lab, id, userData),
    terminate: async (id) => void (await hostDown(lab, id)),
    runs: async (id) => (await hostShow(lab, id)) !== undefined,
    giveAddress: async (id, address) => {
      const ran = await execOn(lab, id, ["ip", "address", "add", `${address}/24`, "dev", "eth0"]);
      if (ran.code !== 0 && !ran.stderr.includes("exists")) throw new Error(ran.stderr);
    },
    restart: async (id) => void (await execOn(lab, id, ["systemctl", "reboot"])),
  };
}

/** What EC2 knows of an instance that runs. */
export function instanceOutputs(id: string, inputs: Properties, zone: string, address: string): Properties {
  const root = (plain(inputs["rootBlockDevice"]) ?? {}) as Properties;
  return {
    arn: `arn:aws:ec2:lab::instance/${id}`,
    availabilityZone: zone,
    instanceState: "running",
    privateIp: address,
    privateDns: `ip-${address.replaceAll(".", "-")}.lab.compute.internal`,
    publicIp: inputs["associatePublicIpAddress"] === false ? "" : address,
    rootBlockDevice: { ...root, volumeId: id.replace(/^i-/, "vol-") },
  };
}
