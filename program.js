// What Pulumi starts: index.ts, by the clone's own loader of TypeScript.
"use strict";

require("./cli/register.js");
module.exports = require("./index.ts");
