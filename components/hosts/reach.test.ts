import assert from "node:assert/strict";
import { test } from "node:test";
import { reachHint } from "./reach";

const after = (error: string): string => reachHint("worker1", `after 8 failed attempts: ${error}`) ?? "nothing";

test("each way of not reaching a host has a meaning and a next step", () => {
  const handshake = "ssh: handshake failed: ssh:";
  assert.match(after(`${handshake} host key mismatch`), /^host worker1: .*another host key.* Next: compare hostKey/);
  const login = `${handshake} unable to authenticate, attempted methods [none publickey], no supported methods remain`;
  assert.match(after(login), /does not accept the login.*authorized_keys/);
  assert.match(after("dial tcp 192.0.2.1:22: connect: connection refused"), /nothing answers.*firewall/);
  assert.match(after("dial tcp 192.0.2.1:22: i/o timeout"), /nothing answers/);
  assert.match(after("dial tcp: lookup w1.example.net: no such host"), /no address.*DNS/);
  assert.match(reachHint("worker1", "ssh: this private key is passphrase protected") ?? "", /agent: true/);
  const lost = "wait: remote command exited without exit status or exit signal: running \"sh\":\n";
  assert.match(reachHint("worker1", lost) ?? "", /lost on the way.*pulumi up/);
});

test("a step that ran and failed speaks for itself", () => {
  assert.equal(reachHint("worker1", 'Process exited with status 1: running "sh":\ndial tcp 192.0.2.1:80: i/o timeout'), undefined);
});
