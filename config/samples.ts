// Configs for tests: right ones, to be broken one thing at a time.
import assert from "node:assert/strict";
import { test } from "node:test";
import { type ParseOptions, parseStackConfig } from "./parse";
import { type Problem, ProblemsError } from "./problems";

type Keys = Record<string, unknown>;

export const onion = "pg6mmjiyjmcrsslvykfwnntlaru7p5svn6y2ymmju6nubxndf4pscryd.onion";
export const site = { domain: "www.example.org" };
export const project = (more: Keys = {}): Keys => ({ name: "news", sites: [site], ...more });
export const lab = (more: Keys = {}): Keys => ({ hosts: { provider: "lab" }, projects: [project()], ...more });
export const withSite = (more: Keys): Keys => lab({ projects: [project({ sites: [{ ...site, ...more }] })] });

export const key = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIM/zf2yfZZZx26ujhIOQOhsFGcTWFkbbxXqDXaHSZW0X";
export const machine = (name: string, address: string, more: Keys = {}): Keys => ({
  name,
  address,
  hostKey: key,
  ...more,
});
export const ssh = (more: Keys = {}, login: Keys = { agent: true }): Keys => ({
  hosts: { provider: "ssh", user: "admin", ...login },
  balancers: [machine("b1", "203.0.113.1")],
  workers: [machine("w1", "203.0.113.2")],
  projects: [project()],
  ...more,
});

/** What is wrong, the config, what the report says of it (place | message | next step), and for which domains there is a key. */
export type Fault = [what: string, config: Keys, says: string[], siteKeyDomains?: string[]];

/** Every problem that parsing a config throws; none when it is right. */
export function problemsIn(config: Keys, options: ParseOptions = {}): readonly Problem[] {
  try {
    parseStackConfig(config, options);
    return [];
  } catch (error) {
    assert.ok(error instanceof ProblemsError, String(error));
    return error.problems;
  }
}

/** One test a fault: parsing throws exactly these problems. */
export function testFaults(faults: readonly Fault[]): void {
  for (const [what, config, says, siteKeyDomains] of faults) {
    test(`refused: ${what}`, () => {
      assert.deepEqual(problemsIn(config, { siteKeyDomains }).map(line), says);
    });
  }
}

/** A problem in one line. */
export function line({ component, property, value, message, next }: Problem): string {
  const given = value === undefined ? "" : ` = ${JSON.stringify(value)}`;
  return `${component}: ${property}${given} | ${message} | ${next}`;
}
