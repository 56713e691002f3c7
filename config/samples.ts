// Configs for tests: right ones, to be broken one thing at a time.
import assert from "node:assert/strict";
import { test } from "node:test";
import { parseStackConfig, validateStackConfig } from "./parse";
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

/** One test a fault: exactly these problems, and parsing throws exactly them. */
export function testFaults(faults: readonly Fault[]): void {
  for (const [what, config, says, siteKeyDomains] of faults) {
    test(`refused: ${what}`, () => {
      const problems = validateStackConfig(config, { siteKeyDomains });
      assert.deepEqual(problems.map(line), says);
      const same = (error: unknown): boolean => error instanceof ProblemsError && error.problems.length === says.length;
      assert.throws(() => parseStackConfig(config, { siteKeyDomains }), same);
    });
  }
}

/** A problem in one line. */
export function line({ component, property, value, message, next }: Problem): string {
  const given = value === undefined ? "" : ` = ${JSON.stringify(value)}`;
  return `${component}: ${property}${given} | ${message} | ${next}`;
}
