import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import * as names from "./names";

test("names are those that hosts have", () => {
  assert.equal(names.daemonName("news", 1, "3fa9"), "news-1-3fa9");
  assert.equal(names.backendName("news", "worker1", 2), "news-worker1-2");
  assert.equal(
    names.currentFile("worker", names.workerFiles.torrc("news-1-3fa9")),
    "/etc/softmap/worker/current/tor/news-1-3fa9/torrc",
  );
  assert.equal(names.releasesDir("publisher"), "/etc/softmap/publisher/releases");
  assert.equal(names.onionDir("news-1-3fa9"), "/var/lib/softmap/tor/news-1-3fa9/onion");
  assert.equal(names.controlSocket("news-1-3fa9"), "/run/softmap/tor/news-1-3fa9/control");
  assert.equal(names.torSocksSocket("news-1-3fa9"), "/run/softmap/tor/news-1-3fa9/socks");
  assert.deepEqual(
    names.nginxSocketKinds.map((kind) => [kind, names.nginxSocket("news", 2, kind)]),
    [
      ["http", "/run/softmap/nginx/news/2.sock"],
      ["https", "/run/softmap/nginx/news/2.tls.sock"],
      ["circuit http", "/run/softmap/nginx/news/2.circuit.sock"],
      ["circuit https", "/run/softmap/nginx/news/2.circuit.tls.sock"],
    ],
  );
  assert.equal(names.nginxHealthSocket("news"), "/run/softmap/nginx/news/health.sock");
  assert.equal(names.units.tor("news-1-3fa9"), "softmap-tor@news-1-3fa9.service");
  assert.equal(names.units.nginx("news"), "softmap-nginx@news.service");
  assert.equal(names.countedHost("worker", 3), "worker3");
});

test("nginx has one main file a project, and below its folder one a site", () => {
  const { nginx, nginxSites, nginxSite, nginxListen } = names.workerFiles;
  assert.equal(nginx("news"), "nginx/news.conf");
  assert.equal(nginxListen("news", "http"), "nginx/news.http.listen");
  assert.equal(nginxListen("news", "https"), "nginx/news.https.listen");
  assert.equal(nginxSite("news", "www.example.org"), "nginx/news/www.example.org.conf");
  assert.ok(nginxSite("news", "www.example.org").startsWith(nginxSites("news")));
  assert.ok(!nginxSite("news-2", "www.example.org").startsWith(nginxSites("news")));
});

test("nginx has a socket of each kind for every daemon that a project can ever have", () => {
  const all = names.nginxSocketKinds.flatMap((kind) => names.nginxSockets("news", kind));
  assert.equal(new Set(all).size, 4 * names.mostDaemons);
  for (const kind of names.nginxSocketKinds) {
    assert.equal(names.nginxSockets("news", kind)[0], names.nginxSocket("news", 1, kind));
    assert.equal(names.nginxSockets("news", kind).at(-1), names.nginxSocket("news", names.mostDaemons, kind));
  }
});

test("no daemon of any project has the name of a worker's client", () => {
  const project = fc.string({ unit: fc.constantFrom(..."client-0"), minLength: 0 });
  fc.assert(
    fc.property(project, fc.integer({ min: 1, max: names.mostDaemons }), (name, n) => {
      assert.notEqual(names.daemonName(name, n, "ffff"), names.torClient);
    }),
  );
});

test("a site's key is found by its address with or without .onion", () => {
  assert.equal(names.siteKeyFile("abc.onion"), "/var/lib/softmap/onionbalance/keys/abc.key");
  assert.equal(names.siteKeyFile("abc"), names.siteKeyFile("abc.onion"));
});

test("the longest project name fills a socket path and one more character does not fit", () => {
  const longest = (length: number): number =>
    Math.max(...names.projectSockets("p".repeat(length)).map((path) => Buffer.byteLength(path)));
  assert.equal(longest(names.longestProjectName), names.longestSocketPath);
  assert.equal(longest(names.longestProjectName + 1), names.longestSocketPath + 1);
});

test("every socket of a project within the limit fits with its closing NUL into 108 bytes", () => {
  const project = fc.string({ unit: fc.constantFrom(..."ab0-"), minLength: 1, maxLength: names.longestProjectName });
  fc.assert(
    fc.property(project, fc.integer({ min: 1, max: names.mostDaemons }), (name, n) => {
      for (const path of [
        names.nginxHealthSocket(name),
        ...names.nginxSocketKinds.map((kind) => names.nginxSocket(name, n, kind)),
        names.controlSocket(names.daemonName(name, n, "ffff")),
        names.torSocksSocket(names.daemonName(name, n, "ffff")),
      ]) {
        assert.ok(Buffer.byteLength(path) + 1 <= 108, path);
      }
    }),
  );
});

test("fixed sockets fit too, and unit and file names stay below 255 bytes", () => {
  for (const path of [
    names.balancerPaths.controlSocket,
    names.balancerPaths.socksSocket,
    names.balancerPaths.statusSocket,
    names.controlSocket(names.torClient),
    names.torSocksSocket(names.torClient),
  ]) {
    assert.ok(path.length <= names.longestSocketPath);
  }
  const project = "p".repeat(names.longestProjectName);
  assert.ok(names.units.tor(names.daemonName(project, names.mostDaemons, "ffff")).length < 255);
  assert.ok(names.backendName(project, "h".repeat(names.longestHostName), names.mostDaemons).length < 255);
});
