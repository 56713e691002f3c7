import assert from "node:assert/strict";
import { test } from "node:test";
import { checkOnionAddress } from "../onion/address";
import { keysOfSeed, parseSecretFile } from "../onion/keys";
import { methodsOf } from "../tests/closure";
import { unreadable } from "./homePath";
import { onionKeyProvider } from "./onionKeyProvider";

const unknown = "04da6b54-80e4-46f7-96ec-b56ff0331ba9";
const [one, two] = [1, 2].map((byte) => keysOfSeed(new Uint8Array(32).fill(byte))) as [Keys, Keys];
type Keys = ReturnType<typeof keysOfSeed>;
const base64 = (keys: Keys) => Buffer.from(keys.secretFile).toString("base64");
const label = "site www.example.org";
const provider = methodsOf(onionKeyProvider);

/** One `up` as the engine runs it: check, then create, or diff and update. Throws what a person would be shown. */
async function up(state: State | undefined, args: Record<string, string>): Promise<State & { step: string }> {
  const checked = await provider.check(state?.inputs ?? {}, { label, ...args });
  const failures = checked.failures ?? [];
  if (failures.length > 0) throw new Error(failures.map(({ reason }) => reason).join("\n"));
  const inputs = { ...checked.inputs, __provider: "code" };
  if (!state) return { inputs, outputs: (await provider.create(inputs)).outs, step: "create" };
  const { changes, replaces } = await provider.diff("id", state.outputs, inputs);
  assert.equal(replaces, undefined, "site keys are protected: never a replacement");
  if (!changes) return { inputs, outputs: state.outputs, step: "same" };
  return { inputs, outputs: (await provider.update("id", state.outputs, inputs)).outs, step: "update" };
}

interface State {
  inputs: Record<string, string>;
  outputs: Record<string, string>;
}

test("a key is made once and kept for ever", async () => {
  const first = await up(undefined, {});
  assert.equal(first.inputs["address"], undefined, "unknown in a first preview");
  const { address = "", hostname, secretKey = "", publicKey = "" } = first.outputs;
  assert.equal(checkOnionAddress(address), undefined);
  assert.equal(hostname, `${address}\n`);
  const keys = parseSecretFile(Buffer.from(secretKey, "base64"));
  assert.equal(keys.address, address);
  assert.deepEqual(Buffer.from(publicKey, "base64"), Buffer.from(keys.publicFile));
  const second = await up(first, {});
  assert.deepEqual([second.step, second.outputs], ["same", first.outputs]);
  assert.notEqual((await up(undefined, {})).outputs["address"], address);
});

test("a key that is given is adopted, and its address is known at preview", async () => {
  const adopted = await up(undefined, { secretKey: base64(one), onion: one.address });
  assert.equal(adopted.inputs["address"], one.address);
  assert.equal(adopted.outputs["secretKey"], base64(one));
  // In another form, without its onion, or not given any more: nothing changes.
  const bare = Buffer.from(one.secretFile.subarray(32)).toString("base64");
  for (const args of [{ secretKey: bare }, {}, { onion: one.address }])
    assert.equal((await up(adopted, args)).step, "same");
});

test("the key of a generated address can be given later: nothing changes", async () => {
  const first = await up(undefined, {});
  const later = await up(first, { secretKey: first.outputs["secretKey"] ?? "" });
  assert.deepEqual([later.step, later.outputs], ["same", first.outputs]);
});

test("an address is let go only by its name, in place, and only once", async () => {
  for (const first of [await up(undefined, {}), await up(undefined, { secretKey: base64(one) })]) {
    const old = first.outputs["address"] ?? "";
    const refused = {
      message: `${label}: its address would change from ${old} to ${two.address}. Next: give the key of ${old} back, or let that address go with replaceAddress: ${old}`,
    };
    await assert.rejects(up(first, { secretKey: base64(two) }), refused);
    await assert.rejects(up(first, { secretKey: base64(two), replaceAddress: two.address }), refused);
    const changed = await up(first, { secretKey: base64(two), replaceAddress: old });
    assert.deepEqual([changed.step, changed.outputs["address"]], ["update", two.address]);
    assert.equal((await up(changed, { secretKey: base64(two), replaceAddress: old })).step, "same");
    assert.equal((await up(changed, { secretKey: base64(two) })).step, "same");
  }
});

test("without a key replaceAddress makes a new one, once", async () => {
  const first = await up(undefined, {});
  const old = first.outputs["address"] ?? "";
  const changed = await up(first, { replaceAddress: old });
  assert.equal(changed.step, "update");
  assert.notEqual(changed.outputs["address"], old);
  assert.equal((await up(changed, { replaceAddress: old })).step, "same");
});

test("onion and key must belong together", async () => {
  const both = new RegExp(`${label}: onion says ${two.address} but the key given is that of ${one.address}. Next: `);
  await assert.rejects(up(undefined, { secretKey: base64(one), onion: two.address }), both);
  await assert.rejects(up(undefined, { onion: two.address }), /its key was not given\. Next: /);
  const held = await up(undefined, { secretKey: base64(one) });
  await assert.rejects(up(held, { onion: two.address }), /the key that is held is that of .* Next: write/);
  await assert.rejects(
    up(held, { onion: one.address, replaceAddress: one.address }),
    /cannot be kept and let go\. Next: /,
  );
});

test("all problems at once, none with the key in it or a property whose value would be printed", async () => {
  const broken = base64(one).slice(0, 100);
  const news = { label, secretKey: broken, onion: "short.onion", replaceAddress: "x" };
  const { failures = [] } = await provider.check({}, news);
  assert.equal(failures.length, 3);
  for (const { property, reason } of failures) {
    assert.equal(property, "");
    assert.ok(reason.startsWith(`${label}: `) && !reason.includes(broken.slice(0, 20)), reason);
    assert.match(reason, /\. Next: /);
  }
});

test("the file of a key that was adopted is gone: said with the way out, and that way keeps everything", async () => {
  const adopted = await up(undefined, { secretKey: base64(one), onion: one.address });
  const says =
    /nor the name of a file that can be read \(ENOENT\)\. Next: .*If it was adopted already, remove it from siteKeys/;
  await assert.rejects(up(adopted, { secretKey: `${unreadable}ENOENT`, onion: one.address }), says);
  const without = await up(adopted, {});
  assert.deepEqual([without.step, without.outputs], ["same", adopted.outputs]);
});

test("a key that is not known yet leaves everything unknown", async () => {
  const { inputs, failures } = await provider.check({}, { label, secretKey: unknown });
  assert.deepEqual(failures, []);
  assert.deepEqual([inputs["address"], inputs["secretKey"], inputs["publicKey"]], [unknown, unknown, unknown]);
  assert.equal((await provider.diff("id", { label, address: one.address }, inputs)).changes, true);
});
