import { CLOSE, CUT, RESET, type Piece } from "../origin";
import { IMPATIENT, O, WWW, chunk, head, html, type Case, type Group } from "./case";

const PAGE = `<a href="https://${WWW}/">`;
const PAGE_TO = `<a href="http://${O}/">`;
const pageHead = (length: number) => head("200 OK", { "Content-Type": "text/html", "Content-Length": String(length) });
const chunked = head("200 OK", { "Content-Type": "text/html", "Transfer-Encoding": "chunked" });

const later = (milliseconds: number): Promise<void> => new Promise((done) => setTimeout(done, milliseconds));

/** nginx's own answer where there is none of the origin's: says where to look, and no reason; the reason is in the log. */
const unreachable = (status: 502 | 504) => ({
  status,
  headers: { "Content-Type": /^text\/plain/ },
  body: new RegExp(`^${status}.*/hello-onion/`),
});

const unproved = (sub: string, log: RegExp, more: Partial<Case> = {}): Case => ({
  name: `an origin's certificate: ${sub}: 502, and nothing was asked`,
  site: IMPATIENT,
  sub: `${sub}.`,
  get: unreachable(502),
  asked: null,
  log,
  ...more,
});

const away = (sub: string, status: 502 | 504, log: RegExp): Case => ({
  name: `an origin that is away: ${sub}`,
  site: IMPATIENT,
  sub: `${sub}.`,
  get: unreachable(status),
  asked: null,
  log,
});

const brokenHead = (name: string, ...origin: readonly Piece[]): Case => ({
  name: `a broken head: ${name}`,
  site: IMPATIENT,
  origin,
  get: unreachable(502),
});

/** What has begun cannot become a 502: the reader must see that it is not whole. */
const brokenBody = (name: string, origin: Case["origin"] & object, get: Case["get"] & object = {}): Case => ({
  name: `a body that breaks off: ${name}`,
  site: IMPATIENT,
  origin,
  get: { whole: false, ...get },
});

const twice = (method: string): Case => ({
  name: `${method} whose connection breaks is not sent twice`,
  send: { method, body: "x" },
  origin: [RESET],
  get: unreachable(502),
  asked: { line: `${method} /` },
});

export const faults: Group = {
  title: "faults",
  cases: [
    unproved("wrongname", /upstream SSL certificate does not match "wrongname\.impatient\.example\.com"/),
    unproved("expired", /certificate verify error: \(10:certificate has expired\).*host: "expired\./),
    unproved("selfsigned", /certificate verify error: \(18:self-signed certificate\)/),
    unproved("otherca", /certificate verify error: \(2[01]:/),
    unproved("plaintext", /(SSL_do_handshake\(\) failed|SSL handshake|reset by peer).*host: "plaintext\./),
    away("refused", 502, /connect\(\) failed \(111: Connection refused\).*127\.0\.0\.2:443/),
    away("nodns", 502, /nodns\.impatient\.example\.com could not be resolved/),
    away("silent", 504, /upstream timed out.*SSL handshaking to upstream/),
    {
      name: "an origin that takes the request and says nothing: 504",
      site: IMPATIENT,
      origin: (peer) => peer.gone(),
      get: unreachable(504),
      log: /upstream timed out.*reading response header from upstream/,
    },
    brokenHead("closed at once", CLOSE),
    brokenHead("cut at once", CUT),
    brokenHead("reset at once", RESET),
    brokenHead("ends in the middle", "HTTP/1.1 200 OK\r\nContent-Ty", CLOSE),
    brokenHead("no header line", "HTTP/1.1 200 OK\r\n\u0000\u0001\u0002: x\r\n\r\n", CLOSE),
    brokenHead("larger than the buffer", head("200 OK", { "X-Large": "x".repeat(40_000) }), CLOSE),
    brokenBody("shorter than its length, closed", [pageHead(500) + PAGE, CLOSE], { body: PAGE_TO }),
    brokenBody("shorter than its length, cut", [pageHead(500) + PAGE, CUT], { body: PAGE_TO }),
    brokenBody("chunks without an end", [chunked, chunk(PAGE), CLOSE], { body: PAGE_TO }),
    brokenBody("a chunk without its end", [chunked, `ff\r\n${PAGE}`, CLOSE]),
    brokenBody("silent in the middle", [pageHead(500) + PAGE, () => later(1500)]),
    brokenBody("of 200 kB in the middle", [pageHead(500_000) + PAGE.repeat(8_000), RESET]),
    {
      name: "a slow origin, slower as a whole than nginxTimeout and never silent for so long",
      site: IMPATIENT,
      origin: [pageHead(4 * PAGE.length), ...[1, 2, 3, 4].flatMap(() => [PAGE, () => later(400)])],
      get: { body: PAGE_TO.repeat(4) },
    },
    {
      name: "chunks that are none",
      site: IMPATIENT,
      origin: [chunked, "zz\r\nnonsense\r\n", CLOSE],
      run: async ({ rig, proxy, id, kind, request }) => {
        rig.origin.answer(id, [chunked, "zz\r\nnonsense\r\n", CLOSE]);
        const response = await proxy.request(kind, request()).catch(() => undefined);
        if (response?.status === 200 && response.whole) throw new Error("a whole 200");
      },
    },
    {
      name: "more than its length: what is too much does not come through",
      origin: [pageHead(PAGE.length) + PAGE + `HTTP/1.1 200 OK\r\n\r\nhttps://${WWW}/`, CLOSE],
      get: { body: PAGE_TO },
    },
    {
      name: "garbage instead of an answer is never passed on unrewritten",
      origin: [`SSH-2.0 ${WWW}\r\n`, CLOSE],
      run: async ({ rig, proxy, id, kind, request }) => {
        rig.origin.answer(id, [`SSH-2.0 ${WWW}\r\n`, CLOSE]);
        const wire = await proxy.open(kind);
        wire.write(request());
        const answered = await wire.response("GET").catch(() => undefined);
        const leaks = wire.received.includes(WWW);
        wire.close();
        if (leaks) throw new Error(`unrewritten: ${answered?.line ?? ""} ${wire.received.toString("latin1")}`);
      },
    },
    ...["POST", "PUT", "DELETE", "PATCH"].map(twice),
    {
      name: "after a fault the same site answers again",
      origin: html(PAGE),
      get: { body: PAGE_TO },
    },
    {
      name: "HEAD of an origin that is away",
      site: IMPATIENT,
      sub: "refused.",
      send: { method: "HEAD" },
      get: { status: 502, body: "" },
    },
  ],
};
