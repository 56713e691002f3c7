// nginx: how it finds and asks the sites, its buffers and cache, its logs.
import { z } from "zod";
import { whole } from "../check";
import { certificate } from "../certificate";
import { resolver, seconds } from "../network";
import { bare, setting } from "../setting";
import { choice, flag, hostText, list, mimeType, size } from "../values";

const dayInSeconds = 86400;

/** Of a project or a site. */
export const engine = {
  nginxResolver: setting(
    z.array(resolver).meta({
      description: "DNS resolvers by which nginx finds the sites. Empty: those of the worker's own /etc/resolv.conf.",
      unit: "addresses",
      examples: [["10.0.0.2", "[2001:db8::2]:5353"]],
    }),
    [],
  ),
  nginxTimeout: setting(
    seconds("1s", "10m", "15s", {
      description: "How long nginx waits to connect to a site, and between two reads of its answer.",
      examples: ["15s"],
    }),
    "15s",
  ),
  nginxProxySslTrustedCertificate: bare(
    certificate({
      description:
        "Certificate authorities of the site on the web, instead of the worker's own: for a site with its own CA.",
      examples: ["certificates/internal-ca.pem"],
    }),
  ),
  upstreamCertificate: bare(
    certificate({
      description: "Client certificate that nginx shows to the site on the web; its key is in upstreamKeys.",
      examples: ["certificates/proxy.pem"],
    }),
  ),
  nginxBlockSize: setting(
    size("1k", "1m", {
      description: "Size of one buffer for a site's answer; its headers must fit into one.",
      examples: ["16k"],
    }),
    "16k",
  ),
  nginxBlockCount: setting(
    whole(2, 1024, "", { description: "Buffers for each request.", unit: "buffers", examples: [8] }),
    8,
  ),
  nginxBlockBusySize: setting(
    size("1k", "1024m", {
      description: "How much of the buffers may be on its way to the visitor: one at least, all but one at most.",
      examples: ["32k"],
    }),
    "32k",
  ),
  nginxTmpfileSize: setting(
    size("0", "10240m", {
      description: "How much of an answer waits on the disk for a slow visitor. 0: nothing, the site waits.",
      examples: ["64m"],
    }),
    "64m",
  ),
  nginxClientMaxBodySize: setting(
    size("1k", "10240m", { description: "The largest request body, e.g. an upload.", examples: ["100m"] }),
    "100m",
  ),
  nginxCacheSeconds: setting(
    whole(0, dayInSeconds, "", {
      description:
        "How long answers are kept and given to others, unless the site or a cookie forbids it. 0: not at all.",
      unit: "seconds",
      examples: [60],
    }),
    0,
  ),
  nginxCacheMinUses: setting(
    whole(1, 1000, "", {
      description: "How often something must be asked for before it is kept.",
      unit: "requests",
      examples: [2],
    }),
    1,
  ),
  noCacheContentType: setting(
    list(mimeType, {
      description: "MIME types of answers that are not kept.",
      unit: "MIME types",
      examples: [["application/json"]],
    }),
    [],
  ),
  noCacheHost: setting(
    list(hostText, {
      description: "Domains whose answers are not kept: the site's own, or below it.",
      unit: "domains",
      examples: [["live.example.org"]],
    }),
    [],
  ),
  accessLog: setting(
    choice(["off", "truncated", "full"], {
      description:
        "Whether requests are logged on the workers. truncated: without what tells of the visitor, such as query, referer and user agent.",
      examples: ["truncated"],
    }),
    "off",
  ),
  accessLogFormat: setting(
    choice(["text", "json"], { description: "How a request is logged.", examples: ["json"] }),
    "text",
  ),
  nginxXOnionCircuitId: setting(
    flag("Whether the site gets the visitor's circuit as X-Onion-CircuitID. Needs torExportCircuitId.", true),
    false,
  ),
};

/** Of a project only: its sites share one nginx on each worker. */
export const projectEngine = {
  nginxWorkers: setting(
    z
      .union([z.literal("auto"), whole(1, 256, "", { description: "Processes.", examples: [4] })])
      .meta({ description: "Worker processes of nginx. auto: one for each core.", unit: "processes", examples: [4] }),
    "auto",
  ),
  nginxRlim: setting(
    whole(512, 1_048_576, "", {
      description: "Open files, and connections, of each of these processes.",
      unit: "files",
      examples: [8192],
    }),
    8192,
  ),
  nginxCacheSize: setting(
    size("1m", "1048576m", { description: "Disk that the cache takes at most, for all sites.", examples: ["256m"] }),
    "256m",
  ),
  nginxSyslog: setting(
    choice(["info", "notice", "warn", "error", "crit", "alert", "emerg"], {
      description: "What nginx reports of itself, from this level on. Below error, lines name what visitors asked for.",
      examples: ["warn"],
    }),
    "error",
  ),
};
