// What must be true of every resource of a stack, whichever provider the machines come from and whatever the topology is: each policy with its
// reason, over the whole graph of every example, and once against a graph that breaks it.
import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { before, describe, test } from "node:test";
import { parse } from "yaml";
import type { Registered } from "./mocks";
import { pretendLab, program } from "./programKit";

/** A rule, and what of the graph breaks it, one line each. */
interface Policy {
  readonly name: string;
  readonly why: string;
  readonly broken: (graph: readonly Registered[]) => string[];
}

const each =
  (type: RegExp, fault: (resource: Registered, graph: readonly Registered[]) => string | undefined) =>
  (graph: readonly Registered[]): string[] =>
    graph.flatMap((one) => {
      const what = type.test(one.type) ? fault(one, graph) : undefined;
      return what === undefined ? [] : [`${one.name}: ${what}`];
    });

const record = (value: unknown): Record<string, unknown> => (value ?? {}) as Record<string, unknown>;
const component = /^softmap:index:/;
const command = /^command:/;
const anything = /./;

const policies: readonly Policy[] = [
  {
    name: "no open ingress",
    why: "sshd is the only port, and only the networks that the operator named may knock at it",
    broken: each(
      /^aws:(ec2\/securityGroup|vpc\/securityGroupIngressRule|ec2\/defaultSecurityGroup):/,
      ({ type, inputs }) => {
        if (!type.startsWith("aws:vpc/"))
          return inputs["ingress"] === undefined ? undefined : "has rules inside of the group";
        const { cidrIpv4, cidrIpv6, fromPort, toPort, ipProtocol, referencedSecurityGroupId } = inputs;
        if (cidrIpv4 === "0.0.0.0/0" || cidrIpv6 === "::/0") return "lets everybody in";
        if (cidrIpv4 === undefined && cidrIpv6 === undefined && referencedSecurityGroupId === undefined)
          return "names nobody";
        return fromPort === 22 && toPort === 22 && ipProtocol === "tcp" ? undefined : "is not ssh alone";
      },
    ),
  },
  {
    name: "IMDSv2",
    why: "a request that somebody tricks a service into must not read the instance's metadata",
    broken: each(/^aws:ec2\/instance:/, ({ inputs }) => {
      const { httpTokens, httpPutResponseHopLimit } = record(inputs["metadataOptions"]);
      return httpTokens === "required" && httpPutResponseHopLimit === 1
        ? undefined
        : "answers without a token, or beyond one hop";
    }),
  },
  {
    name: "encrypted disks",
    why: "keys are on them",
    broken: each(/^aws:ec2\/instance:/, ({ inputs }) =>
      record(inputs["rootBlockDevice"])["encrypted"] === true ? undefined : "has a disk in clear",
    ),
  },
  {
    name: "an image that is chosen anew replaces nothing",
    why: "a machine that serves is replaced when somebody asks for it",
    broken: each(/^aws:ec2\/instance:/, ({ options }) => {
      const open = ["ami", "userData", "instanceType", "subnetId"].filter(
        (key) => !options.ignoreChanges.includes(key),
      );
      return open.length === 0 ? undefined : `is replaced or stopped by a change of ${open.join(", ")}`;
    }),
  },
  {
    name: "a provider of the stack's own",
    why: "the region is in the config, not in whichever shell runs the program",
    broken: each(/^aws:/, ({ options, type }) =>
      options.provider !== "" || type.startsWith("pulumi:providers") ? undefined : "is made by the default provider",
    ),
  },
  {
    name: "pinned host keys",
    why: "whoever answers first would get the keys",
    broken: each(/^command:remote:|:Installation$/, ({ inputs }) => {
      if (inputs["connection"] === undefined) return undefined;
      const { hostKey, proxy } = record(inputs["connection"]);
      if (typeof hostKey !== "string" || hostKey === "") return "dials without a host key";
      return proxy === undefined || typeof record(proxy)["hostKey"] === "string"
        ? undefined
        : "its jump host has no host key";
    }),
  },
  {
    name: "connections and programs are secrets",
    why: "the login key is in the one, keys of sites and backends are in the other",
    broken: each(/^command:|:Installation$/, ({ inputs, secretInputs }) => {
      const open = ["connection", "stdin"].filter((key) => inputs[key] !== undefined && !secretInputs.includes(key));
      return open.length === 0 ? undefined : `shows ${open.join(", ")}`;
    }),
  },
  {
    name: "no key in clear",
    why: "what is no secret is in previews and logs",
    broken: each(anything, ({ inputs, secretInputs }) => {
      const open = Object.entries(inputs).filter(([key, value]) => !secretInputs.includes(key) && holdsKey(value));
      return open.length === 0 ? undefined : `has a private key in ${open.map(([key]) => key).join(", ")}`;
    }),
  },
  {
    name: "a command says nothing",
    why: "the text of a command is in every error of it",
    broken: each(command, ({ inputs }) => {
      const long = ["create", "update", "delete"].filter((key) => JSON.stringify(inputs[key] ?? "").length > 120);
      return long.length === 0 ? undefined : `has a long ${long.join(", ")}`;
    }),
  },
  {
    name: "site keys stay",
    why: "an address that is lost is lost for ever",
    broken: each(/:OnionKey$/, ({ name, options }) =>
      // A backend's key is named after its backend; a site's after its domain.
      !name.includes(".") || (options.protect && options.retainOnDelete) ? undefined : "can be deleted",
    ),
  },
  {
    name: "balancers are protected from termination",
    why: "they hold the site keys and publish",
    broken: each(/^aws:ec2\/instance:/, ({ name, inputs }) =>
      !name.includes("balancer") || inputs["disableApiTermination"] === true ? undefined : "can be terminated",
    ),
  },
  {
    name: "names and parents",
    why: "a name in an error leads to its room",
    broken: each(anything, ({ type, name, parent }, graph) => {
      if (component.test(type)) return undefined;
      const above = graph.find((one) => one.name === parent && component.test(one.type));
      if (above === undefined) return "is nobody's child";
      // What is a site's is named after its domain.
      const speaks = name.startsWith(`${parent}-`) || name.includes(".");
      return speaks ? undefined : `is a child of ${parent} and does not say so`;
    }),
  },
];

function holdsKey(value: unknown): boolean {
  if (typeof value === "string") return value.includes("PRIVATE KEY-----") || value.includes("not a key");
  return typeof value === "object" && value !== null && Object.values(value).some(holdsKey);
}

describe("policies", () => {
  before(pretendLab);
  const graphs = new Map<string, readonly Registered[]>();

  for (const file of readdirSync(join("examples", "config"))) {
    describe(file, () => {
      before(async () => {
        const { config } = parse(readFileSync(join("examples", "config", file), "utf8")) as {
          config: Record<string, unknown>;
        };
        graphs.set(file, await program("../index.ts", asRehearsed(config)));
      });
      for (const { name, why, broken } of policies)
        test(`${name}: ${why}`, () => {
          assert.deepEqual(broken(graphs.get(file) ?? assert.fail()), []);
        });
    });
  }

  test("each of them can fail: a graph with every fault breaks every policy", () => {
    const options = {
      protect: false,
      retainOnDelete: false,
      ignoreChanges: [],
      additionalSecretOutputs: [],
      provider: "",
    };
    const bad = (type: string, name: string, inputs: Record<string, unknown>): Registered => ({
      ...{ type, name, inputs, outputs: {}, secretInputs: [], parent: "", waitsFor: [], options },
    });
    const graph = [
      bad("aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule", "in", {
        cidrIpv4: "0.0.0.0/0",
        fromPort: 22,
        toPort: 22,
      }),
      bad("aws:ec2/instance:Instance", "hosts-balancer1", { rootBlockDevice: {}, metadataOptions: {} }),
      bad("command:remote:Command", "step", {
        connection: { host: "192.0.2.1", privateKey: "-----BEGIN OPENSSH PRIVATE KEY-----" },
        stdin: "keys",
        create: "x".repeat(200),
      }),
      bad("pulumi-nodejs:dynamic/softmap:OnionKey", "www.example.org", {}),
    ];
    for (const { name, broken } of policies) assert.notDeepEqual(broken(graph), [], `${name} never fails`);
  });
});

/** An example as far as it can run without its files: a key that is there, and no keys of sites. */
function asRehearsed(config: Record<string, unknown>): Record<string, unknown> {
  const { "softmap:siteKeys": _keys, ...rest } = config;
  const hosts = record(config["softmap:hosts"]);
  const key = join(process.env["XDG_CACHE_HOME"] ?? "", "softmap", "labs", "dev", "id");
  const projects = (config["softmap:projects"] as { sites: { onion?: string }[] }[]).map((project) => ({
    ...project,
    sites: project.sites.map(({ onion: _address, ...site }) => site),
  }));
  return {
    ...rest,
    "softmap:hosts": hosts["privateKeyFile"] === undefined ? hosts : { ...hosts, privateKeyFile: key },
    "softmap:projects": projects,
  };
}
