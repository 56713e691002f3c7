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

// Onionbalance's own set, as far as the launcher's choice uses it.
const set = `
class IntroductionPointSet(object):
    def __init__(self, intro_points):
        self.intro_points = intro_points

    def choose(self, count=10, shuffle=True):
        return "its own"
`;

interface Ran {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs the launcher with an Onionbalance that has these constants, in a folder of its own. */
function launch(testnet: boolean, params: Readonly<Record<string, number>>, ...options: string[]): Ran {
  return launchMain(main, testnet, params, ...options);
}

function launchMain(
  program: string,
  testnet: boolean,
  params: Readonly<Record<string, number>>,
  ...options: string[]
): Ran {
  const folder = mkdtempSync(join(tmpdir(), "softmap-launch-"));
  try {
    const write = (file: string, text: string): void => {
      mkdirSync(dirname(join(folder, file)), { recursive: true });
      writeFileSync(join(folder, file), text);
    };
    write("launch.py", render("onionbalance-launch", readSources("onionbalance-launch"), { testnet }));
    write("onionbalance/__init__.py", "");
    write("onionbalance/manager.py", program);
    write("onionbalance/common/__init__.py", "");
    write("onionbalance/common/intro_point_set.py", set);
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

// A main that chooses: backends as lists of `<relay>:<point>`; prints what was chosen, each time anew.
const chooser = `
import json, sys
from types import SimpleNamespace
from onionbalance.common.intro_point_set import IntroductionPointSet

def point(text):
    # as stem has them: an address, which has no fingerprint, and the relay's identity
    return SimpleNamespace(name=text, link_specifiers=[SimpleNamespace(type=0), SimpleNamespace(fingerprint=text.split(":")[0])])

def main():
    backends = [[point(text) for text in its] for its in json.loads(sys.argv[1])]
    print(json.dumps([one.name for one in IntroductionPointSet(backends).choose(int(sys.argv[2]))]))
`;

/** What is chosen of these backends' points. */
function chosen(backends: readonly (readonly string[])[], count: number): string[] {
  const { status, stdout, stderr } = launchMain(chooser, false, stock, JSON.stringify(backends), String(count));
  assert.equal(status, 0, stderr);
  return (JSON.parse(stdout) as string[]).sort();
}

test("two introduction points are never on one relay, and every backend has one: a client would not tell them apart", () => {
  assert.deepEqual(
    chosen(
      [
        ["r1:a", "r2:a"],
        ["r1:b", "r3:b"],
      ],
      4,
    ).length,
    3,
  );
  // the first's only relay is what the others could have, too
  assert.deepEqual(chosen([["r1:a", "r2:a"], ["r1:b"], ["r2:c", "r3:c"]], 6), ["r1:b", "r2:a", "r3:c"]);
  assert.deepEqual(
    chosen(
      [
        ["r1:a", "r2:a", "r3:a"],
        ["r4:b", "r5:b", "r6:b"],
      ],
      4,
    ).length,
    4,
  );
  assert.deepEqual(chosen([["r1:a", "r1:b", "r1:c"]], 2), ["r1:a"]);
});

test("a backend that has no relay of its own is listed all the same; no backend has more than its share", () => {
  assert.deepEqual(chosen([["r1:a"], ["r1:b"]], 4), ["r1:a", "r1:b"]);
  assert.deepEqual(chosen([["r1:a"], [], ["r2:c", "r3:c", "r4:c"]], 6).length, 3);
  assert.deepEqual(chosen([], 0), []);
});
