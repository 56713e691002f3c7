// Faults that `npx softmap doctor` knows, made for real in a lab with one balancer and two workers, and undone again.
import assert from "node:assert/strict";
import { containerName, execOn, heal, partition, podman, UNTRUSTED } from "../../lab/lab";
import type { Finding } from "../../cli/doctor/diagnose";
import { keysOfSeed } from "../../onion/keys";
import { balancerPaths, units } from "../../plan/names";
import { desk } from "./deskKit";
import type { Rehearsal, Settings } from "./fixture";
import { within } from "./killKit";

/** What each fault is made in: project `news`, two daemons a worker, one site with plain http and one with a certificate that was made. */
export const doctorSettings = (name: string): Settings => ({
  hosts: { provider: "lab", name },
  balancers: 1,
  workers: 2,
  protectKeys: false,
  retireGrace: "0s",
  drainTimeout: "1s",
  projects: [
    {
      name: "news",
      softmapTorWorkers: 2,
      sites: [{ domain: "www.daily.test" }, { domain: "court.test", onionTls: "selfSigned" }],
    },
  ],
});

/** One fault, and the finding that has to come of it. */
export interface LabFault {
  /** The check whose page describes it. */
  readonly check: string;
  /** What is wrong, for the test's name. */
  readonly words: string;
  readonly make: (rehearsal: Rehearsal) => Promise<unknown>;
  /** Takes it back. */
  readonly mend: (rehearsal: Rehearsal) => Promise<unknown>;
  readonly severity: "red" | "amber";
  readonly subject: string;
  readonly says: RegExp;
  /** Other checks that may tell the same fault beside it: a file that was changed by hand is drift, too. */
  readonly beside?: readonly string[];
  /** It shows in `--quick`, too: nobody has to be asked through Tor, nor an origin. */
  readonly quick?: boolean;
  /** Seconds until it shows, at most. @default 60 */
  readonly within?: number;
}

/** Runs a script on a host of the lab; it must end well. */
async function sh({ lab }: Rehearsal, host: string, script: string): Promise<string> {
  const ran = await execOn(lab, host, ["sh", "-ec", script]);
  assert.equal(ran.code, 0, `${host}: ${script}\n${ran.text}${ran.stderr}`);
  return ran.text;
}

const on = (host: string, script: string) => (rehearsal: Rehearsal) => sh(rehearsal, host, script);

/** The same on the container of the lab's origin. */
const onOrigin =
  (script: string) =>
  async ({ lab }: Rehearsal): Promise<void> => {
    await podman(["exec", containerName(lab, "origin"), "sh", "-ec", script]);
  };

/** A config that Onionbalance is given by hand: the release is kept beside it, and comes back. */
const config = "/etc/softmap/publisher/current/onionbalance/config.yaml";
const keep = (file: string): string => `cp -p ${file} /var/tmp/doctor.kept`;
const back = (file: string): string => `cp -p /var/tmp/doctor.kept ${file}`;
const reload = `systemctl reload-or-restart ${units.onionbalance}`;

/** An address of the right form that nobody publishes: Onionbalance ends with one whose checksum is wrong. */
const nobody = (letter: string): string => keysOfSeed(Buffer.alloc(32, letter)).address;

/** Lines of an instance in Onionbalance's config, after the first `instances:`. */
const added = (letters: string): string =>
  [...letters].map((letter) => `      - address: "${nobody(letter)}"\\n        name: "by-hand-${letter}"`).join("\\n");

/** A process that holds the machine's lock as a step does, and says that it has for so many minutes. */
const holder = (minutes: number): string =>
  `import fcntl, json, os, time
handle = os.open("/run/softmap/host.lock", os.O_RDWR | os.O_CREAT, 0o600)
fcntl.flock(handle, fcntl.LOCK_EX)
since = time.strftime("%Y-%m-%d %H:%M:%S UTC", time.gmtime(time.time() - ${minutes * 60}))
os.ftruncate(handle, 0)
os.pwrite(handle, json.dumps({"by": "olga", "from": "192.0.2.7", "what": "the worker release", "process": os.getpid(), "since": since}).encode(), 0)
time.sleep(3600)
`.replaceAll("\n", "\\n");

const obConfig = "$(ls -d /var/lib/softmap/tor/news-1-*/onion)/ob_config";
const cutTor = (script: string) => async (rehearsal: Rehearsal) =>
  sh(rehearsal, "worker1", script.replaceAll("TOR", await torAddress(rehearsal)));

/** Where all relays of the lab's Tor network are. */
async function torAddress({ lab }: Rehearsal): Promise<string> {
  const format = "{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}";
  return (await podman(["inspect", containerName(lab, "tor"), "--format", format])).text.trim();
}

/** Every fault but a wrong clock: the hosts of a lab have that of their machine. */
export const labFaults: readonly LabFault[] = [
  {
    check: "publishing",
    words: "Onionbalance is stopped",
    make: on("balancer1", `systemctl stop ${units.onionbalance}`),
    mend: on("balancer1", `systemctl start ${units.onionbalance}`),
    severity: "red",
    subject: "balancer1",
    says: /^Onionbalance on balancer1 does not run \(inactive\/dead/,
    quick: true,
  },
  {
    check: "publishing",
    words: "Onionbalance hangs",
    make: on("balancer1", `systemctl kill -s STOP ${units.onionbalance}`),
    mend: on("balancer1", `systemctl kill -s CONT ${units.onionbalance}`),
    severity: "red",
    subject: "balancer1",
    says: /^Onionbalance on balancer1 runs and does not tell what it does/,
    quick: true,
    within: 60,
  },
  {
    check: "ob-config",
    words: "a backend's ob_config is deleted",
    make: on("worker1", `${keep(obConfig)}; rm ${obConfig}`),
    mend: on("worker1", back(obConfig)),
    severity: "red",
    subject: "news-worker1-1",
    says: /^news-worker1-1 has no ob_config/,
    quick: true,
  },
  {
    check: "ob-config",
    words: "a backend's ob_config lacks a site",
    make: on("worker1", `${keep(obConfig)}; sed -i '/^MasterOnionAddress/{x;s/^/x/;/^x$/{x;d};x}' ${obConfig}`),
    mend: on("worker1", back(obConfig)),
    severity: "red",
    subject: "news-worker1-1",
    says: /^news-worker1-1 has an ob_config without \S+ \([a-z2-7]{56}\.onion\)/,
    quick: true,
  },
  {
    check: "unit",
    words: "a project's nginx is stopped",
    make: on("worker2", `systemctl stop ${units.nginx("news")}`),
    mend: on("worker2", `systemctl start ${units.nginx("news")}`),
    severity: "red",
    subject: "worker2",
    says: /^1 unit on worker2 does not run: nginx@news \(inactive\/dead\)\.$/,
    quick: true,
  },
  {
    check: "unit",
    words: "a unit is not started at boot",
    make: on("worker2", `systemctl disable ${units.nginx("news")}`),
    mend: on("worker2", `systemctl enable ${units.nginx("news")}`),
    severity: "amber",
    subject: "worker2",
    says: /are not started at boot: nginx@news\.$/,
    quick: true,
  },
  {
    check: "lock",
    words: "a process holds a machine for forty minutes",
    make: on(
      "worker1",
      `printf '${holder(40).replaceAll("%", "%%")}' >/var/tmp/doctor.py; systemd-run -q --unit=doctor-lock python3 /var/tmp/doctor.py`,
    ),
    mend: on("worker1", "systemctl stop doctor-lock"),
    severity: "amber",
    subject: "worker1",
    says: /^olga from 192\.0\.2\.7 has held worker1 for 40 min: the worker release, process \d+\.$/,
    quick: true,
  },
  {
    check: "disk",
    words: "a file system is full",
    make: on(
      "worker1",
      "mount -t tmpfs -o size=64m doctor /var/log; dd if=/dev/zero of=/var/log/full bs=1M count=50 status=none",
    ),
    mend: on("worker1", "umount -l /var/log"),
    severity: "red",
    subject: "worker1",
    says: /^\/var\/log of worker1 has 1\d MB free of 67; a release needs 50\.$/,
    quick: true,
  },
  {
    check: "disk",
    words: "a file system has no inodes left",
    make: on("worker1", "mount -t tmpfs -o size=2g,nr_inodes=20 doctor /var/log"),
    mend: on("worker1", "umount -l /var/log"),
    severity: "red",
    subject: "worker1",
    says: /^\/var\/log of worker1 has 1\d inodes left/,
    quick: true,
  },
  {
    check: "upstream",
    words: "the origin's certificate is nobody's",
    make: onOrigin(
      `rm -rf /tmp/doctor; cp -r /media/lab/certificates /tmp/doctor; for kind in crt key; do cp /media/lab/certificates/${UNTRUSTED}.$kind /tmp/doctor/court.test.$kind; done; mount --bind /tmp/doctor /media/lab/certificates; nginx -c /media/lab/nginx.conf -s reload`,
    ),
    mend: onOrigin("umount /media/lab/certificates; nginx -c /media/lab/nginx.conf -s reload"),
    severity: "red",
    subject: "court.test",
    says: /^The origin of court\.test does not prove who it is when worker\d asks \(status 502 .*SSL certificate/,
    within: 90,
  },
  {
    check: "stranger",
    words: "Onionbalance lists a backend that the stack does not have",
    make: on(
      "balancer1",
      `${keep(config)}; sed -i '0,/instances:/s//instances:\\n${added("y")}/' ${config}; ${reload}`,
    ),
    mend: on("balancer1", `${back(config)}; ${reload}`),
    severity: "amber",
    subject: "balancer1",
    says: /^Onionbalance on balancer1 lists a backend [a-z2-7]{56}\.onion for \S+, which no machine of the stack has\.$/,
    beside: ["drift"],
    within: 90,
  },
  {
    check: "introduction-points",
    words: "Onionbalance has eleven backends for a site",
    make: on(
      "balancer1",
      `${keep(config)}; sed -i '0,/instances:/s//instances:\\n${added("abcefgh")}/' ${config}; ${reload}`,
    ),
    mend: on("balancer1", `${back(config)}; ${reload}`),
    severity: "red",
    subject: "www.daily.test",
    says: /^Onionbalance on balancer1 has 11 backends for www\.daily\.test: .* more than 20/,
    beside: ["drift", "stranger"],
    within: 90,
  },
  {
    check: "backend",
    words: "a backend was taken out of Onionbalance's config",
    make: on(
      "balancer1",
      `${keep(config)}; python3 -c 'import re,sys; p=sys.argv[1]; t=open(p).read(); open(p,"w").write(re.sub(r"      - address: \\S+\\n        name: .news-worker2-1.\\n", "", t))' ${config}; ${reload}`,
    ),
    mend: on("balancer1", `${back(config)}; ${reload}`),
    severity: "red",
    subject: "news-worker2-1",
    says: /^news-worker2-1 is not in the frontend of \S+ and \S+: Onionbalance on balancer1 has never got its descriptor/,
    beside: ["drift", "descriptor"],
    // Onionbalance has its time after a start (cli/doctor/checks/publication.ts): red only after that.
    within: 300,
  },
  {
    check: "release",
    words: "the link to what serves was changed by hand",
    make: on(
      "worker1",
      "cd /etc/softmap/worker; readlink current >/var/tmp/doctor.link; cp -a $(readlink current) releases/ffffffffffff; ln -sfn releases/ffffffffffff current",
    ),
    mend: on(
      "worker1",
      "cd /etc/softmap/worker; ln -sfn $(cat /var/tmp/doctor.link) current; rm -r releases/ffffffffffff",
    ),
    severity: "red",
    subject: "worker1",
    says: /^Release ffffffffffff serves as worker of worker1, and [0-9a-f]{12} was proved last/,
    beside: ["drift"],
    quick: true,
  },
  {
    check: "drift",
    words: "a unit's file was edited",
    make: on("worker1", "echo '# by hand' >>/etc/systemd/system/softmap-nginx@.service"),
    mend: on("worker1", "sed -i '/^# by hand$/d' /etc/systemd/system/softmap-nginx@.service; systemctl daemon-reload"),
    severity: "amber",
    subject: "worker1",
    says: /^worker1 is not as it was released: \S+softmap-nginx@\.service was changed by hand\.$/,
    quick: true,
  },
  {
    check: "certificate",
    words: "an onion's certificate ends in three days",
    make: on(
      "worker1",
      `f=/etc/softmap/worker/current/nginx/news/court.test.crt; ${keep("$f")}; openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -noenc -days 3 -subj /CN=doctor -keyout /dev/null -out $f 2>/dev/null`,
    ),
    mend: on("worker1", back("/etc/softmap/worker/current/nginx/news/court.test.crt")),
    severity: "amber",
    subject: "court.test",
    says: /^The certificate of court\.test's onion on worker1 ends in 3 d\.$/,
    beside: ["drift"],
    quick: true,
  },
  {
    check: "descriptor",
    words: "somebody else publishes with a site's key, and Onionbalance does not",
    make: rival,
    mend: on(
      "balancer1",
      `systemctl stop doctor-rival; rm -rf /var/tmp/rival /etc/doctor-torrc; systemctl start ${units.onionbalance}`,
    ),
    severity: "red",
    subject: "www.daily.test",
    says: /^\d+ of \d+ introduction points in the descriptor of www\.daily\.test belong to no backend as it is now\.$/,
    beside: ["publishing"],
    within: 120,
  },
  {
    check: "guards",
    words: "a firewall cuts a worker off the Tor network",
    make: cutTor(
      "printf 'table inet doctor {\\n chain out { type filter hook output priority -300; ip daddr TOR meta l4proto tcp reject with tcp reset; }\\n}\\n' | nft -f -",
    ),
    mend: on("worker1", "nft delete table inet doctor"),
    severity: "red",
    subject: "worker1",
    says: /^None of the 2 tors of worker1 gets into the Tor network: /,
    within: 240,
  },
  {
    check: "unreachable",
    words: "a worker's cable is pulled",
    make: ({ lab }) => partition(lab, "worker2"),
    mend: ({ lab }) => heal(lab, "worker2"),
    severity: "red",
    subject: "worker2",
    says: /^worker2 cannot be asked: nobody answers at \S+/,
    quick: true,
    within: 60,
  },
];

/** A tor of somebody's that has the key of www.daily.test: it publishes a descriptor of its own, with its own introduction points. */
async function rival(rehearsal: Rehearsal): Promise<void> {
  const onions = await rehearsal.output<Record<string, Record<string, string>>>("addresses");
  const bare = (onions["news"]?.["www.daily.test"] ?? "").replace(/\.onion$/, "");
  const torrc = "/etc/softmap/balancer/current/tor/torrc";
  await sh(
    rehearsal,
    "balancer1",
    `systemctl stop ${units.onionbalance}
    install -d -m 700 /var/tmp/rival /var/tmp/rival/onion
    cp ${balancerPaths.keysDir}/${bare}.key /var/tmp/rival/onion/hs_ed25519_secret_key
    chmod 600 /var/tmp/rival/onion/hs_ed25519_secret_key
    grep -vE '^(DataDirectory|ControlSocket|Cookie|SocksPort|User)' ${torrc} >/etc/doctor-torrc
    printf 'DataDirectory /var/tmp/rival\\nSocksPort 0\\nHiddenServiceDir /var/tmp/rival/onion\\nHiddenServicePort 80 127.0.0.1:9\\n' >>/etc/doctor-torrc
    systemd-run -q --unit=doctor-rival tor -f /etc/doctor-torrc`,
  );
}

/** `softmap doctor --json`: its exit code and findings. */
export async function diagnosed(
  rehearsal: Rehearsal,
  ...words: readonly string[]
): Promise<{ readonly code: number; readonly findings: readonly Finding[] }> {
  const { code, out, err } = await desk(rehearsal, "doctor", "--json", ...words);
  assert.notEqual(out, "", err);
  return { code, findings: (JSON.parse(out) as { findings: Finding[] }).findings };
}

/** Waits until nothing is wrong. @throws with what still is */
export async function healthy(rehearsal: Rehearsal, seconds = 240): Promise<void> {
  let last = "";
  await within(seconds, "nothing is wrong", async () => {
    const { findings } = await diagnosed(rehearsal);
    last = findings.map(({ severity, what }) => `${severity}: ${what}`).join("\n");
    return findings.length === 0;
  }).catch((error: unknown) => assert.fail(`${String(error)}\n${last}`));
}

/** Makes a fault, waits until its finding is the only one that follows from no other, and takes the fault back. Seconds until it showed. */
export async function found(rehearsal: Rehearsal, fault: LabFault): Promise<number> {
  const { check, severity, subject, says, beside = [] } = fault;
  const words = fault.quick ? ["--quick"] : [];
  const start = performance.now();
  let last: readonly Finding[] = [];
  try {
    await fault.make(rehearsal);
    await within(fault.within ?? 60, `${check}: ${fault.words}`, async () => {
      const { code, findings } = await diagnosed(rehearsal, ...words);
      last = findings;
      const its = findings.find((each) => each.check === check && each.subject === subject && says.test(each.what));
      if (its?.severity !== severity || its.because !== undefined) return false;
      const roots = findings.filter(({ because }) => because === undefined);
      // One fault, one alarm.
      if (roots.some((root) => root !== its && !beside.includes(root.check))) return false;
      assert.equal(code, roots.some((root) => root.severity === "red") ? 1 : 0);
      return true;
    }).catch((error: unknown) => assert.fail(`${String(error)}\n${JSON.stringify(last, null, 1)}`));
    return (performance.now() - start) / 1000;
  } finally {
    await fault.mend(rehearsal);
  }
}
