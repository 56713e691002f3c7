/**
 * Workers alone, without a balancer: what others deploy beside it has no proof of a publication either. Where the machines are, and what is changed,
 * comes from the stack's config: see ../stack.ts.
 */
import { readFileSync } from "node:fs";
import * as pulumi from "@pulumi/pulumi";
import { SoftmapProject, SshHosts, Workers, type SshHostArgs, type WorkersArgs } from "../../../components";

const config = new pulumi.Config();
const machines = config.requireObject<SshHostArgs[]>("machines");

const hosts = new SshHosts("hosts", {
  user: "operator",
  privateKey: pulumi.secret(readFileSync(config.require("privateKeyFile"), "utf8")),
  torNetwork: config.requireObject<string[]>("torNetwork"),
  // Balancers are asked for; nothing is put on this one, the machine is one of the workers.
  balancers: machines.slice(0, 1),
  workers: machines,
});
const project = new SoftmapProject("news", {
  sites: [{ domain: "www.daily.test" }],
  softmapTorWorkers: 2,
  protectKeys: false,
  ...config.getObject<object>("settings"),
});
new Workers("workers", {
  hosts: hosts.workers,
  projects: [project],
  rollout: config.requireObject<NonNullable<WorkersArgs["rollout"]>>("rollout"),
});
