import * as pulumi from "@pulumi/pulumi";

/** Which stack this is, as Pulumi writes it; a host's lock says it to other operators. @example "organization/softmap/prod" */
export function stackName(): string {
  return `${pulumi.getOrganization()}/${pulumi.getProject()}/${pulumi.getStack()}`;
}

/** What every release has in common. */
export function releaseDefaults() {
  return {
    stack: stackName(),
    /** Releases that stay on a host, the serving one included: what a rollback can go back to. */
    keepReleases: 5,
    /** Seconds until a unit that is not healthy fails its release: a tor that has to bootstrap needs most of it. */
    timeoutSeconds: 300,
  };
}
