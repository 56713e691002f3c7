// softmap's components in a program of your own: three machines, two projects, no softmap stack config.
import * as pulumi from "@pulumi/pulumi";
import { Balancer, deskOutputs, SoftmapProject, SshHosts, Workers } from "../../components";

const config = new pulumi.Config();

const hosts = new SshHosts("hosts", {
  user: "admin",
  privateKey: config.requireSecret("sshKey"),
  balancers: [{ name: "north", address: "192.0.2.10", hostKey: config.require("northHostKey") }],
  workers: [
    { name: "south", address: "192.0.2.11", hostKey: config.require("southHostKey") },
    { name: "west", address: "192.0.2.12", hostKey: config.require("westHostKey") },
  ],
});

const news = new SoftmapProject("news", { sites: [{ domain: "www.example.org", subdomains: ["cdn"] }] });
const tips = new SoftmapProject("tips", { sites: [{ domain: "tips.example.org" }], softmapTorWorkers: 1 });
const workers = new Workers("workers", { hosts: hosts.workers, projects: [news, tips] });
const balancer = new Balancer("balancer", { hosts: hosts.balancers, publishes: workers });

// What `npx softmap` reads. The onion addresses are among it.
export const { addresses, certificates, backends, published, machines } = deskOutputs({ hosts, workers, balancer });
