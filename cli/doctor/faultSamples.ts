// A fault of each kind, as a survey shows it: for the tests of the doctor, which expect exactly its finding.
import { look, onion, unit } from "../desk/samples";
import { at, machines, on, sites, unlisted, type Fault } from "./faultKit";
import { publisherFaults } from "./faultSamplesPublisher";

/** Faults by check, at least one for each. */
export const faults: readonly Fault[] = [
  ...publisherFaults,
  {
    check: "unreachable",
    words: "a worker does not answer",
    change: (survey) => machines(survey).splice(2, 1, { name: "worker2", error: "nobody answers within 15 s" }),
    severity: "red",
    subject: "worker2",
    says: /^worker2 cannot be asked: nobody answers within 15 s\.$/,
  },
  {
    check: "clock",
    words: "one machine is two hours ahead",
    change: (survey) => (on(survey, "worker1").system.clockAhead = 7200),
    severity: "red",
    subject: "worker1",
    says: /clock of worker1 is 2 h ahead of/,
  },
  {
    check: "clock",
    words: "all machines agree, and the operator's own clock is wrong",
    change: (survey) =>
      ["balancer1", "worker1", "worker2"].forEach((name) => (on(survey, name).system.clockAhead = -400)),
    severity: "red",
    subject: "the operator's machine",
    says: /clocks of all 3 machines are 7 min behind/,
  },
  {
    check: "clock",
    words: "nothing sets a clock",
    change: (survey) => (on(survey, "worker1").system.clockSynchronised = false),
    severity: "amber",
    subject: "worker1",
    says: /^Nothing sets the clock of worker1/,
  },
  {
    check: "disk",
    words: "a disk is full",
    change: (survey) => (at(on(survey, "worker2").system.disks).freeMb = 12),
    severity: "red",
    subject: "worker2",
    says: /^\/ of worker2 has 12 MB free of 20000/,
  },
  {
    check: "disk",
    words: "a disk will be full",
    change: (survey) => (at(on(survey, "worker2").system.disks).freeMb = 300),
    severity: "amber",
    subject: "worker2",
    says: /300 MB free/,
  },
  {
    check: "unit",
    words: "an nginx has failed",
    change: (survey) =>
      Object.assign(at(on(survey, "worker1").units, 1), { state: "failed", sub: "failed", age: null }),
    severity: "red",
    subject: "worker1",
    says: /^1 unit on worker1 does not run: nginx@news \(failed\/failed\)\.$/,
  },
  {
    check: "unit",
    words: "a unit is started again and again",
    change: (survey) =>
      Object.assign(at(on(survey, "worker1").units, 1), { state: "activating", sub: "auto-restart", restarts: 7 }),
    severity: "red",
    subject: "worker1",
    says: /activating\/auto-restart, 7 restarts/,
  },
  {
    check: "unit",
    words: "a unit keeps falling",
    change: (survey) => Object.assign(at(on(survey, "worker1").units, 1), { restarts: 3, age: 20 }),
    severity: "amber",
    subject: "worker1",
    says: /have fallen 3 times and more/,
  },
  {
    check: "unit",
    words: "a unit is not started at boot",
    change: (survey) => (at(on(survey, "worker1").units, 1).enabled = false),
    severity: "amber",
    subject: "worker1",
    says: /are not started at boot: nginx@news/,
  },
  {
    check: "unit",
    words: "what should stand by runs",
    change: (survey) => (at(on(survey, "balancer1").units, 2).planned = "stand by"),
    severity: "amber",
    subject: "balancer1",
    says: /run and should stand by: onionbalance/,
  },
  {
    check: "unit",
    words: "a tor runs and does not answer",
    change: (survey) =>
      Object.assign(at(on(survey, "worker1").tors), { error: "no answer in 5 s", bootstrapped: null }),
    severity: "red",
    subject: "worker1",
    says: /^news-1-00ff on worker1 runs and does not answer on its control socket: no answer in 5 s\.$/,
  },
  {
    check: "guards",
    words: "one tor stands at 10 %",
    change: (survey) =>
      Object.assign(at(on(survey, "worker1").tors), { bootstrapped: 10, summary: "Connected to a relay" }),
    severity: "red",
    subject: "worker1",
    says: /^On worker1 news-1-00ff stands at 10 % \(Connected to a relay\)\.$/,
  },
  {
    check: "guards",
    words: "no tor of a machine has a guard or a circuit",
    change: (survey) => {
      const { tors } = on(survey, "worker1");
      at(tors).guards = { up: 0, all: 8 };
      at(tors, 1).circuits = false;
    },
    severity: "red",
    subject: "worker1",
    says: /^None of the 2 tors of worker1 gets into the Tor network: .* can use none of its 8 guards and .* has no circuit/,
  },
  {
    check: "publishing",
    words: "Onionbalance is dead",
    change: (survey) => {
      Object.assign(at(on(survey, "balancer1").units, 2), { state: "failed", sub: "failed", age: null, restarts: 5 });
      const { publisher } = on(survey, "balancer1");
      if (publisher) publisher.error = "its status socket does not answer";
    },
    severity: "red",
    subject: "balancer1",
    says: /^Onionbalance on balancer1 does not run \(failed\/failed, 5 restarts\)/,
  },
  {
    check: "publishing",
    words: "Onionbalance runs and is silent",
    change: (survey) => {
      const { publisher } = on(survey, "balancer1");
      if (publisher) publisher.error = "its status socket does not answer";
    },
    severity: "red",
    subject: "balancer1",
    says: /runs and does not tell what it does: its status socket does not answer\.$/,
  },
  {
    check: "publishing",
    words: "the last try is too old",
    change: (survey) => (at(sites(survey)).attempted = 3 * 3600),
    severity: "red",
    subject: "balancer1",
    says: /has not tried to publish www\.daily\.test for 3 h/,
  },
  {
    check: "publishing",
    words: "a site was never tried",
    change: (survey) => (at(sites(survey)).attempted = null),
    severity: "red",
    subject: "balancer1",
    says: /has not tried to publish www\.daily\.test at all/,
  },
  {
    check: "publishing",
    words: "every balancer stands by",
    change: (survey) => {
      const seen = on(survey, "balancer1");
      Object.assign(at(seen.units, 2), { planned: "stand by", state: "inactive", sub: "dead", age: null });
      seen.publisher = { standby: true, error: null, said: null, told: null, watchdog: null, sites: [] };
    },
    severity: "red",
    subject: "organization/softmap/prod",
    says: /^Nobody publishes 2 sites: balancer1 stands by\.$/,
  },
  {
    check: "descriptor",
    words: "a site has no descriptor in the network",
    change: (survey) =>
      Object.assign(at(sites(survey)), { published: look({ error: "NOT_FOUND", points: 0, unknown: 0, took: 20 }) }),
    severity: "red",
    subject: "www.daily.test",
    says: /^www\.daily\.test cannot be reached by anybody new: no descriptor of y{56}\.onion came \(NOT_FOUND\)\.$/,
  },
  {
    check: "descriptor",
    words: "a descriptor is somebody else's",
    change: (survey) => {
      const site = at(sites(survey));
      site.published = look({ points: 6, all: 6, unknown: 6, took: 1 });
      // Nobody of ours is in it; that is this fault's, and not that of each backend.
      for (const row of site.backends) row.listed = 0;
    },
    severity: "red",
    subject: "www.daily.test",
    says: /^6 of 6 introduction points in the descriptor of www\.daily\.test belong to no backend/,
  },
  {
    check: "descriptor",
    words: "a descriptor has points of before",
    change: (survey) => Object.assign(at(sites(survey)).published ?? {}, { unknown: 1 }),
    severity: "amber",
    subject: "www.daily.test",
    says: /^1 of 8 introduction points/,
  },
  {
    check: "introduction-points",
    words: "a descriptor has more points than clients take",
    change: (survey) => Object.assign(at(sites(survey)).published ?? {}, { points: 22 }),
    severity: "red",
    subject: "www.daily.test",
    says: /holds 22 introduction points: clients refuse more than 20/,
  },
  {
    check: "introduction-points",
    words: "a backend has too few",
    change: (survey) => Object.assign(at(on(survey, "worker1").tors).backend ?? {}, { introductionPoints: 2 }),
    severity: "amber",
    subject: "news-worker1-1",
    says: /^news-worker1-1 keeps 2 introduction points, and should keep 3/,
  },
  {
    check: "backend",
    words: "Onionbalance never got a backend's descriptor",
    change: (survey) => {
      unlisted(survey, "news-worker1-1");
      for (const { backends } of sites(survey))
        for (const row of backends)
          if (row.name === "news-worker1-1") Object.assign(row, { received: null, points: null });
    },
    severity: "red",
    subject: "news-worker1-1",
    says: /^news-worker1-1 is not in the frontend of www\.daily\.test and court\.test: Onionbalance on balancer1 has never got/,
  },
  {
    check: "backend",
    words: "a worker has no daemon with the backend's key",
    change: (survey) => {
      unlisted(survey, "news-worker1-1");
      const { tors } = on(survey, "worker1");
      tors.shift();
    },
    severity: "red",
    subject: "news-worker1-1",
    says: /no daemon on worker1 has its key/,
  },
  {
    check: "ob-config",
    words: "ob_config is gone",
    change: (survey) => {
      Object.assign(at(on(survey, "worker1").tors).backend ?? {}, { obConfig: [] });
      on(survey, "worker1").drift = ["/var/lib/softmap/tor/news-1-00ff/onion/ob_config is missing"];
    },
    severity: "red",
    subject: "news-worker1-1",
    says: /^news-worker1-1 has no ob_config: .* 2 sites\.$/,
  },
  {
    check: "ob-config",
    words: "ob_config lacks an address",
    change: (survey) => Object.assign(at(on(survey, "worker1").tors).backend ?? {}, { obConfig: [onion("y")] }),
    severity: "red",
    subject: "news-worker1-1",
    says: /has an ob_config without court\.test \(z{56}\.onion\)/,
  },
  {
    check: "stranger",
    words: "Onionbalance lists whom no machine of the stack has",
    change: (survey) =>
      at(sites(survey)).backends.push({
        name: null,
        address: onion("q"),
        received: 30,
        points: 3,
        listed: 0,
        directories: 0,
      }),
    severity: "red",
    subject: "balancer1",
    says: /lists a backend q{56}\.onion for www\.daily\.test, which no machine of the stack has; readers/,
  },
  {
    check: "stranger",
    words: "what was planned once runs on",
    change: (survey) => {
      on(survey, "worker1").units.push(unit("softmap-tor@news-1-0000.service", "tor", { planned: "leaving" }));
      on(survey, "worker1").drift = ["softmap-tor@news-1-0000.service runs, and is not planned any more"];
    },
    severity: "amber",
    subject: "worker1",
    says: /^1 unit on worker1 runs and is planned no longer: news-1-0000\.$/,
  },
  {
    check: "upstream",
    words: "an origin does not prove who it is",
    change: (survey) =>
      Object.assign(at(at(on(survey, "worker1").proxies).sites), {
        status: 502,
        error: "upstream SSL certificate verify error: (18:self-signed certificate)",
      }),
    severity: "red",
    subject: "www.daily.test",
    says: /^The origin of www\.daily\.test does not prove who it is when worker1 asks \(status 502 after 0\.1 s: upstream SSL/,
  },
  {
    check: "upstream",
    words: "an origin is silent",
    change: (survey) => Object.assign(at(at(on(survey, "worker1").proxies).sites), { status: null, seconds: 20 }),
    severity: "red",
    subject: "www.daily.test",
    says: /nothing came after 20 s/,
  },
  {
    check: "certificate",
    words: "a certificate has ended",
    change: (survey) => (at(on(survey, "worker1").certificates).left = -86_400 * 3),
    severity: "red",
    subject: "www.daily.test",
    says: /^The certificate of www\.daily\.test's onion on worker1 ended 3 d ago/,
  },
  {
    check: "certificate",
    words: "a certificate ends soon",
    change: (survey) => (at(on(survey, "worker1").certificates).left = 86_400 * 5),
    severity: "amber",
    subject: "www.daily.test",
    says: /ends in 5 d/,
  },
  {
    check: "release",
    words: "what serves was never proved",
    change: (survey) => {
      at(on(survey, "worker1").roles, 1).release = "ffffffffffff";
      on(survey, "worker1").drift = ["release ffffffffffff serves, and 0123456789ab was proved"];
    },
    severity: "red",
    subject: "worker1",
    says: /^Release ffffffffffff serves as worker of worker1, and 0123456789ab was proved last/,
  },
  {
    check: "release",
    words: "one worker has another release",
    change: (survey) =>
      Object.assign(at(on(survey, "worker2").roles, 1), { release: "abc", proved: "abc", age: 90_000 }),
    severity: "amber",
    subject: "worker2",
    says: /^worker2 serves release abc \(25 h old\), and worker1 0123456789ab/,
  },
  {
    check: "release",
    words: "nginx runs what was before",
    change: (survey) => (at(on(survey, "worker1").proxies).answers = false),
    severity: "red",
    subject: "worker1",
    says: /^nginx of news on worker1 does not answer as the release/,
  },
  {
    check: "drift",
    words: "a unit's file was changed",
    change: (survey) =>
      (on(survey, "worker1").drift = ["/etc/systemd/system/softmap-tor@.service was changed by hand"]),
    severity: "amber",
    subject: "worker1",
    says: /^worker1 is not as it was released: .* was changed by hand\.$/,
  },
  {
    check: "lock",
    words: "a step holds a machine for half an hour",
    change: (survey) =>
      (on(survey, "worker1").lock = {
        by: "ann",
        from: "198.51.100.7",
        what: "the worker release",
        process: 4711,
        since: "2026-01-01 11:30:00 UTC",
      }),
    severity: "amber",
    subject: "worker1",
    says: /^ann from 198\.51\.100\.7 has held worker1 for 30 min: the worker release, process 4711\.$/,
  },
];
