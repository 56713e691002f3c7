// From a survey to what a picture shows. How well each thing is, by rules that fit on a page: `npx softmap doctor` judges finer.
import { mostPoints } from "../../plan/budget";
import { byName } from "../../plan/order";
import type {
  BackendKnown,
  MachineLook,
  MachineSeen,
  PublishedSite,
  SiteKnown,
  Survey,
  TorSeen,
  UnitSeen,
} from "../desk/survey";
import {
  type Balancer,
  type Cell,
  type Daemon,
  labelOf,
  pointsOf,
  type Site,
  type State,
  type Topology,
  type Worker,
} from "./topology";

/** What is wrong with something: a word or two for the picture, and a sentence without a full stop. */
type Fault = readonly [fact: string, why: string];

/** The first fault gives the word; without any it is well, and `fact` is what there is to say. */
function stateOf(fact: string, faults: readonly Fault[]): State {
  const [first] = faults;
  if (first === undefined) return { health: "ok", fact, why: [] };
  return { health: "trouble", fact: first[0], why: faults.map(([, why]) => why) };
}

const unknown = (fact: string, why: string): State => ({ health: "unknown", fact, why: [why] });

/** What a survey says of its stack. */
export function topologyOfSurvey(survey: Survey): Topology {
  const machines = survey.machines.toSorted((a, b) => byName(a.name, b.name));
  const workers = new Set(survey.backends.map(({ worker }) => worker));
  const publishing = machines.flatMap(({ seen }) => publishedBy(seen));
  const projects = [...new Set([...survey.sites, ...survey.backends].map(({ project }) => project))].sort(byName);
  return {
    stack: survey.stack,
    source: "survey",
    taken: survey.taken,
    balancers: machines
      .filter((machine) => isBalancer(machine, workers))
      .map((machine) => balancerOf(machine, survey.sites)),
    projects: projects.map((name) => ({
      name,
      sites: survey.sites
        .filter(({ project }) => project === name)
        .sort((a, b) => byName(a.domain, b.domain))
        .map((site) => siteOf(site, survey, publishing)),
    })),
    workers: machinesOf(workers, machines).map((machine) => workerOf(machine, survey.backends, publishing)),
  };
}

/** What runs backends, also one that the survey does not have among its machines: `status` was asked of others alone. */
function machinesOf(workers: ReadonlySet<string>, machines: readonly MachineLook[]): MachineLook[] {
  const known = new Map(machines.map((machine) => [machine.name, machine]));
  return [...workers]
    .map((name): MachineLook => known.get(name) ?? { name, error: "nobody looked at it" })
    .sort((a, b) => byName(a.name, b.name));
}

/** What publishes, stands by, or serves no backend: such a machine is in the stack as a balancer alone. */
function isBalancer({ name, seen }: MachineLook, workers: ReadonlySet<string>): boolean {
  if (!workers.has(name)) return true;
  return seen !== undefined && (seen.publisher !== null || seen.roles.some(({ role }) => role === "publisher"));
}

/** The sites that a machine publishes. */
const publishedBy = (seen: MachineSeen | undefined): readonly PublishedSite[] =>
  seen?.publisher && !seen.publisher.standby ? seen.publisher.sites : [];

/** A unit that should run, and does not. */
const unitFault = ({ unit, state }: UnitSeen): Fault => [state, `${unit} is ${state}`];

const lacks = ({ planned, state }: UnitSeen): boolean => planned === "run" && state !== "active";

function balancerOf({ name, error, seen }: MachineLook, known: readonly SiteKnown[]): Balancer {
  if (seen === undefined)
    return { name, ...stateOf("", [["not reached", `it could not be asked: ${error}`]]), standby: false, sites: [] };
  const { publisher, units, tors } = seen;
  const standby = publisher?.standby ?? false;
  const own = units.filter(({ kind }) => kind === "balancer tor" || kind === "onionbalance");
  const faults: Fault[] = own.filter(lacks).map(unitFault);
  for (const tor of tors.filter(({ unit }) => own.some((each) => each.unit === unit))) faults.push(...torFaults(tor));
  if (publisher === null) faults.push(["no publisher", "nothing on it publishes"]);
  else if (publisher.error !== null && !standby) faults.push(["no answer", `Onionbalance: ${publisher.error}`]);
  const sites = known
    .filter(({ address }) => publishedBy(seen).some((site) => site.address === address))
    .map(({ domain, project }) => ({ domain, project }))
    .sort((a, b) => byName(a.project, b.project) || byName(a.domain, b.domain));
  const mode = publisher?.told?.mode;
  const publishes = mode === undefined || mode === "onionbalance" ? "publishes" : `publishes, ${mode}`;
  return { name, ...stateOf(standby ? "stands by" : publishes, faults), standby, sites };
}

function torFaults({ error, bootstrapped, summary }: TorSeen): Fault[] {
  if (error !== null) return [["no answer", `its tor does not answer: ${error}`]];
  if (bootstrapped === 100) return [];
  return [
    [`bootstrap ${bootstrapped ?? 0} %`, `its tor is at ${bootstrapped ?? 0} %: ${summary ?? "it says nothing"}`],
  ];
}

function siteOf(
  { domain, project, address }: SiteKnown,
  { machines, backends }: Survey,
  publishing: readonly PublishedSite[],
): Site {
  const mine = publishing.filter((site) => site.address === address);
  const names = new Set(mine.flatMap((site) => site.backends.map((backend) => backend.address)));
  const own = backends.filter((backend) => backend.project === project);
  const listed = mine.length === 0 ? own : own.filter((backend) => names.has(backend.address));
  const looks = mine.flatMap(({ published }) => published ?? []);
  // The descriptors are the same ones for all balancers: who read them last time they came knows.
  const read = looks.find(({ error }) => error === null);
  return {
    ...{ domain, project, address, limit: mostPoints, planned: pointsOf(listed.length) },
    ...{ points: read?.points ?? (looks.length > 0 ? 0 : null) },
    ...siteState({ domain, mine, looks, read }, machines),
  };
}

type Look = NonNullable<PublishedSite["published"]>;

function siteState(
  {
    domain,
    mine,
    looks,
    read,
  }: { domain: string; mine: readonly PublishedSite[]; looks: readonly Look[]; read?: Look | undefined },
  machines: readonly MachineLook[],
): State {
  const faults = originFaults(domain, machines);
  if (mine.length === 0) {
    const dark = machines.find(({ error }) => error !== undefined);
    if (faults.length === 0 && dark !== undefined)
      return unknown("not known", `no balancer that answers publishes it, and ${dark.name} could not be asked`);
    return stateOf("", [["not published", "no balancer publishes it"], ...faults]);
  }
  if (read === undefined) {
    const [failed] = looks;
    if (failed !== undefined)
      return stateOf("", [["no descriptor", `its descriptor is not there: ${failed.error}`], ...faults]);
    return faults.length > 0
      ? stateOf("", faults)
      : unknown("not looked at", "nobody asked the network for its descriptor");
  }
  if (read.points === 0) faults.unshift(["no points", "its descriptor has no introduction points"]);
  if (read.points > mostPoints)
    faults.unshift([
      "too many points",
      `its descriptor has ${read.points} introduction points, and clients accept ${mostPoints}`,
    ]);
  if (read.unknown > 0)
    faults.push([
      "strange points",
      `${read.unknown} introduction points in its descriptor are of no backend of the plan`,
    ]);
  return stateOf(`${read.points} of ${mostPoints}`, faults);
}

/** What the site's own side says through the workers. */
function originFaults(domain: string, machines: readonly MachineLook[]): Fault[] {
  return machines.flatMap(({ name, seen }) =>
    (seen?.proxies ?? []).flatMap(({ sites }) =>
      sites
        .filter((site) => site.domain === domain && (site.status === null || site.status >= 500))
        .map(({ status, error }): Fault => {
          const said = status === null ? (error ?? "nothing came") : `it answers ${status}`;
          return ["origin fails", `asked by ${name}, its origin fails: ${said}`];
        }),
    ),
  );
}

function workerOf(
  machine: MachineLook,
  backends: readonly BackendKnown[],
  publishing: readonly PublishedSite[],
): Worker {
  const { name, error, seen } = machine;
  const mine = backends.filter(({ worker }) => worker === name);
  const projects = [...new Set(mine.map(({ project }) => project))].sort(byName);
  const faults: Fault[] =
    seen === undefined
      ? [["not reached", `it could not be asked: ${error}`]]
      : seen.units.filter((unit) => (unit.kind === "base" || unit.kind === "client tor") && lacks(unit)).map(unitFault);
  const cells = projects.map((project): Cell => ({
    project,
    proxy: proxyOf(project, machine),
    daemons: mine
      .filter((backend) => backend.project === project)
      .sort((a, b) => byName(a.name, b.name))
      .map((backend) => daemonOf(backend, machine, publishing)),
  }));
  return { name, ...stateOf("answers", faults), cells };
}

function proxyOf(project: string, { seen }: MachineLook): State {
  if (seen === undefined) return unknown("nginx ?", "its machine could not be asked");
  const units = seen.units.filter((unit) => unit.kind === "nginx" && unit.project === project && lacks(unit));
  const answers = seen.proxies.find((proxy) => proxy.project === project);
  const faults: Fault[] = units.map(({ unit, state }) => [`nginx ${state}`, `${unit} is ${state}`]);
  if (answers === undefined) faults.push(["no nginx", "no nginx serves it"]);
  else if (!answers.answers) faults.push(["nginx silent", "its nginx does not answer with the release that serves"]);
  for (const { domain, left } of seen.certificates.filter((each) => each.project === project && each.left <= 0))
    faults.push(["certificate", `the certificate of ${domain} ended ${Math.ceil(-left / 86_400)} days ago`]);
  return stateOf("nginx", faults);
}

function daemonOf(backend: BackendKnown, { seen }: MachineLook, publishing: readonly PublishedSite[]): Daemon {
  const { name, project, worker, address } = backend;
  const rows = publishing.flatMap(({ domain, backends }) =>
    backends.filter((row) => row.address === address).map(({ listed }) => ({ domain, listed })),
  );
  const missing = rows.filter(({ listed }) => listed === 0).map(({ domain }) => domain);
  const [mark] = publishing.flatMap(({ told }) => told?.leftOut.filter((each) => each.address === address) ?? []);
  const absent = `it is not in the published descriptor of ${[...new Set(missing)].sort(byName).join(", ")}`;
  const away: Fault[] =
    mark !== undefined
      ? [["left out", `it is left out by the ${mark.by}: ${mark.why}`]]
      : missing.length > 0
        ? [["not published", absent]]
        : [];
  const state =
    seen !== undefined
      ? ownState(backend, seen, away)
      : away.length > 0
        ? stateOf("", away)
        : unknown("not asked", "its machine could not be asked");
  return { ...{ name, project, worker, address, label: labelOf(name) }, listed: rows.length > 0, ...state };
}

function ownState(backend: BackendKnown, { units, tors }: MachineSeen, away: readonly Fault[]): State {
  const tor = tors.find((each) => each.backend?.address === backend.address);
  const unit = units.find((each) => each.unit === tor?.unit) ?? unitOf(backend, units);
  if (unit === undefined) return stateOf("", [["not there", "no tor on its machine is this backend"], ...away]);
  const faults: Fault[] = unit.state === "active" ? [] : [unitFault(unit)];
  const asked = tor ?? tors.find((each) => each.unit === unit.unit);
  if (faults.length === 0) faults.push(...(asked === undefined ? [silent] : torFaults(asked)));
  const points = asked?.backend?.introductionPoints;
  if (faults.length === 0 && points === 0) faults.push(["no points", "it has no introduction points"]);
  return stateOf(points === undefined ? "runs" : `${points} points`, [...faults, ...away]);
}

const silent: Fault = ["no answer", "its tor was not asked"];

/** The unit of a backend whose tor says nothing: of that project and number, one that is to run before one that leaves. */
function unitOf({ name, project }: BackendKnown, units: readonly UnitSeen[]): UnitSeen | undefined {
  const number = /-(\d+)$/.exec(name)?.[1];
  const mine = units.filter(
    ({ unit, kind }) => kind === "tor" && number !== undefined && unit.startsWith(`softmap-tor@${project}-${number}-`),
  );
  return mine.find(({ planned }) => planned === "run") ?? mine[0];
}
