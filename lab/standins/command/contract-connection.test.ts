/** How the command plugin connects: see contract.test.ts. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer, type AddressInfo } from "node:net";
import { describe, test } from "node:test";
import { Contract, without } from "./testing/contract";
import type { Properties } from "../shared/testing/plugin";
import { startServer } from "./testing/sshServer";

describe("connection", () => {
  const it = new Contract();
  const fails = (more: Properties, message: RegExp) =>
    assert.rejects(it.run({ create: "true", connection: it.connection(more) }), { message });

  test("failed dials are repeated up to `dialErrorLimit`, each said live", async () => {
    const flaky = await startServer({ cutFirst: 2 });
    try {
      it.plugin.log.length = 0;
      const { port, privateKey, hostKey } = flaky;
      await it.run({ create: "true", connection: it.connection({ port, privateKey, hostKey, dialErrorLimit: 2 }) });
      assert.equal(flaky.dials(), 3);
      const said = it.plugin.log.map(({ message }) => message);
      assert.deepEqual(said, ["Dial 1/2 failed: retrying", "Dial 2/2 failed: retrying"]);
    } finally {
      await flaky.close();
    }
  });

  test("nobody listens: the count and the reason", async () => {
    const closed = createServer().listen(0, "127.0.0.1");
    await once(closed, "listening");
    const { port } = closed.address() as AddressInfo;
    closed.close();
    const reason = `dial tcp 127.0.0.1:${port}: connect: connection refused`;
    await fails({ port, dialErrorLimit: 1 }, new RegExp(`^after 1 failed attempts: ${reason}$`));
  });

  test("another host key is refused, also by patience", async () => {
    const other = await startServer();
    await other.close();
    const { hostKey } = other;
    const dials = await it.dialsOf(() =>
      fails({ hostKey, dialErrorLimit: 1 }, /^after 1 failed attempts: ssh: handshake failed: ssh: host key mismatch$/),
    );
    assert.equal(dials, 2);
    await fails({ hostKey: "nonsense" }, /^failed to parse host key: ssh: no key found$/);
  });

  test("without a host key any is taken", async () => {
    const open = without(it.connection(), "hostKey");
    assert.equal((await it.run({ create: "echo in", connection: open })).state["stdout"], "in");
  });

  test("a wrong user: what was tried", async () => {
    await fails(
      { user: "nobody" },
      /ssh: handshake failed: ssh: unable to authenticate, attempted methods \[none publickey\], no supported methods remain$/,
    );
  });

  test("a key that is none fails before any dial", async () => {
    assert.equal(await it.dialsOf(() => fails({ privateKey: "nonsense" }, /^ssh: no key found$/)), 0);
  });

  test("`proxy` is a jump host, and its failures say so", async () => {
    const jump = await startServer({ user: "jumper" });
    const { port, privateKey, hostKey } = jump;
    const proxy = { host: "127.0.0.1", port, user: "jumper", privateKey, hostKey, dialErrorLimit: 0 };
    try {
      assert.equal((await it.run({ create: "echo in", connection: it.connection({ proxy }) })).state["stdout"], "in");
      assert.equal(jump.dials(), 1);
      await fails(
        { proxy: { ...proxy, user: "operator" } },
        /^proxy: after 0 failed attempts: ssh: handshake failed: /,
      );
    } finally {
      await jump.close();
    }
  });
});
