// A jump host: the machine that ssh goes through.
import { z } from "zod";
import { address, hostKey, port, user } from "./network";

export const proxy = z.strictObject({ address, port: port.prefault(22), user: user.optional(), hostKey }).meta({
  description:
    "Jump host that ssh goes through: `{ address, port, user, hostKey }`, with the same key and user as the machines unless it has a user of its own.",
  examples: [{ address: "jump.example.net", user: "ops", hostKey: "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIA..." }],
});
