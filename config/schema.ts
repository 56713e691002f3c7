// The operator's stack config: one schema for validation, docs/config.md and docs/config.schema.json. Types come from it by inference.
export { hostSchema, hostsSchema } from "./schema/hosts";
export { projectSchema, siteSchema } from "./schema/project";
export type { ProjectConfig, ProjectInput, SiteConfig, SiteInput } from "./schema/project";
export { rolloutSchema } from "./schema/rollout";
export { siteKeysSchema, stackSchema, workerPool } from "./schema/stack";
export type { HostConfig, HostInput, HostsConfig, LabHostConfig, StackConfig, StackInput } from "./schema/stack";
