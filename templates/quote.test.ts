import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { test } from "node:test";
import fc from "fast-check";
import { parse as parseYaml } from "yaml";
import { resolveProject, resolveSite } from "../config/schema";
import { torSettings, type TorSettings } from "../plan/torSettings";
import { render, type Models, type NginxModel, type NginxSiteModel } from "./index";
import { nginx, python, regexLiteral, systemd, torrc, yaml, type Language, type Token } from "./quote";
import { readSources } from "./sources";

const onion = "25njqamcweflpvkl73j4szahhihoc4xt3ktcgjnpaingr5yhkenl5sid.onion";
const backend = "hvabpq7iioevvevxbktu2g36xsojqlgpf3cjndgazvk7ckxumygcmyyd.onion";

/** Texts made mostly of what could break out somewhere. */
const nasty = fc.oneof(
  fc.string({ unit: fc.constantFrom(..." \t\n\r\0\"'`$;{}()[]#%\\|^*+?.~!<>&=:,/-_aZ09é☃😀\u2028\u0085\ud800") }),
  fc.string({ unit: "binary" }),
  fc.constantFrom(
    "a;b",
    "x\ny",
    "$host",
    "${sub}",
    "*.example.org",
    "~.*",
    "a}",
    "# c",
    "%i",
    "\\",
    '"',
    "yes",
    "null",
    "1",
  ),
);

/** What a language makes of a text, or undefined when it refuses. */
function written(language: Language, text: string): string | undefined {
  try {
    return language.value(text);
  } catch (error) {
    assert.ok("unfit" in (error as object), String(error));
    return undefined;
  }
}

/** nginx's own way of reading one word (ngx_conf_read_token); undefined when it is not exactly one. */
function nginxWord(text: string): string | undefined {
  if (!text.startsWith('"')) return /^[^\s;{}"'#\\$]+$/.test(text) ? text : undefined;
  let word = "";
  for (let at = 1; at < text.length; at++) {
    const character = text.charAt(at);
    if (character === '"') return at === text.length - 1 ? word : undefined;
    if (character !== "\\") word += character;
    else {
      const next = text.charAt(++at);
      word += { t: "\t", r: "\r", n: "\n", '"': '"', "'": "'", "\\": "\\" }[next] ?? `\\${next}`;
    }
  }
  return undefined;
}

/** A C string as tor reads it (unescape_string), or a bare value up to "#". */
function torValue(text: string): string | undefined {
  if (!text.startsWith('"')) return /[#\\"\n]/.test(text) || text !== text.trim() ? undefined : text;
  const inside = /^"((?:[^"\\]|\\["\\])*)"$/.exec(text)?.[1];
  return inside?.replaceAll(/\\(["\\])/g, "$1");
}

test("nginx: a value is one word that means itself, without a variable in it, or is refused", () => {
  fc.assert(
    fc.property(nasty, (text) => {
      const word = written(nginx, text);
      if (word === undefined) return;
      assert.ok(!text.includes("$") && !/[\0-\x1f]/.test(text));
      assert.equal(nginxWord(word), text);
    }),
    { numRuns: 2000 },
  );
});

test("nginx: a value in a regular expression matches itself alone", () => {
  const re = nginx.helpers["re"] as unknown as (parts: TemplateStringsArray, ...values: string[]) => Token;
  fc.assert(
    fc.property(nasty, nasty, (text, other) => {
      let token: Token;
      try {
        token = re`^${text}$`;
      } catch {
        return;
      }
      const source = nginxWord(token()) ?? assert.fail("not one word");
      assert.equal(source, `^${regexLiteral(text)}$`);
      // PCRE takes escaped punctuation that JavaScript's "u" mode would refuse.
      const expression = new RegExp(source);
      assert.ok(expression.test(text));
      assert.equal(expression.test(other), other === text);
    }),
    { numRuns: 2000 },
  );
});

/** What Lua reads in a string: only these three escapes are written (Lua 5.1 manual 2.1); all else is printable ASCII. */
function luaText(literal: string): string {
  const inner = /^"((?:[ !#-\[\]-~]|\\["\\]|\\\d{3})*)"$/.exec(literal)?.[1] ?? assert.fail(literal);
  const bytes = [...inner.matchAll(/\\(\d{3})|\\(["\\])|(.)/g)].map(([, code, escaped, plain]) =>
    code === undefined ? (escaped ?? plain ?? "").charCodeAt(0) : Number(code),
  );
  return Buffer.from(bytes).toString();
}

test("nginx: a Lua string means itself", () => {
  const lua = nginx.helpers["lua"] as unknown as (text: unknown) => Token;
  fc.assert(
    fc.property(nasty, (text) => {
      try {
        assert.equal(luaText(lua(text)()), text);
      } catch (error) {
        assert.ok("unfit" in (error as object), String(error));
      }
    }),
  );
  assert.equal(
    lua({ a: 1, end: [true], "x-y": {}, _b: "c" })().replaceAll(/\s+/g, " "),
    '{ a = 1, ["end"] = { true }, ["x-y"] = {}, _b = "c", }',
  );
});

test("torrc: a value is the whole value of its option, or is refused", () => {
  fc.assert(
    fc.property(nasty, (text) => {
      const value = written(torrc, text);
      if (value === undefined) return;
      assert.ok(!value.includes("\n"));
      assert.equal(torValue(value), text);
    }),
    { numRuns: 2000 },
  );
});

test("torrc: a private network's lines are one option each, and only of those that say which network it is", () => {
  const option = torrc.helpers["option"] as unknown as (line: string) => Token;
  assert.equal(option("TestingTorNetwork 1")(), "TestingTorNetwork 1");
  for (const line of [
    "SocksPort 0.0.0.0:9050",
    "TestingTorNetwork 1\nSocksPort 1",
    "DirAuthority",
    "",
    "%include /etc/x",
  ]) {
    assert.throws(() => option(line), { unfit: true });
  }
  fc.assert(
    fc.property(nasty, (text) => {
      try {
        assert.match(option(`DirAuthority ${text}`)(), /^DirAuthority ([^#"\\\n]+|"([^"\\\n]|\\["\\])*")$/);
      } catch (error) {
        assert.ok("unfit" in (error as object), String(error));
      }
    }),
  );
});

test("YAML: a value comes back as itself, whatever it is", () => {
  fc.assert(
    fc.property(nasty, nasty, (text, name) => {
      const value = written(yaml, text);
      const key = written(yaml, name);
      if (value === undefined || key === undefined) return;
      assert.match(value, /^[ -~]+$/);
      assert.deepEqual(parseYaml(`- a: ${value}\n  b: ${key}\n`), [{ a: text, b: name }]);
    }),
    { numRuns: 1000 },
  );
});

test("Python: a value is one literal that means itself, as Python reads it", () => {
  const texts = fc.sample(nasty, 1000).filter((text) => written(python, text) !== undefined);
  const program = `import json\nprint(json.dumps([\n${texts.map((text) => `  ${python.value(text)},\n`).join("")}]))\n`;
  const { status, stdout, stderr } = spawnSync("python3", ["-I", "-"], { input: program, encoding: "utf8" });
  assert.equal(status, 0, stderr);
  assert.deepEqual(JSON.parse(stdout), texts);
});

test("systemd: a value is one word, without a specifier or a variable in it, or is refused", () => {
  fc.assert(
    fc.property(nasty, (text) => {
      const word = written(systemd, text);
      if (word === undefined) return;
      const bare = word.startsWith('"')
        ? /^"((?:[^"\\]|\\["\\])*)"$/.exec(word)?.[1]
        : /^[^\s"'\\;#$]+$/.exec(word)?.[0];
      assert.ok(bare !== undefined, word);
      assert.ok(!/%/.test(bare.replaceAll("%%", "")) && !/\$/.test(bare.replaceAll("$$", "")));
      assert.equal(
        bare
          .replaceAll("%%", "%")
          .replaceAll("$$", "$")
          .replaceAll(/\\(["\\])/g, "$1"),
        text,
      );
    }),
    { numRuns: 2000 },
  );
});

/** Every directive of an nginx.conf, one a line: quoted strings and Lua count as one. */
function shape(conf: string): string[] {
  return conf
    .replaceAll(/"(?:[^"\\]|\\.)*"|#.*$/gm, (part) => (part.startsWith('"') ? '""' : ""))
    .split("\n")
    .map((line) => line.trim().split(/\s+/)[0] ?? "")
    .filter((word) => word !== "");
}

/** Puts nasty texts into places of a model: the file keeps its shape, or the text is refused by the name of its property. */
function keepsShape<Name extends "nginx" | "nginx-site" | "nginx-listen">(
  name: Name,
  model: Models[Name],
  places: readonly [string, (text: string) => Models[Name]][],
): void {
  const sources = readSources(name);
  const shaped = shape(render(name, sources, model));
  fc.assert(
    fc.property(fc.constantFrom(...places), nasty, ([property, change], text) => {
      try {
        assert.deepEqual(shape(render(name, sources, change(text))), shaped);
      } catch (error) {
        if ((error as Error).name === "AssertionError") throw error;
        const { message } = error as Error;
        // The same text may be a value elsewhere in the model: then that place is named.
        assert.match(message, /^nginx.* of project /s);
        assert.ok(message.includes(`: ${property} = ${JSON.stringify(text)}`) || !text, message);
      }
    }),
    { numRuns: 1000 },
  );
}

const site = { domain: "www.example.org", onion, tls: false };
const foreign = { domain: "partner.example.com", onion: backend };

test("no value of a model changes the shape of nginx.conf: it is refused, by the name of its property", () => {
  const model: NginxModel = {
    ...{
      project: "news",
      sites: [site],
      foreignMaps: [foreign],
      preserve: ["press.example.org"],
      onionifyEmails: false,
    },
    ...{ nginxWorkers: "auto", nginxRlim: 8192, nginxSyslog: "error", circuits: { requestRate: 10, connections: 5 } },
  };
  keepsShape("nginx", model, [
    ["project", (project) => ({ ...model, project })],
    ["sites[0].domain", (domain) => ({ ...model, sites: [{ ...site, domain }] })],
    ["sites[0].onion", (bad) => ({ ...model, sites: [{ ...site, onion: bad }] })],
    ["foreignMaps[0].domain", (domain) => ({ ...model, foreignMaps: [{ ...foreign, domain }] })],
    ["preserve[0]", (text) => ({ ...model, preserve: [text] })],
    ["nginxSyslog", (nginxSyslog) => ({ ...model, nginxSyslog })],
  ]);
});

test("nor that of a site's file or of the sockets' file", () => {
  const settings = resolveSite(
    {},
    { nginxResolver: ["10.0.0.2"], blockPathRe: ["^/a"], cookieLock: "/open", xFromOnionValue: "from an onion" },
  );
  const model: NginxSiteModel = { project: "news", site, subdomains: ["cdn"], settings, nginxCacheSize: "1m" };
  const set = (change: object): NginxSiteModel => ({ ...model, settings: { ...settings, ...change } });
  keepsShape("nginx-site", model, [
    ["project", (project) => ({ ...model, project })],
    ["site.domain", (domain) => ({ ...model, site: { ...site, domain } })],
    ["site.onion", (bad) => ({ ...model, site: { ...site, onion: bad } })],
    ["subdomains[0]", (sub) => ({ ...model, subdomains: [sub] })],
    ["settings.nginxResolver[0]", (address) => set({ nginxResolver: [address] })],
    ["settings.blockPathRe[0]", (expression) => set({ blockPathRe: [expression] })],
    ["settings.cookieLock", (path) => set({ cookieLock: path })],
    ["settings.nginxBlockSize", (nginxBlockSize) => set({ nginxBlockSize })],
  ]);
  const listen = { project: "news", kind: "https" } as const;
  keepsShape("nginx-listen", listen, [["project", (project) => ({ ...listen, project })]]);
});

test("a site's file uses no variable that the main file would have to define for it", () => {
  const variables = (text: string) =>
    new Set(text.match(/\$\{?softmap_\w+/g)?.map((name) => name.replace(/[${]+/, "")));
  const text = render("nginx-site", readSources("nginx-site"), {
    ...{ project: "news", site, subdomains: [], nginxCacheSize: "1m" },
    settings: resolveSite({}, { nginxCacheSeconds: 60, noCacheHost: ["a.example.org"], accessLog: "full" }),
  });
  const own = [...text.matchAll(/\?<(softmap_\w+)>|(?:set|map \S+) \$(softmap_\w+)/g)].map(
    (found) => found[1] ?? found[2] ?? "",
  );
  assert.deepEqual([...variables(text)].sort(), own.sort());
});

const torDefaults = torSettings(resolveProject({}));
/** All of them, so that each has its line. */
const allOfTor: TorSettings = {
  ...torDefaults,
  torIntroDosDefense: true,
  torIntroDosRatePerSec: 10,
  torIntroDosBurstPerSec: 20,
  torMaxStreams: 30,
  torMaxStreamsCloseCircuit: true,
  torExportCircuitId: true,
};

test("no value of a model adds a line to a torrc, an ob_config or a unit", () => {
  const good = { daemon: "news-1-3fa9", project: "news", index: 1, torIntrosPerDaemon: 3, network: [], ...allOfTor };
  const written = Object.entries(good).flatMap(([key, value]) => (/string|number/.test(typeof value) ? [key] : []));
  const lines = (text: string) => text.split("\n").length;
  const expected = lines(render("backend-torrc", readSources("backend-torrc"), good));
  fc.assert(
    fc.property(fc.constantFrom(...written), nasty, (property, text) => {
      try {
        const rendered = render("backend-torrc", readSources("backend-torrc"), { ...good, [property]: text });
        // A text where a number belongs is still one value; tor refuses it when it verifies the file.
        assert.equal(lines(rendered), expected);
      } catch (error) {
        assert.match((error as Error).message, /^torrc of backend daemon /s);
      }
      if (text !== onion)
        assert.throws(
          () => render("ob-config", readSources("ob-config"), { frontends: [text] }),
          /^Error: ob_config: frontends\[0\] = /,
        );
    }),
  );
});

test("Onionbalance's config comes back as it was meant", () => {
  fc.assert(
    fc.property(nasty, nasty, (domain, name) => {
      let text: string;
      try {
        text = render("onionbalance", readSources("onionbalance"), {
          projects: [
            {
              sites: [
                { address: onion, domain },
                { address: backend, domain },
              ],
              backends: [{ address: backend, name }],
            },
          ],
        });
      } catch (error) {
        assert.match((error as Error).message, /^Onionbalance's config.yaml: projects\[0\]\./);
        return;
      }
      const key = (of: string) => `/var/lib/softmap/onionbalance/keys/${of.replace(".onion", "")}.key`;
      const instances = [{ address: backend, name }];
      assert.deepEqual(parseYaml(text), { services: [onion, backend].map((of) => ({ key: key(of), instances })) });
    }),
  );
});

test("a missing value is named as missing", () => {
  const model = { daemon: "news-1-3fa9", project: "news", index: 1, network: [], ...torDefaults } as never;
  assert.throws(
    () => render("backend-torrc", readSources("backend-torrc"), model),
    /torrc of backend daemon news-1-3fa9: .*missing/,
  );
});
