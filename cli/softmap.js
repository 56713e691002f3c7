#!/usr/bin/env node
// The command `softmap`. In a clone it goes through lab/setup.sh, which brings the dependencies and Node, and compiles as it runs;
// in an installed package it runs what was compiled there. Plain JavaScript, since whichever Node is there begins here.
"use strict";

const { spawn } = require("node:child_process");
const { existsSync } = require("node:fs");
const { constants } = require("node:os");
const { join } = require("node:path");

const root = join(__dirname, "..");
const setup = join(root, "lab", "setup.sh");
const args = process.argv.slice(2);

// A clone may hold what `npm pack` left in dist/: it runs its own sources all the same.
if (existsSync(setup)) inClone();
else inPackage();

function inPackage() {
  const [major, minor] = process.versions.node.split(".").map(Number);
  if (major < 20 || (major === 20 && minor < 19)) {
    console.error(`softmap needs Node 20.19 or later, and this is ${process.version}.\n  Next: install a newer Node.`);
    process.exitCode = 1;
    return;
  }
  const { main } = require(join(root, "dist", "cli", "main.js"));
  main(args, { out: console.log, err: console.error }).then(
    (code) => (process.exitCode = code),
    (error) => {
      console.error(error instanceof Error ? error.stack : String(error));
      process.exitCode = 1;
    },
  );
}

function inClone() {
  // Where the operator stands: setup.sh goes to the clone, and a file that was named is meant from here.
  const env = { ...process.env, SOFTMAP_CALLED_IN: process.cwd() };
  const child = spawn("sh", [setup, "cli/main.ts", ...args], { stdio: "inherit", env });
  child.on("error", (error) => {
    console.error(`softmap: sh cannot be started (${error.code}).`);
    process.exitCode = 1;
  });
  // Ctrl-C reaches the child too, which may have something to tidy: what ends it ends this.
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) process.on(signal, () => child.kill(signal));
  child.on("close", (code, signal) => (process.exitCode = code ?? 128 + constants.signals[signal]));
}
