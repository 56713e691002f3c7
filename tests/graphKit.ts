// A small stack of machines that nobody has, over the mock engine: what its resources are and what each would send.
import assert from "node:assert/strict";
import { inflateSync } from "node:zlib";
import * as pulumi from "@pulumi/pulumi";
import {
  Balancer,
  SoftmapProject,
  SshHosts,
  Workers,
  type BalancerArgs,
  type SoftmapProjectArgs,
  type WorkersArgs,
} from "../components";
import { samples } from "../host/pack";
import type { PublishPayload, ReleasePayload, RetirePayload } from "../host/program";
import { mockEngine, type Pretend, type Registered, type Silent } from "./mocks";

export const hostKey = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhscHR4f";
/** In every place where the operator's private key is. */
export const operatorKey = "CANARY-OPERATOR-KEY";

/** Any payload of a step on a host. */
export type Payload = Partial<PublishPayload & ReleasePayload & RetirePayload>;

/** What differs from a balancer `north` and the workers `south` and `west`, that all answer and run two projects. */
export interface Differences {
  readonly balancers?: readonly string[];
  readonly workers?: readonly string[];
  readonly pool?: Partial<WorkersArgs>;
  readonly balancer?: Partial<BalancerArgs>;
  /** Settings of the project `news`. */
  readonly news?: Partial<SoftmapProjectArgs>;
  readonly silent?: Silent;
  readonly pretend?: Pretend;
}

/** The resources of such a stack. */
export class Graph {
  private constructor(readonly resources: readonly Registered[]) {}

  static async of(differences: Differences = {}): Promise<Graph> {
    const { balancers = ["north"], workers = ["south", "west"], pool, balancer, silent, pretend } = differences;
    const engine = await mockEngine(pretend, silent);
    const machine = (name: string, i: number) => ({ name, address: `192.0.2.${10 + i}`, hostKey });
    const all = [...balancers, ...workers].map(machine);
    const hosts = new SshHosts("hosts", {
      user: "admin",
      privateKey: pulumi.secret(operatorKey),
      balancers: all.slice(0, balancers.length),
      workers: all.slice(balancers.length),
    });
    const news = new SoftmapProject("news", {
      sites: [{ domain: "www.example.org", subdomains: ["cdn"] }, { domain: "shop.example.org" }],
      ...differences.news,
    });
    const tips = new SoftmapProject("tips", { sites: [{ domain: "tips.example.org" }], softmapTorWorkers: 1 });
    const publishes = new Workers("workers", { hosts: hosts.workers, projects: [news, tips], ...pool });
    new Balancer("balancer", { hosts: hosts.balancers, publishes, ...balancer });
    await engine.settled();
    return new Graph(engine.resources);
  }

  /** All of a type that ends so, in the order in which they were made. */
  ofType(end: string): Registered[] {
    return this.resources.filter(({ type }) => type.endsWith(end));
  }

  /** The one of that name; a backend's key may be named without its generation. */
  named(name: string): Registered {
    const found = this.resources.find((resource) => resource.name.replace(/(?<=-\d)-[0-9a-f]{4}\b/, "") === name);
    assert.ok(found, `${name} is missing; there are ${this.resources.map((one) => one.name).join(", ")}`);
    return found;
  }

  /** The payload that a step would send to its host. */
  payload(step: string): Payload {
    return payloadIn(this.named(step).inputs["stdin"]);
  }

  /** Of the resources that a step waits for, those whose name ends so. */
  before(step: string, end: string): string[] {
    return this.named(step)
      .waitsFor.filter((name) => name.endsWith(end))
      .sort();
  }

  /** An address without `.onion`, of a site or a backend. */
  address(name: string): string {
    return String(this.named(name).outputs["address"]).replace(/\.onion$/, "");
  }
}

const dictionaries = Object.values(samples()).map((text) => Buffer.from(text));

/** What is deflated, with whichever of the samples: one that it was not deflated with is refused, zlib has its sum (RFC 1950, 2.2). "" for a text like any other. */
function inflated(base64: string): string {
  for (const dictionary of dictionaries)
    try {
      return inflateSync(Buffer.from(base64, "base64"), { dictionary }).toString("utf8");
    } catch {
      // the next one
    }
  return "";
}

/** A text, and after it all that is deflated in it: programs carry what they are given so. */
export function readable(text: unknown): string {
  const parts = [...String(text).matchAll(/"([A-Za-z0-9+/=]{20,})"/g)].map(([, base64 = ""]) => inflated(base64));
  return [String(text), ...parts].join("\n");
}

/** What a host's program is given, read from its text; files that come with softmap's own programs have no text there. */
export function payloadIn(program: unknown): Payload {
  const [last = ""] = /^(?:run_step|arrive)\(.*$/m.exec(String(program)) ?? [];
  const json = readable(last).split("\n")[1] ?? "{}";
  return JSON.parse(json) as Payload;
}
