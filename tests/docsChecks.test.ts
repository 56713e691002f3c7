// What looks at the docs finds what is wrong: a bad sample for each kind of fault, and a good one beside it.
import assert from "node:assert/strict";
import { test } from "node:test";
import { callFaults, type Programs } from "./docsCalls";
import { settingFaults, yamlFaults } from "./docsConfig";
import { parsePage, shown, slugOf } from "./docsKit";
import { linkFaults, pathFaults, type Tree, unreached, wordFaults } from "./docsPlaces";
import { examplePieces, typeFaults } from "./docsTypes";

const block = (language: string, text: string): string => `\`\`\`${language}\n${text}\n\`\`\`\n`;

test("a page: blocks with their languages and lines, links, code, anchors", () => {
  const text = [
    "# The `up`, in order",
    "",
    "See [this](a.md#b) and [`that`](<c.md>), `one [not](x.md)` and ``two `ticks` ``,",
    "and `code over",
    "two lines`. <!-- [hidden](gone.md) -->",
    "And more:",
    "    not a block: it goes on",
    "",
    "    npx pulumi up",
    "    npx pulumi refresh",
    "",
    '| `a \\| b` | ![picture](p.svg) <img width="1" src="q.svg"> |',
    "",
    "## Same",
    "## Same",
    "[ref]: d.md",
    block("ts", "const a = 1;\n# no heading"),
  ].join("\n");
  const page = parsePage("p.md", text);
  assert.deepEqual(page.blocks, [
    { language: "", text: "npx pulumi up\nnpx pulumi refresh", line: 9 },
    { language: "ts", text: "const a = 1;\n# no heading", line: 18 },
  ]);
  assert.deepEqual(
    page.links.map(({ text: to, line }) => `${line} ${to}`),
    ["3 a.md#b", "3 c.md", "12 p.svg", "12 q.svg", "16 d.md"],
  );
  assert.deepEqual(
    page.code.map(({ text: code, line }) => `${line} ${code}`),
    ["1 up", "3 that", "3 one [not](x.md)", "3 two `ticks`", "4 code over two lines", "12 a | b"],
  );
  assert.deepEqual([...page.anchors], ["the-up-in-order", "same", "same-1"]);
  assert.equal(slugOf("hosts, provider ssh: [all](x.md) & more"), "hosts-provider-ssh-all--more");
  assert.throws(() => parsePage("p.md", "```ts\nnever closed"), /p\.md:1: the block is never closed/);
});

const tree = (texts: Readonly<Record<string, string>>, files: readonly string[] = []): Tree => ({
  files: [...Object.keys(texts), ...files],
  pages: new Map(Object.entries(texts).map(([path, text]) => [path, parsePage(path, text)])),
});

function pageOf(known: Tree, path: string) {
  const page = known.pages.get(path);
  assert.ok(page);
  return page;
}

test("links: a file, a heading or a folder that is not there, a file with an anchor, http, an absolute path", () => {
  const text =
    "[a](other.md#there) [b](other.md#gone) [c](gone.md) [d](#here) [e](#nowhere)\n## Here\n[f](../lab) [g](../none/) [h](../lab/x.ts#L3) [i](http://example.org) [j](https://example.org) [k](/etc/x)";
  const known = tree({ "docs/page.md": text, "docs/other.md": "# There" }, ["lab/x.ts"]);
  assert.deepEqual(shown(linkFaults(pageOf(known, "docs/page.md"), known)), [
    "docs/page.md:1: other.md#gone: the page has no such heading",
    "docs/page.md:1: gone.md is not there",
    "docs/page.md:1: #nowhere: the page has no such heading",
    "docs/page.md:3: ../none/ is not there",
    "docs/page.md:3: ../lab/x.ts#L3 has an anchor, and is no page",
    "docs/page.md:3: http://example.org is no link to https",
    "docs/page.md:3: /etc/x begins at the root of a machine",
  ]);
});

test("a page that nothing links to is found, also when it links to others", () => {
  const known = tree({
    "README.md": "[a](docs/a.md) [d](more)",
    "docs/a.md": "[up](../README.md)",
    "docs/b.md": "[a](a.md)",
    "more/README.md": "",
  });
  assert.deepEqual(unreached("README.md", known), ["docs/b.md"]);
});

test("paths in backticks: files, folders, patterns and bare names that are not there", () => {
  const names = [
    "lab/x.ts",
    "lab/y.ts",
    "lab/",
    "lab/gone/",
    "lab/*.ts",
    "lab/*.py",
    "x.ts",
    "z.ts",
    "lab/x.ts:12",
    "nginx.conf",
  ];
  const more = ["Pulumi.prod.yaml", "~/a.json", "a/b.txt", "host/machine", "other.sh", "docs/{page,none}.md"];
  const known = tree({ "docs/page.md": [...names, ...more].map((name) => `\`${name}\``).join(" ") }, ["lab/x.ts"]);
  const found = pathFaults(pageOf(known, "docs/page.md"), known, new Set(["other.sh"]));
  assert.deepEqual(
    found.map(({ message }) => message.split(" is ")[0]),
    ["`lab/y.ts`", "`lab/gone/`", "`lab/*.py`", "`z.ts`"],
  );
});

test("words in backticks that are nowhere in the sources", () => {
  const page = parsePage("p.md", "`softmapTorWorkers` `softmapTorWorker` `up` `Some Words`");
  assert.deepEqual(shown(wordFaults(page, new Set(["softmapTorWorkers"]))), [
    "p.md:1: `softmapTorWorker` is no word of the sources",
  ]);
});

test("YAML: a whole file, a part, a setting alone; an unknown key, a value that is refused, a broken file", () => {
  assert.deepEqual(
    yamlFaults(
      'config:\n  softmap:hosts: { provider: ssh, user: a, agent: true }\n  softmap:balancers:\n    - { name: b, address: 192.0.2.1, hostKey: "ssh-ed25519 AAAA..." }\n  softmap:workers: []\n  softmap:workersOnBalancers: true\n  softmap:projects: [{ name: news, sites: [{ domain: www.example.org }] }]',
    ),
    [],
  );
  assert.deepEqual(yamlFaults("softmap:workers: 3\nsoftmap:publishing: [green]"), []);
  assert.deepEqual(yamlFaults("onionTls: selfSigned\nforceHttps: false"), []);
  assert.deepEqual(yamlFaults("groups: [{ name: prometheus }]"), []);
  assert.match(yamlFaults("softmap:worker: 3")[0] ?? "", /worker .*There is no such key/);
  assert.match(yamlFaults("softmap:workers: 61")[0] ?? "", /introduction points/);
  assert.match(yamlFaults("onionTls: selfsigned")[0] ?? "", /not what a stack takes.*onionTls/);
  assert.match(yamlFaults("a: [")[0] ?? "", /^no YAML/);
});

test("settings in backticks: of a stack, a project, a site, hosts and rollout; unknown ones and wrong values", () => {
  for (const right of [
    "balancers: 2",
    "publishing: [old]",
    "softmapTorWorkers: 3",
    "forceHttps: false",
    "base: false",
    "waveSize: 3",
    "domain: www.example.org",
    "Content-Type: x",
    "name: x",
    "port: 2222",
  ])
    assert.deepEqual(settingFaults(right), [], right);
  assert.deepEqual(settingFaults("workerOnBalancers: true"), ["`workerOnBalancers` is no setting"]);
  for (const wrong of [
    "balancers: many",
    "torIntrosPerDaemon: 2",
    "forceHttps: maybe",
    "base: sometimes",
    "waveSize: 0",
    "domain: https://x",
  ])
    assert.match(settingFaults(wrong)[0] ?? "", /^not what a stack takes/, wrong);
});

test("TypeScript: without imports, with them, an example of an argument; a wrong argument, a wrong type, a syntax error", () => {
  const piece = (text: string) => ({ page: "p.md", line: 10, text });
  const right = [
    'const news = new SoftmapProject("news", { sites: [{ domain: "www.example.org" }] });',
    'const all = new Workers("workers", { hosts: hosts.workers, projects: [news] });',
    'import { SoftmapProject } from "softmap";\nexport const p = new SoftmapProject("p", { sites: [...] });',
  ].map(piece);
  const wrong = [
    'const a = 1;\nnew SoftmapProject("news", { sites: [], softmapTorWorker: 3 });',
    'const port: number = "22";',
    "const = 3;",
    'import { Softmap } from "softmap";\nnew Softmap();',
  ].map(piece);
  const member = { name: "canary", type: "number", required: false, text: "", default: undefined, example: '"one"' };
  const example = examplePieces([
    { name: "RolloutArgs", module: "components/workers", text: "", extends: [], members: [member] },
  ]);
  const found = shown(typeFaults([...right, ...wrong, ...example]));
  assert.match(found[0] ?? "", /^p\.md:11: .*softmapTorWorker/);
  assert.match(found[1] ?? "", /^p\.md:10: Type 'string' is not assignable to type 'number'/);
  assert.ok(
    found.some((line) => /^p\.md:10: Variable declaration expected/.test(line)),
    found.join("\n"),
  );
  assert.ok(
    found.some((line) => /^p\.md:10: .*no exported member/.test(line)),
    found.join("\n"),
  );
  assert.match(found.at(-1) ?? "", /^components\/workers\.ts, @example of RolloutArgs\.canary:.*not assignable/);
});

const help: Readonly<Record<string, string>> = {
  "": "Available Commands:\n  up\n  stack\n",
  up: 'Usage:\n  pulumi up\nFlags:\n  -y, --yes   go\n      --refresh string[="true"]\n',
  stack: "Available Commands:\n  output\nFlags:\n  -s, --stack string   which\n",
  "stack output": "Usage:\n  pulumi stack output [property]\nFlags:\n      --json   as JSON\n",
};

/** As pulumi's own: the help of the last word that is a command. */
function pulumi(words: readonly string[]): string {
  for (let count = words.length; count > 0; count--) {
    const found = help[words.slice(0, count).join(" ")];
    if (found !== undefined) return found;
  }
  return help[""] ?? "";
}

const known: Programs = {
  scripts: {
    test: "sh lab/setup.sh tests/run.ts",
    "test:faults": "sh lab/setup.sh tests/run.ts --long",
    lab: "sh lab/setup.sh lab/main.ts",
    softmap: "node cli/softmap.js",
  },
  softmap: new Map([["status", "usage: npx softmap status [--json] [-f]"]]),
  pulumi,
  tests: ["config/parse.test.ts"],
};

const calls = (text: string): string[] =>
  callFaults(parsePage("p.md", text), known).map(({ line, message }) => `${line} ${message}`);

test("calls that are right", () => {
  const lines = [
    "npm test -- config # what it does",
    "$ npm run test:faults -- parse",
    'eval "$(npm run -s lab -- env)"',
    "npm run lab -- --name NAME up && npx softmap status --json",
    "sudo npx softmap status [-f] | less",
    "npx pulumi up --refresh -y; pulumi stack output addresses --json",
    "npx pulumi stack --stack prod",
    "npm run softmap -- status --json",
    "npm ci",
    "npx tsc",
    "echo npm run gone",
  ];
  assert.deepEqual(
    calls(`Every \`npm run\` command, \`npx softmap NAME --help\`.\n\n${block("sh", lines.join("\n"))}`),
    [],
  );
});

test("calls that are wrong: in blocks of commands, in text, in plain and indented blocks", () => {
  const lines = [
    "npm run gone",
    "npm test -- nothere",
    "npm run lab -- --nmae x up",
    "npm run lab --name x",
    "npm instal",
  ];
  assert.deepEqual(calls(block("sh", lines.join("\n"))), [
    "2 npm run gone: package.json has no script gone",
    "3 npm test -- nothere: no test file has nothere in its path",
    "4 npm run lab -- --nmae x up: lab/main.ts has no option --nmae",
    "5 npm run lab --name x: npm keeps --name for itself: -- must stand before it",
    "6 npm instal: npm has no command instal",
  ]);
  assert.deepEqual(
    calls(
      "First `npx softmap stauts`, `npm run softmap -- status --yaml`,\n`npx gone`.\n\n    npx softmap status --yaml | less\n",
    ),
    [
      "4 npx softmap status --yaml: npx softmap status --help does not know --yaml",
      "1 npx softmap stauts: npx softmap has no command stauts",
      "1 npm run softmap -- status --yaml: npx softmap status --help does not know --yaml",
      "2 npx gone: there is no program gone",
    ],
  );
  const pulumis = [
    "pulumi upp",
    "npx pulumi stack outputs",
    "npx pulumi up --refesh",
    "cd x && pulumi stack output --xml \\\n  name",
  ];
  assert.deepEqual(calls(block("", pulumis.join("\n"))), [
    "2 pulumi upp: pulumi has no command upp",
    "3 npx pulumi stack outputs: pulumi stack has no command outputs",
    "4 npx pulumi up --refesh: pulumi up has no option --refesh",
    "5 pulumi stack output --xml name: pulumi stack output has no option --xml",
  ]);
});
