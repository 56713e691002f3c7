// HTTP/1.1 as bytes: strict enough to see what a client library would hide, such as chunks, trailers and answers that break off.

export type Headers = readonly (readonly [name: string, value: string])[];

export interface Request {
  readonly line: string;
  readonly headers: Headers;
  readonly body: Buffer;
}

export interface Response {
  readonly status: number;
  readonly line: string;
  readonly headers: Headers;
  readonly body: Buffer;
  /** How the body came: with a length, in chunks, until the end of the connection, or not at all. */
  readonly framing: "length" | "chunked" | "close" | "none";
  readonly trailers: Headers;
  /** Answers before this one, as 100. */
  readonly interim: readonly Response[];
  /** False when the connection ended before the answer did. */
  readonly whole: boolean;
  /** What came after it. */
  readonly rest: Buffer;
}

/** All values of a header, in order. */
export function values(headers: Headers, name: string): string[] {
  return headers.filter(([each]) => each.toLowerCase() === name.toLowerCase()).map(([, value]) => value);
}

/** A header's value, several joined by a comma; undefined when it is not there. */
export function joined(headers: Headers, name: string): string | undefined {
  const all = values(headers, name);
  return all.length === 0 ? undefined : all.join(", ");
}

interface Head {
  readonly line: string;
  readonly headers: Headers;
  readonly rest: Buffer;
}

function parseHead(bytes: Buffer): Head | undefined {
  const end = bytes.indexOf("\r\n\r\n");
  if (end < 0) return undefined;
  const [line = "", ...rows] = bytes.subarray(0, end).toString("latin1").split("\r\n");
  return { line, headers: parseFields(rows), rest: bytes.subarray(end + 4) };
}

function parseFields(rows: readonly string[]): Headers {
  return rows.map((row) => {
    const colon = row.indexOf(":");
    return [row.slice(0, colon), row.slice(colon + 1).trim()] as const;
  });
}

interface Chunked {
  readonly body: Buffer;
  readonly trailers: Headers;
  readonly rest: Buffer;
  readonly whole: boolean;
}

/** As much as there is of a chunked body. */
function parseChunked(bytes: Buffer): Chunked {
  const parts: Buffer[] = [];
  let rest = bytes;
  for (;;) {
    const broken = { body: Buffer.concat(parts), trailers: [], rest, whole: false };
    const end = rest.indexOf("\r\n");
    const size = end < 0 ? NaN : parseInt(rest.subarray(0, end).toString("latin1"), 16);
    if (Number.isNaN(size)) return broken;
    const data = rest.subarray(end + 2);
    if (size === 0) {
      const close = data.subarray(0, 2).toString() === "\r\n" ? 0 : data.indexOf("\r\n\r\n");
      if (close < 0) return broken;
      const rows = data.subarray(0, close).toString("latin1").split("\r\n").filter(Boolean);
      return {
        body: Buffer.concat(parts),
        trailers: parseFields(rows),
        rest: data.subarray(close + (close === 0 ? 2 : 4)),
        whole: true,
      };
    }
    parts.push(data.subarray(0, size));
    if (data.length < size + 2) return { ...broken, body: Buffer.concat(parts) };
    rest = data.subarray(size + 2);
  }
}

/** The first request in these bytes, when it is there as a whole. */
export function parseRequest(bytes: Buffer): { found: Request; rest: Buffer } | undefined {
  const head = parseHead(bytes);
  if (!head) return undefined;
  const { line, headers, rest } = head;
  if (/chunked/i.test(joined(headers, "Transfer-Encoding") ?? "")) {
    const { body, whole, rest: after } = parseChunked(rest);
    return whole ? { found: { line, headers, body }, rest: after } : undefined;
  }
  const length = Number(joined(headers, "Content-Length") ?? 0);
  if (rest.length < length) return undefined;
  return { found: { line, headers, body: rest.subarray(0, length) }, rest: rest.subarray(length) };
}

/** The answer in these bytes, or as much as there is of it; undefined when its head is not there yet. */
export function parseResponse(bytes: Buffer, method: string, ended: boolean): Response | undefined {
  const head = parseHead(bytes);
  if (!head) return undefined;
  const { line, headers, rest } = head;
  const status = Number(/^HTTP\/1\.[01] (\d{3})(?: |$)/.exec(line)?.[1]);
  if (Number.isNaN(status)) throw new Error(`no status line: ${JSON.stringify(line)}`);
  const answer = { status, line, headers, trailers: [], interim: [] };
  const none = { ...answer, body: Buffer.alloc(0), framing: "none" as const, whole: true, rest };
  if (status >= 100 && status < 200 && status !== 101) {
    const next = parseResponse(rest, method, ended);
    return next && { ...next, interim: [none, ...next.interim] };
  }
  if (method === "HEAD" || status === 101 || status === 204 || status === 304) return none;
  if (/chunked/i.test(joined(headers, "Transfer-Encoding") ?? "")) {
    return { ...answer, framing: "chunked", ...parseChunked(rest) };
  }
  const given = joined(headers, "Content-Length");
  if (given === undefined) {
    return { ...answer, body: rest, framing: "close", whole: ended, rest: Buffer.alloc(0) };
  }
  const length = Number(given);
  const body = rest.subarray(0, length);
  return { ...answer, body, framing: "length", whole: rest.length >= length, rest: rest.subarray(length) };
}
