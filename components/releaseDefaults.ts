/** What every release has in common. */
export const releaseDefaults = {
  /** Releases that stay on a host, the serving one included: what a rollback can go back to. */
  keepReleases: 5,
  /** Seconds until a unit that is not healthy fails its release: a tor that has to bootstrap needs most of it. */
  timeoutSeconds: 300,
} as const;
