// What a provider puts on every machine besides tor, nginx and Onionbalance.
import { z } from "zod";
import { port } from "./network";

/** The settings of the base, with whether it is there unless the config says otherwise. */
export function baseSettings(fallback: boolean) {
  return {
    base: z
      .boolean()
      .prefault(fallback)
      .meta({
        description:
          "Whether the machine itself is looked after: security updates, the firewall, kernel limits, the journal's size, AppArmor.",
        examples: [!fallback],
      }),
    firewall: z
      .boolean()
      .prefault(fallback)
      .meta({
        description:
          "Whether the base has a firewall: nothing comes in but ssh, and our services reach only what they need.",
        examples: [!fallback],
      }),
    openPorts: z
      .array(port)
      .prefault([])
      .meta({
        description: "TCP ports besides ssh that the firewall lets in: for other programs on the machine.",
        examples: [[9100]],
      }),
  };
}
