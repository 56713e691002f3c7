/** An ED25519 key in OpenSSH's forms: https://github.com/openssh/openssh-portable/blob/master/PROTOCOL.key, no passphrase. */
import { createHash, type KeyObject } from "node:crypto";

const type = Buffer.from("ssh-ed25519");
const none = Buffer.from("none");

/** Both halves, as the real plugin writes them: the public one with a line feed and no comment. */
export function openssh(key: KeyObject): { privateKey: string; publicKey: string } {
  const { d = "", x = "" } = key.export({ format: "jwk" });
  const [seed, point] = [Buffer.from(d, "base64url"), Buffer.from(x, "base64url")];
  const publicBlob = Buffer.concat([field(type), field(point)]);
  // Two equal numbers tell a reader that it has decrypted rightly; there is nothing to decrypt.
  const check = createHash("sha256").update(publicBlob).digest().subarray(0, 4);
  const secret = Buffer.concat([
    check,
    check,
    field(type),
    field(point),
    field(Buffer.concat([seed, point])),
    field(Buffer.alloc(0)),
  ]);
  const padding = Buffer.from(Array.from({ length: (8 - (secret.length % 8)) % 8 }, (_, i) => i + 1));
  const whole = Buffer.concat([
    Buffer.from("openssh-key-v1\0"),
    ...[field(none), field(none), field(Buffer.alloc(0))],
    ...[number(1), field(publicBlob), field(Buffer.concat([secret, padding]))],
  ]);
  const lines = whole.toString("base64").match(/.{1,70}/g) ?? [];
  const label = "OPENSSH PRIVATE KEY";
  return {
    privateKey: `-----BEGIN ${label}-----\n${lines.join("\n")}\n-----END ${label}-----\n`,
    publicKey: `ssh-ed25519 ${publicBlob.toString("base64")}\n`,
  };
}

function number(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}

function field(bytes: Buffer): Buffer {
  return Buffer.concat([number(bytes.length), bytes]);
}
