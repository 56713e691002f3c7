import assert from "node:assert/strict";
import { joined, values, type Headers, type Response } from "../http";
import type { NginxSocketKind } from "../../../plan/names";
import type { Proxy, Rig } from "../kit";
import { CASE_HEADER, type SeenRequest } from "../origin";
import { html, onionOf, WWW, type Case, type Sent, type Wanted, type World } from "./case";

let count = 0;

/** A request's bytes. */
export function requestBytes(id: string, host: string, sent: Sent = {}): Buffer {
  const { method = "GET", path = "/", body } = sent;
  const given = Array.isArray(sent.headers) ? (sent.headers as [string, string][]) : Object.entries(sent.headers ?? {});
  const has = (name: string) => given.some(([each]) => each.toLowerCase() === name.toLowerCase());
  const fields = [["Host", sent.host ?? host], [CASE_HEADER, id], ...given];
  const bytes = Buffer.from(body ?? "");
  if (body !== undefined && !has("Content-Length") && !has("Transfer-Encoding")) {
    fields.push(["Content-Length", String(bytes.length)]);
  }
  const rows = fields.map(([name, value]) => `${name}: ${value}\r\n`).join("");
  return Buffer.concat([Buffer.from(`${method} ${path} HTTP/1.1\r\n${rows}\r\n`, "latin1"), bytes]);
}

/** Runs a case against its proxy. @throws AssertionError that shows the request, the answer and what the origin saw */
export async function runCase(rig: Rig, proxy: Proxy, hasTls: (domain: string) => boolean, each: Case): Promise<void> {
  const id = `c${++count}`;
  const site = each.site ?? WWW;
  const host = (each.sub ?? "") + onionOf(site);
  const kind: NginxSocketKind = each.on ?? (hasTls(site) ? "https" : "http");
  const request = (sent: Sent = each.send ?? {}) => requestBytes(id, host, sent);
  rig.origin.answer(id, each.origin ?? html("a page"));
  if (each.run) return each.run({ rig, proxy, id, host, kind, request });
  await expected({ rig, proxy, id, host, kind, request }, each);
}

async function expected(world: World, each: Case): Promise<void> {
  const { rig, proxy, id, kind, request } = world;
  const bytes = request();
  let response: Response | undefined;
  try {
    response = await proxy.request(kind, bytes, wireFor(world));
    checkResponse(response, each);
    const seen = rig.origin.seen(id);
    if (each.asked === null) assert.deepEqual(seen, [], "the origin was asked");
    else if (each.asked !== undefined) checkAsked(seen, each.asked);
    if (each.log) await logged(proxy, each.log);
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    const parts = [
      error.message,
      `  sent: ${shown(bytes)}`,
      `  came: ${response ? shownResponse(response) : "no answer"}`,
      `  origin: ${rig.origin.seen(id).map(shownRequest).join("\n    ") || "was not asked"}`,
    ];
    error.message = parts.join("\n");
    error.stack = error.message;
    throw error;
  }
}

/** Name for TLS and PROXY line that a socket of this kind needs. */
export function wireFor({ host, kind }: Pick<World, "host" | "kind">): { tls?: string; proxy?: string } {
  return {
    ...(kind.endsWith("https") ? { tls: host } : {}),
    ...(kind.startsWith("circuit") ? { proxy: proxyLine(1) } : {}),
  };
}

/** What tor says of a circuit. */
export function proxyLine(circuit: number): string {
  const hex = circuit.toString(16).padStart(8, "0");
  return `PROXY TCP6 fc00:dead:beef:4dad::${hex.slice(0, 4)}:${hex.slice(4)} ::1 65535 80\r\n`;
}

function checkResponse(response: Response, { get = {} }: Case): void {
  assert.equal(response.status, get.status ?? 200);
  checkHeaders(response.headers, get.headers ?? {});
  if (get.body instanceof RegExp) assert.match(response.body.toString(), get.body);
  else if (get.body !== undefined) {
    assert.equal(response.body.toString("latin1"), Buffer.from(get.body).toString("latin1"));
  }
  assert.equal(response.whole, get.whole ?? true, "whether the answer is whole");
  assert.equal(response.rest.length, 0, `bytes after the answer: ${shown(response.rest)}`);
  get.check?.(response);
}

function checkAsked(seen: readonly SeenRequest[], { line, headers, body, check }: NonNullable<Case["asked"]>): void {
  const [request] = seen;
  assert.ok(request, "the origin was not asked");
  assert.equal(seen.length, 1, "the origin was asked more than once");
  if (line !== undefined) assert.equal(request.line, `${line} HTTP/1.1`);
  checkHeaders(request.headers, headers ?? {});
  if (body !== undefined) assert.equal(request.body.toString("latin1"), Buffer.from(body).toString("latin1"));
  check?.(request);
}

export function checkHeaders(headers: Headers, wanted: Readonly<Record<string, Wanted>>): void {
  for (const [name, want] of Object.entries(wanted)) {
    if (want === null) assert.deepEqual(values(headers, name), [], name);
    else if (want instanceof RegExp) assert.match(joined(headers, name) ?? "(none)", want, name);
    else if (typeof want === "string") assert.equal(joined(headers, name), want, name);
    else assert.deepEqual(values(headers, name), want, name);
  }
}

/** Waits until nginx has said it. */
export async function logged(proxy: Proxy, wanted: RegExp): Promise<void> {
  const late = Date.now() + 3_000;
  while (!wanted.test(proxy.errorLog())) {
    if (Date.now() > late) assert.match(proxy.errorLog().slice(-2000), wanted, "nginx's error log");
    await new Promise((soon) => setTimeout(soon, 10));
  }
}

function shown(bytes: Buffer): string {
  const text = JSON.stringify(bytes.subarray(0, 1500).toString("latin1"));
  return bytes.length > 1500 ? `${text} ... ${bytes.length} bytes` : text;
}

function shownResponse({ line, headers, body, framing, whole }: Response): string {
  const rows = headers.map(([name, value]) => `${name}: ${value}`).join(" | ");
  return `${line} | ${rows} | ${shown(body)} (${framing}${whole ? "" : ", broken off"})`;
}

function shownRequest({ line, headers, body }: SeenRequest): string {
  return `${line} | ${headers.map(([name, value]) => `${name}: ${value}`).join(" | ")} | ${shown(body)}`;
}
