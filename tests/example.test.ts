import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { parse, stringify } from "yaml";
import { ensureEngine } from "../lab/engine/engine";
import { labNamed } from "../lab/places";
import { ensureStack, pulumi } from "../lab/pulumi";
import { awsEnvironment } from "../lab/standins/aws/account";

const hostKey = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhscHR4f";

test("the example program of one's own previews with the real engine, and shows its files", async () => {
  const { environment } = await ensureEngine(() => undefined);
  const folder = mkdtempSync(join(tmpdir(), "softmap-example-"));
  try {
    const configFile = join(folder, "Pulumi.example.yaml");
    const pinned = ["north", "south", "west"].map((name) => [`own-program:${name}HostKey`, hostKey] as const);
    writeFileSync(
      configFile,
      stringify({ config: { ...Object.fromEntries(pinned), "own-program:sshKey": "not a key" } }),
    );
    const stack = {
      name: "example",
      program: join("examples", "own-program"),
      configFile,
      environment: { ...environment, PULUMI_BACKEND_URL: `file://${folder}`, PULUMI_CONFIG_PASSPHRASE: "" },
    };
    await ensureStack(stack);
    const run = await pulumi(stack, ["preview", "--diff"]);
    assert.equal(run.code, 0, run.stderr + run.stdout);
    assert.match(run.stdout, /OnionKey::www\.example\.org/);
    assert.match(run.stdout, /text\s+: "# Backend daemon tips-1-[0-9a-f]{4} of project tips/);
    // What is to be done is known before the first key is made
    assert.match(
      run.stdout,
      /ServicePlan::workers-services\]\s+actions +: \{\s+softmap-nginx@news\.service *: "start"/,
    );
    assert.match(run.stdout, /Resources:\n\s+\+ \d+ to create/);
  } finally {
    rmSync(folder, { recursive: true });
  }
});

// Each provider of machines that a stack config can name, but the lab: the lab's own tests preview that.
const machines = {
  "aws.yaml": /aws:ec2\/instance:Instance: \(create\)[^]*hosts-north/,
  "local.yaml": /command:local:Command: \(create\)[^]*workers-here-release/,
  "softmap-4-ssh.yaml": /command:remote:Command: \(create\)[^]*workers-worker1-release/,
};

for (const [name, made] of Object.entries(machines)) {
  test(`examples/config/${name} previews with the real engine, and dials nobody`, async () => {
    const { environment } = await ensureEngine(() => undefined);
    const folder = mkdtempSync(join(tmpdir(), "softmap-example-"));
    try {
      const key = join(folder, "id");
      writeFileSync(key, "not a key");
      const text = readFileSync(join("examples", "config", name), "utf8").replace("~/.ssh/id_ed25519", key);
      const { config } = parse(text) as { config: Record<string, unknown> };
      const configFile = join(folder, "Pulumi.example.yaml");
      writeFileSync(configFile, stringify({ config }));
      mkdirSync(join(folder, "softmap", "labs", "preview"), { recursive: true });
      const state = { XDG_CACHE_HOME: folder, PULUMI_BACKEND_URL: `file://${folder}`, PULUMI_CONFIG_PASSPHRASE: "" };
      const shell = { ...environment, ...awsEnvironment(labNamed("preview")), ...state };
      const stack = { name: "example", configFile, environment: shell };
      await ensureStack(stack);
      const run = await pulumi(stack, ["preview", "--diff"]);
      assert.equal(run.code, 0, run.stderr + run.stdout);
      assert.match(run.stdout, made);
      assert.match(run.stdout, /Resources:\n\s+\+ \d+ to create/);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
}
