// Random documents through the real nginx: what comes out is what the reference makes of them, however the origin cuts them.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import fc from "fast-check";
import { onionOf } from "./cases/case";
import { KEPT, NAMES, part, sizes } from "./documents";
import { Rig, type Proxy } from "./kit";
import { CASE_HEADER } from "./origin";
import { reference, type Rules } from "./reference";

const [plain, secure] = NAMES;
const site = { nginxBlockSize: "4k", nginxBlockBusySize: "8k", kludgeDisableSri: true };
const sites = NAMES.map((domain) => ({
  ...site,
  domain,
  onion: onionOf(domain),
  onionTls: domain === secure ? ("selfSigned" as const) : ("off" as const),
}));

/** What the proxy of a site makes of a page. */
const rulesOf = (asked: string): Rules => ({
  hosts: sites.map(({ domain, onion }) => ({ from: domain, to: onion, scheme: domain === secure ? "tls" : "plain" })),
  keep: KEPT,
  texts: [
    { from: 'integrity="sha', to: 'data-integrity="sha' },
    ...(asked === secure ? [] : [{ from: "upgrade-insecure-requests", to: "" }]),
  ],
  emails: false,
});

/** Cut into pieces of these sizes, over and over. */
function cut(bytes: Buffer, sizesOf: readonly number[]): Buffer[] {
  const pieces: Buffer[] = [];
  for (let at = 0, n = 0; at < bytes.length; n++) {
    const size = (sizesOf[n % sizesOf.length] ?? 1) * 97;
    pieces.push(bytes.subarray(at, at + size));
    at += size;
  }
  return pieces;
}

let rig: Rig;
let proxy: Proxy;
before(async () => {
  rig = await Rig.start("random", [...NAMES]);
  proxy = await rig.startProxy({ project: "random", sites, preserve: KEPT });
});
after(() => rig.stop());

test("random documents come through nginx as through the reference", { timeout: 300_000 }, async () => {
  let count = 0;
  await fc.assert(
    fc.asyncProperty(
      fc.array(part, { minLength: 1, maxLength: 40 }).map((parts) => parts.join("")),
      fc.integer({ min: 1, max: 30 }),
      sizes,
      fc.record({ html: fc.boolean(), asked: fc.constantFrom(plain, secure), chunked: fc.boolean() }),
      async (text, times, random, { html, asked, chunked }) => {
        const page = Buffer.from(text.repeat(times), "latin1");
        const id = `random-${count++}`;
        const type = html ? "text/html" : "application/json";
        const framing = chunked ? "Transfer-Encoding: chunked" : `Content-Length: ${page.length}`;
        const head = `HTTP/1.1 200 OK\r\nContent-Type: ${type}\r\n${framing}\r\n\r\n`;
        const pieces = cut(page, random).map((piece) =>
          chunked
            ? Buffer.concat([Buffer.from(`${piece.length.toString(16)}\r\n`), piece, Buffer.from("\r\n")])
            : piece,
        );
        rig.origin.answer(id, [head, ...pieces, ...(chunked ? ["0\r\n\r\n"] : [])]);
        const request = `GET / HTTP/1.1\r\nHost: ${onionOf(asked)}\r\n${CASE_HEADER}: ${id}\r\nConnection: close\r\n\r\n`;
        const { status, body, whole } = await proxy.request(asked === secure ? "https" : "http", request, {
          ...(asked === secure && { tls: onionOf(asked) }),
        });
        assert.deepEqual([status, whole], [200, true]);
        assert.equal(body.toString("latin1"), reference(rulesOf(asked), page.toString("latin1"), html));
      },
    ),
    { numRuns: Number(process.env["RUNS"] ?? 300) },
  );
});
