import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { deflateSync } from "node:zlib";
import { proxyFiles } from "../proxy";
import { packId, releaseProgram, renewalFile, rooted, rootless } from "./program";
import { codeOfStep, pack, payloadAsPythonReadsIt, programs, pythonOf, release, script } from "./testing/programs";

test("files that are the same on every machine come with the pack: a release names them", () => {
  const [lua] = proxyFiles();
  const files = [
    { path: lua?.path ?? "", text: lua?.text ?? "" },
    { path: "base/renew.py", text: renewalFile() },
    { path: "nginx/news.conf", text: "events {}\n" },
  ];
  const sent = payloadAsPythonReadsIt(releaseProgram({ ...release, files })) as { readonly files: unknown };
  assert.deepEqual(sent.files, [
    { packed: lua?.path, path: lua?.path },
    { packed: "renew", path: "base/renew.py" },
    { path: "nginx/news.conf", text: "events {}\n" },
  ]);
  const reading = `${pack.modules["pack"]}\npack, payload = json.load(sys.stdin)\nprint(json.dumps(with_texts(payload, pack)))\n`;
  const input = JSON.stringify([pack, sent]);
  const made = execFileSync("python3", ["-I", "-c", reading], { input, encoding: "utf8" });
  assert.deepEqual(JSON.parse(made), JSON.parse(JSON.stringify({ ...release, files })));
});

test("what a provider of ours sends is in the state without a shell script, and is sent with bootstrap.sh; an earlier version's is sent as it is", () => {
  for (const program of [programs.probe, programs.retire]) {
    const kept = rootless(program);
    assert.equal(kept, pythonOf(program));
    assert.equal(rooted(kept), `${Buffer.byteLength(script)}\n${script}${kept}`);
    assert.equal(rooted(program), program);
  }
});

/** Runs a packed program's Python with a pack of its own, or none. */
function runPacked(program: string, content: object | undefined, word?: string) {
  const folder = mkdtempSync(join(tmpdir(), "softmap-pack-"));
  try {
    if (content !== undefined) writeFileSync(join(folder, packId()), deflateSync(JSON.stringify(content)));
    const python = pythonOf(program)
      .replaceAll("/var/lib/softmap/programs", folder)
      .replace("/etc/softmap", `${folder}/etc`);
    return spawnSync("python3", ["-I", "-", ...(word === undefined ? [] : [word])], {
      input: python,
      encoding: "utf8",
    });
  } finally {
    rmSync(folder, { recursive: true });
  }
}

test("a bug is told with its place in the code, and without any value", () => {
  const { probe = "" } = pack.modules;
  const ran = runPacked(programs.probe, {
    ...pack,
    modules: { ...pack.modules, probe: probe.replace('payload["roles"]', 'payload["secret"]') },
  });
  assert.equal(ran.status, 1);
  const [, line] = /a bug in softmap's own step: KeyError at .*probe_main:(\d+)\. Next: /.exec(ran.stderr) ?? [
    ran.stderr,
  ];
  assert.match(codeOfStep("probe").split("\n")[Number(line) - 1] ?? "", /payload\["roles"\]/);
});

test("without its pack a step says what to do; a removal has nothing to remove where softmap's folder is gone too", () => {
  const missing =
    /^softmap release on worker1 failed: softmap's programs are not on this host any more\. Next: run `pulumi refresh`, then `pulumi up`/;
  const ran = runPacked(programs.release, undefined);
  assert.equal(ran.status, 1);
  assert.match(ran.stderr, missing);
  const removal = runPacked(programs.retire, undefined, "everything");
  assert.deepEqual([removal.status, removal.stdout], [0, "worker1: nothing of softmap is here any more\n"]);
});
