// What was released: whether it is what serves, whether it was changed by hand, and what nginx and tor make of it.
import { count } from "../../../config/words";
import { span } from "../../desk/table";
import type { ProxySeen } from "../../desk/survey";
import { follows, type Check, type Told } from "../finding";
import { groupedBy, some, unitNamed, younger, type Seen, type View } from "../view";
import { unitFault } from "./units";

export const obConfig: Check = {
  name: "ob-config",
  looksFor: "a backend without ob_config, or with an address missing there",
  find: (view) => view.seen.flatMap((machine) => obConfigOf(machine, view)),
};

/** Daemons of a machine whose ob_config does not name every site of their project. */
function obConfigOf({ name, seen }: Seen, { survey }: View): Told[] {
  return survey.backends.flatMap((backend) => {
    const daemon = seen.tors.find((tor) => tor.backend?.address === backend.address);
    const has = daemon?.backend?.obConfig;
    if (daemon === undefined || has === undefined || backend.worker !== name) return [];
    const lost = survey.sites.filter(({ project, address }) => project === backend.project && !has.includes(address));
    if (lost.length === 0) return [];
    const file = has.length === 0 ? "has no ob_config" : "has an ob_config without";
    const sites = has.length === 0 ? "" : ` ${some(lost.map(({ domain, address }) => `${domain} (${address})`))}`;
    const what = `${backend.name} ${file}${sites}: once its tor starts again it answers nobody who comes for ${count(lost.length, "site")}.`;
    const next = `pulumi up --refresh writes it again. tor reads it when it starts: then sudo systemctl restart ${daemon.unit} on ${name}.`;
    return [{ severity: "red", subject: backend.name, what, next }];
  });
}

/** A project's nginx that runs and is not the release's. */
function strangeNginx({ name, seen }: Seen, view: View): Told[] {
  return seen.proxies
    .filter(({ answers, unit }) => !answers && !younger(unitNamed(seen, unit), 10))
    .map(({ project, unit }) =>
      follows(unitFault(view, name, unit), {
        severity: "red",
        subject: name,
        what: `nginx of ${project} on ${name} does not answer as the release that serves there: it runs an older one, or hangs.`,
        next: `On ${name}: sudo systemctl reload ${unit}; npx softmap logs ${name} has its own words if it refuses.`,
      }),
    );
}

/** Roles of a machine whose release was not proved, or that have none. */
function unproved({ name, seen }: Seen, { workers, survey }: View): Told[] {
  if (seen.roles.length === 0 || (workers.has(name) && !seen.roles.some(({ role }) => role === "worker"))) {
    const serving = survey.backends.some(({ worker }) => worker === name) ? "worker" : "balancer";
    const what = `Nothing of a ${serving} is released on ${name}.`;
    return [{ severity: "red", subject: name, what, next: "pulumi up --refresh releases the plan there." }];
  }
  const next = "pulumi up --refresh releases the plan again and proves it.";
  return seen.roles
    .filter(({ release, proved }) => release === null || release !== proved)
    .map(({ role, release, proved }) => {
      const serves = release === null ? "No release serves" : `Release ${release} serves`;
      const was = proved === null ? "none was ever proved" : `${proved} was proved last`;
      const what = `${serves} as ${role} of ${name}, and ${was}: a step was cut off, or the link was changed by hand.`;
      return { severity: "red", subject: name, what, next };
    });
}

/** All workers serve the same files: one with another release was left out of a roll-out, or went back alone. */
function unequal({ seen, workers }: View): Told[] {
  const serving = seen.flatMap(({ name, seen: { roles } }) =>
    roles
      .filter(({ role, release, proved }) => role === "worker" && release !== null && release === proved)
      .map(({ release, age }) => ({ name, release: release ?? "", age: age ?? Infinity })),
  );
  const ours = serving.filter(({ name }) => workers.has(name));
  const newest = ours.reduce<(typeof ours)[number] | undefined>(
    (best, one) => (best === undefined || one.age < best.age ? one : best),
    undefined,
  );
  if (newest === undefined) return [];
  return ours
    .filter(({ release }) => release !== newest.release)
    .map(({ name, release, age }) => ({
      severity: "amber",
      subject: name,
      what: `${name} serves release ${release} (${span(age)} old), and ${newest.name} ${newest.release} (${span(newest.age)} old).`,
      next: "pulumi up --refresh brings all to the same; npx softmap rollback --look says where each would go back to.",
    }));
}

export const release: Check = {
  name: "release",
  looksFor: "what serves and was never proved, or is another one than on the other workers",
  find: (view) => [
    ...view.seen.flatMap((machine) => [...unproved(machine, view), ...strangeNginx(machine, view)]),
    ...unequal(view),
  ],
};

/** Findings of a refresh that other checks tell with more: units, releases, a backend's ob_config, what is left over. */
const toldElsewhere = [
  /^softmap-\S+ (does not run|is not started at boot|runs, but should stand by|runs, and is not planned any more)\.?$/,
  /^release \S+ serves, and \S+ was proved\.?$/,
  /^no release of the \S+ (is proved|serves) here\.?$/,
];
const obConfigFile = /^\S+\/ob_config (is missing|was changed by hand)\.?$/;

export const drift: Check = {
  name: "drift",
  looksFor: "what was changed by hand on a machine",
  find: (view) =>
    view.seen.flatMap((machine) => {
      const others = obConfigOf(machine, view).length > 0 ? [...toldElsewhere, obConfigFile] : toldElsewhere;
      const rest = machine.seen.drift.filter((line) => !others.some((form) => form.test(line)));
      if (rest.length === 0) return [];
      const what = `${machine.name} is not as it was released: ${some(rest, 3)}.`;
      const next =
        "npx pulumi refresh and npx pulumi preview --diff show it; pulumi up puts it back. If it is wanted, write it into the config.";
      return [{ severity: "amber", subject: machine.name, what, next }];
    }),
};

/** How an origin fails, by what nginx writes of it (ngx_http_upstream.c, ngx_event_openssl.c). The first that fits. */
const originFaults: readonly { readonly form: RegExp; readonly text: string; readonly next: string }[] = [
  {
    form: /SSL certificate|certificate verify|does not match/i,
    text: "does not prove who it is",
    next: "Mend the certificate of the origin. One of an authority of your own: nginxProxySslTrustedCertificate.",
  },
  {
    form: /could not be resolved|host not found|no resolver/i,
    text: "has no address",
    next: "See to its DNS record, and to the name servers that the worker asks (nginxResolver).",
  },
  {
    form: /connect\(\) failed|timed out|prematurely closed|no live upstreams|reset by peer|SSL_do_handshake/i,
    text: "does not answer",
    next: "See whether it runs, and whether its firewall lets the workers in. /hello-onion/ answers as long as the onion works.",
  },
];

type Asked = ProxySeen["sites"][number];

/** A site whose origin gave nothing that can be passed on. */
interface Failed {
  readonly machine: string;
  readonly unit: string;
  readonly site: Asked;
}

export const upstream: Check = {
  name: "upstream",
  looksFor: "an origin whose certificate is wrong, or that does not answer",
  find: (view) => view.seen.flatMap((machine) => upstreamOf(machine, view)),
};

function upstreamOf({ name, seen }: Seen, view: View): Told[] {
  const asked = seen.proxies.flatMap(({ unit, sites }) => sites.map((site) => ({ machine: name, unit, site })));
  const failed = asked.filter(({ site: { status } }) => status === null || status >= 500);
  const kinds = groupedBy(failed, (one) => `${kindOf(one)?.text ?? ""} ${unitFault(view, name, one.unit) ?? ""}`);
  return [...kinds.values()].flatMap((same) => {
    // All that one worker asked for, and in the same way: it is the worker's.
    if (same.length > 1 && same.length === asked.length) return [originTold(view, same, name)];
    return same.map((one) => originTold(view, [one], one.site.domain));
  });
}

const kindOf = ({ site: { error } }: Failed): (typeof originFaults)[number] | undefined =>
  originFaults.find(({ form }) => error !== null && form.test(error));

function originTold(view: View, failed: readonly Failed[], subject: string): Told {
  const [first] = failed;
  const kind = first && kindOf(first);
  const of = some(failed.map(({ site }) => site.domain));
  const status = first?.site.status === null ? "nothing came" : `status ${first?.site.status ?? 0}`;
  const said = first?.site.error ? `: ${first.site.error.replace(/\.$/, "")}` : "";
  const machine = first?.machine ?? "";
  return follows(first && unitFault(view, machine, first.unit), {
    severity: "red",
    subject,
    what: `The origin of ${of} ${kind?.text ?? "gives nothing that can be passed on"} when ${machine} asks (${status} after ${first?.site.seconds ?? 0} s${said}).`,
    next: kind?.next ?? `npx softmap logs ${machine} has nginx's reason; docs/troubleshooting.md says what each means.`,
  });
}

/** A certificate that one has made elsewhere takes days to come. */
const certificateAmber = 14 * 86_400;

export const certificate: Check = {
  name: "certificate",
  looksFor: "an onion's certificate that has ended, or ends within two weeks",
  find: ({ seen }) => {
    const all = seen.flatMap(({ name, seen: { certificates } }) => certificates.map((each) => ({ name, ...each })));
    const late = all.filter(({ left }) => left < certificateAmber);
    return [...groupedBy(late, (one) => `${one.project} ${one.domain}`).values()].map((of) => {
      const left = Math.min(...of.map((each) => each.left));
      const { domain } = of[0] as (typeof of)[number];
      const machines = some([...new Set(of.map(({ name }) => name))]);
      const what = `The certificate of ${domain}'s onion on ${machines} ${left < 0 ? `ended ${span(-left)} ago: browsers refuse it` : `ends in ${span(left)}`}.`;
      const next = `Make a new one of yours and name it in the site's certificate. A self-signed one is renewed by any pulumi up in the last third of its days.`;
      return { severity: left < 0 ? "red" : "amber", subject: domain, what, next };
    });
  },
};
