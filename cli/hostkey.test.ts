import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { startServer } from "../lab/standins/command/testing/sshServer";
import { keysOf, main } from "./hostkey";

let ssh = "ssh";

async function asked(...args: string[]): Promise<{ code: number; out: string; err: string }> {
  const said = { out: "", err: "" };
  const add = (where: keyof typeof said) => (text: string) => void (said[where] += `${text}\n`);
  const code = await main(args, { out: add("out"), err: add("err") }, ssh);
  return { code, ...said };
}

test("the line to paste, and the fingerprint as ssh-keygen prints it; nobody logs in", async () => {
  const server = await startServer();
  const { code, out } = await asked("127.0.0.1", "--port", String(server.port));
  assert.equal(code, 0);
  assert.ok(out.includes(`hostKey: "${server.hostKey}"`), out);
  const folder = mkdtempSync(join(tmpdir(), "softmap-hostkey-"));
  writeFileSync(join(folder, "key.pub"), `${server.hostKey} host\n`);
  const { stdout } = spawnSync("ssh-keygen", ["-lf", join(folder, "key.pub")], { encoding: "utf8" });
  rmSync(folder, { recursive: true });
  const [, fingerprint = "none"] = stdout.split(" ");
  assert.match(fingerprint, /^SHA256:/);
  assert.ok(out.includes(`ssh-ed25519  ${fingerprint}`), out);
  assert.match(out, /compare the fingerprint by eye with the one on the console of 127\.0\.0\.1/);
  await server.close();
});

test("a machine that does not answer, and a wrong call", async () => {
  const closed = createServer().listen(0, "127.0.0.1");
  await new Promise((resolve) => closed.once("listening", resolve));
  const { port } = closed.address() as AddressInfo;
  closed.close();
  await assert.rejects(keysOf({ host: "127.0.0.1", port }), /shows no host key: .*ECONNREFUSED/);
  assert.equal((await asked("127.0.0.1", "--port", String(port))).code, 1);
  for (const wrong of [[], ["a", "b"], ["a", "--port", "x"], ["a", "--colour"]])
    assert.equal((await asked(...wrong)).code, 2, wrong.join(" "));
  assert.match((await asked("a", "--port", "0")).err, /^--port takes a number from 1 to 65535, not 0\.\nusage: /);
  assert.match((await asked("a", "--proxy", "-oProxyCommand=x")).err, /^(--proxy takes|Option '--proxy)/);
  assert.match((await asked("a", "--proxy=-oProxyCommand=x")).err, /^--proxy takes USER@HOST or USER@HOST:PORT, not /);
});

test("by way of a jump host that ssh(1) logs in at", async (t) => {
  const [jump, server] = [await startServer({ user: "jumper" }), await startServer()];
  const folder = mkdtempSync(join(tmpdir(), "softmap-hostkey-"));
  t.after(async () => {
    ssh = "ssh";
    rmSync(folder, { recursive: true });
    await jump.close();
    await server.close();
  });
  writeFileSync(join(folder, "key"), jump.privateKey, { mode: 0o600 });
  writeFileSync(join(folder, "known_hosts"), `[127.0.0.1]:${jump.port} ${jump.hostKey}\n`);
  ssh = join(folder, "ssh");
  const options = `-F none -o BatchMode=yes -o StrictHostKeyChecking=yes -o UserKnownHostsFile=${folder}/known_hosts -i ${folder}/key`;
  writeFileSync(ssh, `#!/bin/sh\nexec /usr/bin/ssh ${options} "$@" 2>/dev/null\n`, { mode: 0o755 });
  const at = ["127.0.0.1", "--port", String(server.port)];
  const { code, out, err } = await asked(...at, "--proxy", `jumper@127.0.0.1:${jump.port}`);
  assert.deepEqual([code, err], [0, ""]);
  assert.ok(out.includes(`hostKey: "${server.hostKey}"`), out);
  const refused = await asked(...at, "--proxy", `stranger@127.0.0.1:${jump.port}`);
  assert.equal(refused.code, 1);
  assert.match(refused.err, /shows no host key: .*\n {2}Next: .* by way of stranger@127\.0\.0\.1:/);
});
