/**
 * What is built where Pulumi's own download cannot be had: its CLI and the Node language host, from Go modules whose
 * versions and checksums are in go.mod and go.sum beside this file.
 */
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { homedir } from "node:os";
import { join, resolve, sep } from "node:path";

/** The version of the npm package `pulumi`, whose layout the built home follows. */
export const pulumiVersion = "3.259.0";

/** One program to build. */
export interface Program {
  /** The file in the home's bin folder. */
  name: string;
  /** What it is, for messages. */
  title: string;
  /** Folder with its go.mod and go.sum, relative to this one. */
  folder: string;
  package: string;
  flags: readonly string[];
}

// The version is what the CLI says of itself and what it asks of plugins; without it, it is a "dev" build.
const ldflags = `-ldflags=-s -w -X github.com/pulumi/pulumi/sdk/v3/go/common/version.Version=v${pulumiVersion}`;

export const programs: readonly Program[] = [
  {
    // Not the name that the CLI looks for: that is the script which starts it.
    name: "pulumi-language-nodejs-host",
    title: "the Node language host",
    folder: "nodehost",
    // The host's current module is not served by the module proxy; in v3.68.0 it was still part of the SDK's, and that
    // one drives this CLI and the SDK of package.json.
    package: "github.com/pulumi/pulumi/sdk/v3/nodejs/cmd/pulumi-language-nodejs",
    flags: ["-trimpath", ldflags],
  },
  {
    name: "pulumi",
    title: "the Pulumi CLI",
    folder: "cli",
    package: "github.com/pulumi/pulumi/pkg/v3/cmd/pulumi",
    // The tags of Pulumi's own releases without cgo.
    flags: ["-trimpath", "-tags=osusergo,grpcnotrace", ldflags],
  },
];

/** The script that starts the Node language host, under the name that the CLI looks for. */
export const nodeHostLauncher = join(__dirname, "nodehost", "pulumi-language-nodejs");

/** The folder of a clone. */
export const root = resolve(__dirname, "../..");

/** Where engines are kept, shared by all clones of this user: `${XDG_CACHE_HOME:-~/.cache}/softmap/engine`. */
export function engineCache(): string {
  return join(process.env["XDG_CACHE_HOME"] || join(homedir(), ".cache"), "softmap", "engine");
}

/** The name of what the recipe makes on this platform: another recipe goes to another folder. */
export function recipeHash(): string {
  const hash = createHash("sha256").update(JSON.stringify([pulumiVersion, programs, process.platform, process.arch]));
  for (const { folder } of programs) {
    for (const file of ["go.mod", "go.sum"]) hash.update(readFileSync(join(__dirname, folder, file)));
  }
  hash.update(readFileSync(nodeHostLauncher));
  return hash.digest("hex").slice(0, 16);
}

/** The PULUMI_HOME of the built engine. */
export function builtHome(): string {
  return join(engineCache(), recipeHash());
}

/** The PULUMI_HOME that the operator has anyway; one of ours in the environment is not theirs. */
export function ordinaryHome(): string {
  const set = process.env["PULUMI_HOME"];
  return set && !set.startsWith(engineCache() + sep) ? set : join(homedir(), ".pulumi");
}

/** The CLI in a home, where the npm package `pulumi` looks for it and puts it. */
export function cli(home: string): string {
  return join(home, "versions", pulumiVersion, "bin", "pulumi");
}
