import assert from "node:assert/strict";
import { test } from "node:test";
import * as pulumi from "@pulumi/pulumi";
import { unknown } from "@pulumi/pulumi/output";
import type { HostFile, Service } from "../host/program";
import { sha256 } from "./hash";
import { runsOn } from "./unitFiles";
import { unknownValue } from "./unknownValue";

const nginx: Service = {
  unit: "softmap-nginx@news.service",
  reloadOn: ["nginx/news.conf", "nginx/news/"],
  restartOn: [],
  health: { kind: "nginx", socket: "/run/health" },
};
const tor: Service = {
  unit: "softmap-tor@news-1-3fa9.service",
  reloadOn: ["tor/news-1-3fa9/torrc"],
  restartOn: ["/var/lib/onion/ob_config", "/var/lib/onion/hs_ed25519_secret_key"],
  health: { kind: "tor", control: "/run/control" },
};
const files: HostFile[] = [
  { path: "nginx/news.conf", text: "main" },
  { path: "nginx/news/www.example.org.conf", text: "www" },
  { path: "nginx/newsletter.conf", text: "another project's" },
  { path: "tor/news-1-3fa9/torrc", text: "torrc" },
  {
    path: "tor/news-1-3fa9/ob_config",
    text: "frontends",
    install: { path: "/var/lib/onion/ob_config", owner: "tor", group: "tor", mode: "0600" },
  },
  { path: "units/softmap-tor@.service", text: "tor's unit" },
  { path: "units/softmap-nginx@.service", text: "nginx's unit" },
];

test("each unit has the files that it watches, a folder's and its template's too, and no other's", async () => {
  assert.deepEqual(await runsOn([nginx, tor], files), {
    "softmap-nginx@news.service": {
      reload: {
        "nginx/news.conf": sha256("main").slice(0, 12),
        "nginx/news/www.example.org.conf": sha256("www").slice(0, 12),
      },
      restart: { "units/softmap-nginx@.service": sha256("nginx's unit").slice(0, 12) },
    },
    "softmap-tor@news-1-3fa9.service": {
      reload: { "tor/news-1-3fa9/torrc": sha256("torrc").slice(0, 12) },
      restart: {
        "/var/lib/onion/ob_config": sha256("frontends").slice(0, 12),
        "units/softmap-tor@.service": sha256("tor's unit").slice(0, 12),
      },
    },
  });
});

test("a file that asks for both asks for the restart", async () => {
  const both = { ...nginx, restartOn: ["nginx/news.conf"] };
  const { reload, restart } = (await runsOn([both], files))[nginx.unit] ?? { reload: {}, restart: {} };
  assert.deepEqual(Object.keys(reload), ["nginx/news/www.example.org.conf"]);
  assert.deepEqual(Object.keys(restart).sort(), ["nginx/news.conf", "units/softmap-nginx@.service"]);
});

test("a text that is not known yet leaves the others known", async () => {
  const notYet = pulumi.output(unknown as unknown as string);
  const planned = files.map((file) => (file.path === "nginx/news.conf" ? { ...file, text: notYet } : file));
  const { reload = {} } = (await runsOn([nginx], planned))[nginx.unit] ?? {};
  assert.deepEqual(reload, {
    "nginx/news/www.example.org.conf": sha256("www").slice(0, 12),
    "nginx/news.conf": unknownValue,
  });
});

test("one that stands by is marked so, and the others are not", async () => {
  const services = await runsOn(
    [
      { ...nginx, standby: true },
      { ...tor, standby: false },
    ],
    files,
  );
  assert.equal(services[nginx.unit]?.standby, true);
  assert.ok(!("standby" in (services[tor.unit] ?? {})));
});
