import { z } from "zod";
import type { Exact } from "./check";
import type { awsHostsSchema } from "./aws";
import {
  type hostSchema,
  hostsSchema,
  type labHostsSchema,
  type localHostsSchema,
  machines,
  type sshHostsSchema,
} from "./hosts";
import { monitoringSchema } from "./monitoring";
import { duration } from "./network";
import { type ProjectConfig, projectSchema } from "./project";
import { publisherSchema, timersSchema, watchdogSchema } from "./publisher";
import { drainTimeout, listed, publishing, rollbackWindow, rolloutSchema } from "./rollout";

/** Every key of a stack's config but the secret ones, without the `softmap:` in front. */
export const stackSchema = z.strictObject({
  hosts: hostsSchema,
  balancers: machines("Machines that run Onionbalance and its tor, the only holders of the site keys.").prefault(1),
  workers: machines("Machines that run the backends: tor daemons and nginx.").prefault(2),
  workersOnBalancers: z
    .boolean()
    .prefault(false)
    .meta({
      description:
        "Whether the balancers' machines run backends too. softmap 1: true and no workers; 2 and 3: true with 1 or 2 workers; 4: false.",
      examples: [true],
    }),
  publishing: publishing.optional(),
  listed: listed.optional(),
  projects: z
    .array(projectSchema)
    .min(1)
    .meta({
      description: "The projects. Every worker runs all of them.",
      examples: [[{ name: "news", sites: [{ domain: "www.example.org" }] }]],
    }),
  protectKeys: z
    .boolean()
    .prefault(true)
    .meta({
      description: "Pulumi's protection on the site keys: a destroy stops before them. Turn it off in labs only.",
      examples: [false],
    }),
  // The whole default, for the docs; a key that is left out has its own.
  rollout: rolloutSchema.prefault({ canary: 1, waveSize: 2, pause: "0s" }),
  publishTimeout: duration("1m", "6h", "15m", {
    description:
      "How long a balancer may take until its descriptors hold exactly the planned backends and a fetch has answered.",
    examples: ["15m"],
  }),
  retireGrace: duration("0s", "24h", "10m", {
    description:
      "How long backends that left the plan stay up after the balancer has published without them. Clients keep the descriptor that they have for up to three hours and ask again only when none of its introduction points answers; ten minutes are what a browser's circuit lives (MaxCircuitDirtiness).",
    examples: ["10m"],
  }),
  drainTimeout,
  rollbackWindow,
  publisher: publisherSchema.optional(),
  timers: timersSchema.optional(),
  watchdog: watchdogSchema.optional(),
  monitoring: monitoringSchema.optional(),
});

/** Read as a secret, apart: no value of it goes through parsing. */
const siteKeysSchema = z
  .record(z.string(), z.string())
  .optional()
  .meta({
    description:
      "Keys of sites that have an address already, by domain: tor's hs_ed25519_secret_key as base64, or its path. Set it with `pulumi config set --secret --path 'siteKeys[\"www.example.org\"]'`.",
    unit: "secret",
    examples: [{ "www.example.org": { secure: "v1:..." } }],
  });

/** Keys of certificates, secret like siteKeys. */
function certificateKeys(what: string, key: string) {
  return z
    .record(z.string(), z.string())
    .optional()
    .meta({
      description: `Keys of ${what}, by the site's domain or the project's name, where the certificate stands: PEM, or the path of the file. Set one with \`pulumi config set --secret --path '${key}["www.example.org"]' < key.pem\`.`,
      unit: "secret",
      examples: [{ "www.example.org": { secure: "v1:..." } }],
    });
}

/** The keys of the config whose values are secret, and in no parsed config. */
export const secretsSchema = {
  siteKeys: siteKeysSchema,
  tlsKeys: certificateKeys("`certificate`", "tlsKeys"),
  upstreamKeys: certificateKeys("`upstreamCertificate`", "upstreamKeys"),
} as const;

export type SecretKey = keyof typeof secretsSchema;
export const secretKeys = Object.keys(secretsSchema) as SecretKey[];

/** A machine that is made, or is this one: it has no address to give. */
export interface NamedHostConfig {
  readonly name: string;
}

/** A machine reachable by ssh: name, address, port, user and hostKey, every default filled. */
export type HostConfig = Omit<z.output<typeof hostSchema>, "user"> & { user: string };
/** A machine as the operator gives it. */
export type HostInput = z.input<typeof hostSchema>;
/** This machine, among others that ssh reaches. */
export interface LocalHostConfig extends NamedHostConfig {
  readonly local: true;
}
/** A machine in AWS, with what it has of its own. */
export interface AwsHostConfig extends NamedHostConfig {
  readonly zone?: string;
  readonly instanceType?: string;
}

/** What a provider has, and which machines. */
type Of<Schema extends z.ZodType, Machine> = Exact<z.output<Schema>> & { balancers: Machine[]; workers: Machine[] };

/** Where the machines come from, and which they are; told apart by `provider`. */
export type HostsConfig =
  | Of<typeof labHostsSchema, NamedHostConfig>
  | Of<typeof sshHostsSchema, HostConfig | LocalHostConfig>
  | Of<typeof awsHostsSchema, AwsHostConfig>
  | Of<typeof localHostsSchema, NamedHostConfig>;

/** A stack's config, checked, every default filled, durations in seconds. */
export interface StackConfig extends Omit<
  z.output<typeof stackSchema>,
  "hosts" | "balancers" | "workers" | "publishing" | "listed" | "projects"
> {
  hosts: HostsConfig;
  /** Names of the balancers' machines. */
  balancers: string[];
  /** Names of the workers' own machines; with workersOnBalancers the balancers' are workers too, see {@link workerPool}. */
  workers: string[];
  /** Names of the balancers that publish, in the order of `balancers`. */
  publishing: string[];
  /** Names of the workers whose backends are published, in the order of {@link workerPool}. */
  listed: string[];
  projects: ProjectConfig[];
}

/** A stack's config as the operator gives it. */
export type StackInput = z.input<typeof stackSchema>;

/** Names of all machines that run backends: the workers, and the balancers' machines when the config says so. */
export function workerPool(config: Pick<StackConfig, "balancers" | "workers" | "workersOnBalancers">): string[] {
  return [...(config.workersOnBalancers ? config.balancers : []), ...config.workers];
}
