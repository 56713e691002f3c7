import { bodies } from "./bodies";
import type { Group } from "./case";
import { conditional } from "./conditional";
import { cookies } from "./cookies";
import { encodings } from "./encodings";
import { faults } from "./faults";
import { pieces } from "./pieces";
import { requests } from "./requests";
import { responseHeaders } from "./responseHeaders";
import { statuses } from "./statuses";
import { streams } from "./streams";
import { uploads } from "./uploads";
import { lists } from "./lists";
import { endpoints } from "./endpoints";
import { tls } from "./tls";
import { circuits } from "./circuits";
import { projects } from "./projects";
import { cache } from "./cache";
import { resources } from "./resources";
import { changes } from "./changes";
import { keptConnections } from "./kept";
import { oddHeaders } from "./oddHeaders";

/** The whole table. */
export const groups: readonly Group[] = [
  bodies,
  pieces,
  responseHeaders,
  cookies,
  statuses,
  encodings,
  conditional,
  requests,
  streams,
  faults,
  endpoints,
  tls,
  lists,
  uploads,
  circuits,
  projects,
  cache,
  resources,
  changes,
  keptConnections,
  oddHeaders,
];
