import assert from "node:assert/strict";
import { test } from "node:test";
import { parse } from "yaml";
import { userData } from "./userData";

const given = {
  loginKey: "ssh-ed25519 AAAAlogin",
  hostKey: { privateKey: "-----BEGIN OPENSSH PRIVATE KEY-----\nb25l\n", publicKey: "ssh-ed25519 AAAAhost" },
};

test("user data, as a machine gets it", () => {
  assert.equal(
    userData(given),
    `#cloud-config
{
  "users": [
    {
      "name": "softmap",
      "gecos": "softmap",
      "shell": "/bin/bash",
      "lock_passwd": true,
      "sudo": "ALL=(ALL) NOPASSWD:ALL",
      "ssh_authorized_keys": [
        "ssh-ed25519 AAAAlogin"
      ]
    }
  ],
  "disable_root": true,
  "allow_public_ssh_keys": false,
  "ssh_deletekeys": true,
  "ssh_keys": {
    "ed25519_private": "-----BEGIN OPENSSH PRIVATE KEY-----\\nb25l\\n",
    "ed25519_public": "ssh-ed25519 AAAAhost"
  },
  "write_files": [
    {
      "path": "/etc/ssh/sshd_config.d/10-softmap.conf",
      "content": "HostKey /etc/ssh/ssh_host_ed25519_key\\nPasswordAuthentication no\\nKbdInteractiveAuthentication no\\nPermitRootLogin no\\nAllowUsers softmap\\n"
    }
  ],
  "locale": "C.UTF-8"
}
`,
  );
});

test("it is YAML that says the same", () => {
  const { ssh_keys: keys, users } = parse(userData(given)) as Record<string, unknown>;
  assert.deepEqual(keys, { ed25519_private: given.hostKey.privateKey, ed25519_public: given.hostKey.publicKey });
  assert.equal((users as unknown[]).length, 1);
});

test("EC2 takes 16 kB", () => {
  // An OpenSSH ed25519 key has about 400 bytes.
  const key = { privateKey: "k".repeat(500), publicKey: "p".repeat(100) };
  assert.ok(userData({ loginKey: "l".repeat(100), hostKey: key }).length < 4_000);
});
