// Where the dynamic providers of a state find their code, by name: `softmap/providers` in package.json. A package has it compiled, in dist/; a clone
// has TypeScript, and compiles it as Pulumi compiles the program (tsconfig.json).
"use strict";

const { existsSync } = require("node:fs");
const { join } = require("node:path");

const source = join(__dirname, "providerKinds.ts");

if (!existsSync(source)) {
  module.exports = require("../dist/components/providerKinds.js");
} else {
  // The program's own process has registered it, and so have tests.
  const registered = Symbol.for("ts-node.register.instance") in process;
  if (!registered)
    require("ts-node").register({ project: join(__dirname, "..", "tsconfig.json"), transpileOnly: true });
  module.exports = require(source);
}
