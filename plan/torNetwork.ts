// Which lines of a torrc may say that a machine is on a private Tor network: for the config, and again where a torrc is written.

/** An option and its value. */
export interface NetworkOption {
  readonly keyword: string;
  readonly value: string;
}

/** What people are told of the options that may be given. */
export const networkOptions = "Testing..., DirAuthority, PathsNeededToBuildCircuits";

/**
 * One line of a private network: an option, a blank, its value. Undefined for anything else, be it another option: never one
 * that would open a port or a file.
 * @example networkOption("TestingTorNetwork 1") // { keyword: "TestingTorNetwork", value: "1" }
 */
export function networkOption(line: string): NetworkOption | undefined {
  const [, keyword, value] = /^([A-Za-z0-9]+) +([!-~][ -~]*)$/.exec(line) ?? [];
  if (keyword === undefined || value === undefined) return undefined;
  if (!/^(Testing[A-Za-z0-9]*|DirAuthority|PathsNeededToBuildCircuits)$/.test(keyword)) return undefined;
  return { keyword, value: value.trimEnd() };
}

/** Whether lines name a directory authority: without one, tor uses those of the public network. */
export function hasAuthority(lines: readonly string[]): boolean {
  return lines.some((line) => networkOption(line)?.keyword === "DirAuthority");
}
