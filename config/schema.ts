// The operator's stack config: one schema for validation, docs/config.md and docs/config.schema.json. Types come from it by inference.
export { hostSchema, hostsSchema } from "./schema/hosts";
export { projectSchema, siteSchema } from "./schema/project";
export type { ProjectConfig, ProjectInput, SiteConfig, SiteInput } from "./schema/project";
export { hasTls, projectSettings, resolveProject, resolveSite, siteSettings } from "./schema/site";
export type { GivenProjectSettings, GivenSiteSettings, ProjectSettings, SiteSettings } from "./schema/site";
export { monitoringSchema } from "./schema/monitoring";
export type { MonitoringConfig } from "./schema/monitoring";
export { publisherSchema, timersSchema, watchdogSchema } from "./schema/publisher";
export { rolloutSchema } from "./schema/rollout";
export { secretKeys, secretsSchema, stackSchema, workerPool } from "./schema/stack";
export type {
  AwsHostConfig,
  HostConfig,
  HostInput,
  HostsConfig,
  LocalHostConfig,
  NamedHostConfig,
  SecretKey,
  StackConfig,
  StackInput,
} from "./schema/stack";
