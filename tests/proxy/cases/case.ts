import { createHash } from "node:crypto";
import type { Response } from "../http";
import type { NginxSocketKind } from "../../../plan/names";
import type { Proxy, Rig } from "../kit";
import type { Answer, Piece, SeenRequest } from "../origin";
import type { ProxySettings, ProxySite } from "../release";

/** What a header must be: this text (several values joined by a comma), something that fits, these values in order, or not there. */
export type Wanted = string | RegExp | readonly string[] | null;

/** What a client sends. */
export interface Sent {
  readonly method?: string;
  readonly path?: string;
  /** Host; default the site's onion, with `sub` in front. */
  readonly host?: string;
  readonly headers?: readonly (readonly [string, string])[] | Readonly<Record<string, string>>;
  readonly body?: string | Buffer;
}

/** What must come back. */
export interface Got {
  readonly status?: number;
  readonly headers?: Readonly<Record<string, Wanted>>;
  readonly body?: string | Buffer | RegExp;
  /** False: the answer must break off. */
  readonly whole?: boolean;
  readonly check?: (response: Response) => void;
}

/** What the origin must have been asked. */
export interface Asked {
  /** Method and path. */
  readonly line?: string;
  readonly headers?: Readonly<Record<string, Wanted>>;
  readonly body?: string | Buffer;
  readonly check?: (request: SeenRequest) => void;
}

/** Everything a case can use that does it all itself. */
export interface World {
  readonly rig: Rig;
  readonly proxy: Proxy;
  readonly id: string;
  /** Host of the case's site, as the client writes it. */
  readonly host: string;
  readonly kind: NginxSocketKind;
  /** Bytes of a request in this case's name. */
  readonly request: (sent?: Sent) => Buffer;
}

/** A row of the table. */
export interface Case {
  readonly name: string;
  /** Domain of the site that is asked; default {@link WWW}. */
  readonly site?: string;
  /** What stands in front of the site's name, with its dot. */
  readonly sub?: string;
  readonly project?: string;
  /** Which socket; default the one that the site is served on. */
  readonly on?: NginxSocketKind;
  readonly send?: Sent;
  readonly origin?: Answer;
  readonly get?: Got;
  /** Null: the origin must not have been asked. */
  readonly asked?: Asked | null;
  /** What nginx must have written to its error log about this request. */
  readonly log?: RegExp;
  /** Instead of all that. */
  readonly run?: (world: World) => Promise<void>;
}

/** Cases with what they need beside the sites that all know. */
export interface Group {
  readonly title: string;
  readonly sites?: readonly Site[];
  /** Projects of their own, for what a project has as a whole. */
  readonly projects?: readonly (Omit<ProxySettings, "sites"> & { readonly sites: readonly Site[] })[];
  readonly cases: readonly Case[];
  /** They count connections, or measure: one after the other. */
  readonly alone?: boolean;
}

/** A site of the tests: its settings, without its address, which follows from its domain. */
export type Site = Omit<ProxySite, "onion">;

/** A site's address: the same in every run. */
export function onionOf(domain: string): string {
  const letters = [...createHash("sha512").update(domain).digest()].map((byte) =>
    "abcdefghijklmnopqrstuvwxyz234567".charAt(byte & 31),
  );
  return `${letters.slice(0, 55).join("")}d.onion`;
}

/** The site that most cases ask: plain http, no settings. */
export const WWW = "www.example.org";
/** A site of the same project whose links are rewritten too. */
export const NET = "example.net";
/** A site of the same project that is also a name below {@link NET}. */
export const CDN = "cdn.example.net";
/** A site with TLS. */
export const TLS = "secure.example.org";

/** A site with little patience, for what never comes. */
export const IMPATIENT = "impatient.example.com";

/** {@link WWW}'s onion, and the others'. */
export const O = onionOf(WWW);
export const ONET = onionOf(NET);
export const OCDN = onionOf(CDN);
export const OTLS = onionOf(TLS);

export const sharedSites: readonly Site[] = [
  { domain: WWW },
  { domain: NET },
  { domain: CDN },
  { domain: TLS, onionTls: "selfSigned" },
  { domain: IMPATIENT, nginxTimeout: 1 },
];

type Fields = Readonly<Record<string, string | readonly string[]>>;

/** An answer's head, with its empty line. */
export function head(status: string, fields: Fields = {}): string {
  const rows = Object.entries(fields).flatMap(([name, value]) => [value].flat().map((each) => `${name}: ${each}\r\n`));
  return `HTTP/1.1 ${status}\r\n${rows.join("")}\r\n`;
}

/** An answer with a Content-Length. */
export function answer(status: string, fields: Fields = {}, body: string | Buffer = ""): Piece[] {
  const bytes = Buffer.from(body);
  return [Buffer.concat([Buffer.from(head(status, { ...fields, "Content-Length": String(bytes.length) })), bytes])];
}

/** A page. */
export function html(body: string | Buffer, fields: Fields = {}): Piece[] {
  return answer("200 OK", { "Content-Type": "text/html", ...fields }, body);
}

/** One chunk of a chunked body. */
export function chunk(data: string | Buffer): Buffer {
  const bytes = Buffer.from(data);
  return Buffer.concat([Buffer.from(`${bytes.length.toString(16)}\r\n`), bytes, Buffer.from("\r\n")]);
}

/** The end of a chunked body. */
export const LAST_CHUNK = "0\r\n\r\n";
