// What of a project's settings its tor daemons are told.
import type { ProjectSettings } from "../config/schema";
import { nginxSocket } from "./names";

const keys = [
  "torSingleOnion",
  "torSyslog",
  "torIntroDosDefense",
  "torIntroDosRatePerSec",
  "torIntroDosBurstPerSec",
  "torMaxStreams",
  "torMaxStreamsCloseCircuit",
  "torExportCircuitId",
] as const satisfies readonly (keyof ProjectSettings)[];

/** The settings of a project that go to its tor daemons. */
export type TorSettings = Pick<ProjectSettings, (typeof keys)[number]>;

/** These alone: another setting of a project is no part of a torrc's model. */
export function torSettings(project: TorSettings): TorSettings {
  return Object.fromEntries(
    keys.flatMap((key) => (project[key] === undefined ? [] : [[key, project[key]]])),
  ) as unknown as TorSettings;
}

/** A port of a backend's onion service and the socket of nginx behind it. */
export interface TorPort {
  readonly port: 80 | 443;
  readonly socket: string;
}

/**
 * The ports of a project's n-th daemon. nginx has all sockets always: a tor that exports circuit ids writes a line in front of each
 * stream, so it goes to those where nginx reads one.
 */
export function torPorts(project: string, n: number, exportsCircuitId: boolean): TorPort[] {
  return [
    { port: 80, socket: nginxSocket(project, n, exportsCircuitId ? "circuit http" : "http") },
    { port: 443, socket: nginxSocket(project, n, exportsCircuitId ? "circuit https" : "https") },
  ];
}
