import assert from "node:assert/strict";
import { before, describe, test } from "node:test";
import { Graph, payloadIn } from "./graphKit";

const client = "softmap-tor@client.service";
const clientSocks = "/run/softmap/tor/client/socks";
const clientTorrc = "tor/client/torrc";

describe("a project of single onion services", () => {
  let graph: Graph;
  before(async () => {
    graph = await Graph.of({ news: { torSingleOnion: true } });
  });
  const release = () => graph.payload("workers-south-release");

  test("its daemons have no SocksPort, those of the other project have one", () => {
    const torrc = (daemon: string) =>
      release().files?.find(({ path }) => path.startsWith(`tor/${daemon}-`))?.text ?? "";
    for (const daemon of ["news-1", "news-2"])
      assert.match(torrc(daemon), /^SocksPort 0\nHiddenServiceNonAnonymousMode 1\nHiddenServiceSingleHopMode 1$/m);
    assert.match(torrc("tips-1"), /^SocksPort unix:/m);
    assert.doesNotMatch(torrc("tips-1"), /SingleHop|NonAnonymous/);
  });

  test("each worker has a client with its file, its folder and its place in the plan, healthy without an upload", () => {
    const services = release().services ?? [];
    const found = services.find(({ unit }) => unit === client);
    assert.deepEqual(found?.health, { kind: "tor", control: "/run/softmap/tor/client/control" });
    assert.deepEqual([found.reloadOn, found.restartOn], [[clientTorrc], []]);
    assert.equal(services.filter(({ unit }) => unit.includes("client")).length, 1);
    assert.equal(release().files?.filter(({ path }) => path === clientTorrc).length, 1);
    assert.deepEqual(
      release().dirs?.filter(({ path }) => path.endsWith("/client")),
      [{ path: "/var/lib/softmap/tor/client", owner: "softmap-tor", group: "softmap-tor", mode: "0700" }],
    );
    assert.ok(client in (JSON.parse(graph.named("workers-services").inputs["services"] as string) as object));
  });

  test("its proofs go through the client, those of the other project through their own backend", () => {
    const [news = [], tips = []] = (release().proof ?? []).map(({ backends }) => backends.map(({ socks }) => socks));
    assert.deepEqual(news, [clientSocks, clientSocks]);
    assert.match(tips.join(" "), /^\/run\/softmap\/tor\/tips-1-[0-9a-f]{4}\/socks$/);
  });

  test("retiring keeps the client; without such a project there is none, and it leaves with its file and its state", async () => {
    const kept = graph.payload("balancer-south-retire");
    assert.ok(kept.keepServices?.includes(client));
    assert.ok(kept.keepStateDirs?.includes("/var/lib/softmap/tor/client"));
    assert.ok(kept.keepFiles?.includes(clientTorrc));

    const plain = await Graph.of();
    assert.equal(
      plain.resources.find(({ name }) => name === "workers-client-torrc"),
      undefined,
    );
    for (const step of ["workers-south-release", "balancer-south-retire"])
      assert.doesNotMatch(JSON.stringify(payloadIn(plain.named(step).inputs["stdin"])), /tor[@/]client/, step);
  });
});

describe("a project's daemons", () => {
  const daemons = (graph: Graph, project: string) =>
    graph
      .payload("workers-south-release")
      .services?.flatMap(({ unit }) => (unit.startsWith(`softmap-tor@${project}-`) ? [unit] : []));

  test("are others with their keys when a tor cannot take a setting over, and only that project's", async () => {
    const [plain, exported] = [await Graph.of(), await Graph.of({ news: { torExportCircuitId: true } })];
    assert.notDeepEqual(daemons(plain, "news"), daemons(exported, "news"));
    assert.deepEqual(daemons(plain, "tips"), daemons(exported, "tips"));
    const keys = (graph: Graph) => graph.ofType(":OnionKey").map(({ name }) => name);
    assert.equal(keys(exported).filter((name) => !keys(plain).includes(name)).length, 4);
    const files = exported.payload("workers-south-release").files ?? [];
    const torrc = files.find(({ path }) => path.startsWith("tor/news-1-"))?.text;
    assert.match(torrc ?? "", /^HiddenServicePort 443 unix:\/run\/softmap\/nginx\/news\/1\.circuit\.tls\.sock$/m);
  });

  test("are the same when they can", async () => {
    const [plain, limited] = [await Graph.of(), await Graph.of({ news: { torMaxStreams: 20, torSyslog: "warn" } })];
    assert.deepEqual(daemons(plain, "news"), daemons(limited, "news"));
  });
});
