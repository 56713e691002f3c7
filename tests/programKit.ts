// The stack program, and others, over the mock engine, as Pulumi runs them.
import { mkdirSync, mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as pulumi from "@pulumi/pulumi";
import { mockEngine, type Registered } from "./mocks";

export const hostKey = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhscHR4f";

const bootedHost = () => ({ address: "192.0.2.1", port: 22, user: "operator", hostKey, instance: "0123456789ab" });

/** Runs a program's main file against the mock engine, with a stack's config as Pulumi hands it over. `outputs`: what it exports. */
export async function program(
  file: string,
  config: Record<string, unknown>,
  { secrets = [], outputs = {} }: { secrets?: string[]; outputs?: Record<string, unknown> } = {},
): Promise<Registered[]> {
  const engine = await mockEngine({ "pulumi-nodejs:dynamic/lab:Host": bootedHost });
  const texts = Object.entries(config).map(([key, value]) => [
    key,
    typeof value === "string" ? value : JSON.stringify(value),
  ]);
  pulumi.runtime.setAllConfig(Object.fromEntries(texts) as Record<string, string>, secrets);
  const path = require.resolve(file);
  delete require.cache[path];
  // eslint-disable-next-line @typescript-eslint/no-require-imports -- a program is what Pulumi requires
  Object.assign(outputs, require(path));
  await engine.settled();
  return engine.resources;
}

/** A lab that is up, as far as a program sees it. */
export function pretendLab(): void {
  const cache = mkdtempSync(join(tmpdir(), "softmap-stack-"));
  process.env["XDG_CACHE_HOME"] = cache;
  const folder = join(cache, "softmap", "labs", "dev");
  mkdirSync(folder, { recursive: true });
  const privateKeyFile = join(folder, "id");
  writeFileSync(privateKeyFile, "not a key");
  writeFileSync(join(folder, "network.json"), JSON.stringify({ torrc: ["TestingTorNetwork 1"], privateKeyFile }));
}
