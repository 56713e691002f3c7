// Where the dynamic providers of a state find their code, by name: `softmap/providers` in package.json. A package has it compiled, in dist/; a clone
// has TypeScript, which this process of Pulumi's own cannot load by itself.
"use strict";

const { existsSync } = require("node:fs");
const { join } = require("node:path");

const source = join(__dirname, "providerKinds.ts");

if (!existsSync(source)) {
  module.exports = require("../dist/components/providerKinds.js");
} else {
  require("../cli/register.js");
  module.exports = require(source);
}
