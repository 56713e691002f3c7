import { randomBytes } from "node:crypto";
import { loadavg } from "node:os";
import { setTimeout as wait } from "node:timers/promises";
import { fetchThroughTor, hostDown, readNetwork, type Lab } from "../lab/lab";
import { Looking } from "../lab/ownTor";
import { keysOfSeed } from "../onion/keys";
import type { Look } from "./judge";
import type { Row } from "./publishFigures";
import { BenchStack, emptyHosts } from "./publishStack";
import { WATCH_PROGRAM } from "./watch";

const BALANCER = "first-balancer";
const WORKERS = ["first-worker1", "first-worker2"];
const DOMAIN = "www.daily.test";
/** Seconds within which the first page must have come. */
const LIMIT = 300;
/** Seconds between two looks whether a directory has the site's first descriptor. */
const PAUSE = 0.2;

const now = (): number => Date.now() / 1000;

/**
 * From empty hosts to the first page: one balancer, two workers with two daemons each, a stack and a site key that nobody has seen before. The lab's
 * client asks as soon as a directory has the site's descriptor: a client that asks in vain before waits before it asks again.
 */
export async function firstPage(lab: Lab, run: number): Promise<Row> {
  await emptyHosts(lab, [BALANCER, ...WORKERS]);
  const stack = await BenchStack.start(lab, `first${run}`);
  const { address, secretFile } = keysOfSeed(randomBytes(32));
  const looking = Looking.start<Look>(
    lab,
    { container: "tor", what: "The look at the first descriptor", file: WATCH_PROGRAM },
    { frontend: address, backends: [], torrc: readNetwork(lab).torrc, pause: PAUSE },
  );
  try {
    stack.configure({
      balancers: [BALANCER],
      workers: WORKERS,
      projects: [{ name: "news", softmapTorWorkers: 2, sites: [{ domain: DOMAIN }] }],
    });
    await stack.setSiteKey(DOMAIN, secretFile);
    await looking.until("it looks", () => looking.lines[0], 90);
    const load = loadavg()[0] ?? 0;
    const began = now();
    const [up, [published, page]] = await Promise.all([stack.up(), firstSeen(lab, looking, address)]);
    return {
      ...{ run, by: "softmap", change: "first", load, torStarts: null, onionbalanceStarts: null },
      ...{ published: published - began, publication: null, up: up.seconds, page: page - began },
    };
  } finally {
    await looking.end();
    stack.end();
  }
}

/** When a directory had the descriptor, and when the lab's client had a page. */
async function firstSeen(lab: Lab, looking: Looking<Look>, address: string): Promise<[number, number]> {
  const mine = address.replace(/\.onion$/, "");
  const find = () => looking.lines.find((look) => look.address === mine);
  const { at } = await looking.until("a directory has the descriptor", find, LIMIT);
  for (const end = at + LIMIT; now() < end; await wait(100)) {
    const { status } = await fetchThroughTor(lab, `http://${address}/`);
    if (status === 200) return [at, now()];
  }
  throw new Error(`no page of ${address} ${LIMIT} s after its descriptor`);
}

/** Takes the hosts of the last run away. */
export async function endFirst(lab: Lab): Promise<void> {
  await Promise.all([BALANCER, ...WORKERS].map((name) => hostDown(lab, name)));
}
