/**
 * The plugin whose behaviour is tested: the stand-in, or a real one named by SOFTMAP_COMMAND_PLUGIN, with an SSH server
 * to speak to and a folder to write to.
 */
import assert from "node:assert/strict";
import { mkdtempSync, realpathSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before } from "node:test";
import { setTimeout as wait } from "node:timers/promises";
import { Plugin, type Properties } from "../../shared/testing/plugin";
import { startServer, type TestServer } from "./sshServer";

/** The plugin's executable. */
export const pluginFile = process.env["SOFTMAP_COMMAND_PLUGIN"] ?? join(__dirname, "..", "pulumi-resource-command");

const urn = (type: string) => `urn:pulumi:dev::softmap::command:${type}::it`;
export const remote = urn("remote:Command");
export const local = urn("local:Command");
export const copy = urn("remote:CopyToRemote");

/** Starts plugin and server before the tests of a suite and stops them after. */
export class Contract {
  folder = "";
  plugin!: Plugin;
  server!: TestServer;

  constructor() {
    before(async () => {
      this.folder = realpathSync(mkdtempSync(join(tmpdir(), "softmap-command-")));
      this.server = await startServer({ acceptEnv: ["LC_WORD", "PULUMI_COMMAND_STDOUT"] });
      this.plugin = await Plugin.start(pluginFile, this.folder);
    });
    after(async () => {
      await this.plugin.close();
      await this.server.close();
      rmSync(this.folder, { recursive: true });
    });
  }

  /** The server's connection; no failed dial is forgiven unless asked. */
  connection(more: Properties = {}): Properties {
    const { port, privateKey, hostKey } = this.server;
    return { host: "127.0.0.1", port, user: "operator", privateKey, hostKey, dialErrorLimit: 0, ...more };
  }

  /** What the engine does: check, then create with what check made of it. */
  async create(type: string, inputs: Properties) {
    const { inputs: checked, failures } = await this.plugin.check(type, inputs);
    assert.deepEqual(failures, []);
    return this.plugin.create(type, checked);
  }

  /** A remote.Command as softmap uses it. */
  run(inputs: Properties) {
    return this.create(remote, { connection: this.connection(), addPreviousOutputInEnv: false, ...inputs });
  }

  /** How many connections the work opened. */
  async dialsOf(work: () => Promise<unknown>): Promise<number> {
    const before = this.server.dials();
    await work();
    return this.server.dials() - before;
  }
}

/** The properties but for some. */
export function without(properties: Properties, ...names: string[]): Properties {
  return Object.fromEntries(Object.entries(properties).filter(([name]) => !names.includes(name)));
}

/** Waits for a condition. */
export async function until(holds: () => boolean): Promise<void> {
  const since = Date.now();
  while (!holds()) {
    assert.ok(Date.now() - since < 20_000, "nothing came in 20 s");
    await wait(20);
  }
}
