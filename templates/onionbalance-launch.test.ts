import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { test } from "node:test";
import { render } from "./index";
import { readSources } from "./sources";

/** The constants of Onionbalance 0.2.2 and 0.2.4 that are timers, hs_v3/params.py. */
const stock = {
  INITIAL_CALLBACK_DELAY: 45,
  FETCH_DESCRIPTOR_FREQUENCY: 600,
  FETCH_DESCRIPTOR_FREQUENCY_TESTNET: 20,
  PUBLISH_DESCRIPTOR_CHECK_FREQUENCY: 300,
  PUBLISH_DESCRIPTOR_CHECK_FREQUENCY_TESTNET: 10,
  FRONTEND_DESCRIPTOR_LIFETIME: 3600,
  FRONTEND_DESCRIPTOR_LIFETIME_TESTNET: 20,
  INSTANCE_DESCRIPTOR_TOO_OLD: 3600,
  INSTANCE_DESCRIPTOR_TOO_OLD_TESTNET: 20,
};

// A main that says what it was started with, and two ways to read a timer: as Onionbalance does, and a copy taken at its loading.
const main = `
import json, sys
from onionbalance.hs_v3 import params
from onionbalance.hs_v3.params import INITIAL_CALLBACK_DELAY as copied

def main():
    timers = {name: value for name, value in vars(params).items() if name.isupper()}
    print(json.dumps({"timers": timers, "copied": copied, "options": sys.argv[1:]}))
    return 7
`;

interface Ran {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs the launcher with an Onionbalance that has these constants, in a folder of its own. */
function launch(testnet: boolean, params: Readonly<Record<string, number>>, ...options: string[]): Ran {
  const folder = mkdtempSync(join(tmpdir(), "softmap-launch-"));
  try {
    const write = (file: string, text: string): void => {
      mkdirSync(dirname(join(folder, file)), { recursive: true });
      writeFileSync(join(folder, file), text);
    };
    write("launch.py", render("onionbalance-launch", readSources("onionbalance-launch"), { testnet }));
    write("onionbalance/__init__.py", "");
    write("onionbalance/manager.py", main);
    write("onionbalance/hs_v3/__init__.py", "");
    write(
      "onionbalance/hs_v3/params.py",
      Object.entries(params)
        .map(([name, value]) => `${name} = ${value}\n`)
        .join(""),
    );
    // Not isolated as on a host: the package is beside the program here.
    return spawnSync("python3", ["-B", join(folder, "launch.py"), ...options], { encoding: "utf8" });
  } finally {
    rmSync(folder, { recursive: true });
  }
}

test("the launcher sets the timers, nothing else, and runs Onionbalance's own main with its options", () => {
  const { status, stdout, stderr } = launch(false, stock, "-c", "a.yaml", "-s", "control");
  assert.equal(stderr, "");
  assert.equal(status, 7, "main's own exit code");
  const timers = {
    ...stock,
    FETCH_DESCRIPTOR_FREQUENCY: 120,
    PUBLISH_DESCRIPTOR_CHECK_FREQUENCY: 30,
    INITIAL_CALLBACK_DELAY: 15,
  };
  assert.deepEqual(JSON.parse(stdout), { timers, copied: 15, options: ["-c", "a.yaml", "-s", "control"] });
});

test("on a test network what --is-testnet sets stays", () => {
  const { status, stdout } = launch(true, stock, "--is-testnet");
  assert.equal(status, 7);
  const { timers } = JSON.parse(stdout) as { timers: typeof stock };
  assert.ok(timers.INITIAL_CALLBACK_DELAY < stock.INITIAL_CALLBACK_DELAY);
  assert.deepEqual({ ...timers, INITIAL_CALLBACK_DELAY: 0 }, { ...stock, INITIAL_CALLBACK_DELAY: 0 });
});

for (const absent of ["FETCH_DESCRIPTOR_FREQUENCY", "PUBLISH_DESCRIPTOR_CHECK_FREQUENCY", "INITIAL_CALLBACK_DELAY"]) {
  test(`an Onionbalance without ${absent} is not started, and one line says so`, () => {
    const others = Object.fromEntries(Object.entries(stock).filter(([name]) => name !== absent));
    const { status, stdout, stderr } = launch(false, others);
    assert.equal(status, 1);
    assert.equal(stdout, "");
    assert.match(stderr, new RegExp(`^Onionbalance on this host: .*params\\.py has no ${absent}, .* Next: .*\\n$`));
  });
}
