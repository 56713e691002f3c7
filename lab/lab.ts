/** The lab from a program (tests, the demo): everything of it that others may use. Everything takes a {@link Lab} from `labNamed`. */
export { LabError } from "./errors";
export {
  blockMirror,
  hangRelay,
  heal,
  killRelay,
  partition,
  powerCut,
  reboot,
  unblockMirror,
  wakeRelay,
} from "./faults";
export { lockCounters } from "./egress";
export { ensureLabImage } from "./image";
export { derivedName, ensureDerivedImage, type Derived } from "./derivedImage";
export { certificateOf } from "./certificates";
export {
  connectionsOf,
  connectionsSince,
  execOn,
  hostDown,
  hostInfo,
  hostMemory,
  hostShow,
  hostUp,
  knownHosts,
  sshConnections,
  type BootedHost,
  type HostInfo,
  type HostOptions,
} from "./hosts";
export { labDown, labUp, type LabNetwork, type Removed, type UpOptions } from "./upDown";
export { startLoad, type Load, type LoadClient, type LoadOptions } from "./load";
export { loadReport, type LoadRecord, type LoadReport } from "./loadReport";
export { BIG_PAGE, DEFAULT_DOMAINS, SUBDOMAINS, UNTRUSTED } from "./originPages";
export { containerName, labNamed, type Lab } from "./places";
export { containersOf, podman, type Container } from "./podman";
export { silent, step, stopwatch, type Say } from "./progress";
export { stackEnvironment } from "./environment";
export { labStatus, readNetwork, type LabStatus } from "./status";
export { fetchThroughTor, newIdentity, type Fetched, type FetchOptions } from "./torNetwork";
export { type Ran } from "./run";
