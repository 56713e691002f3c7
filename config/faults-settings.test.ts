// What a report says of faults in settings together, and in their names, word for word.
import { type Fault, lab, project, site, testFaults, withSite } from "./samples";

const withProject = (settings: Record<string, unknown>): Record<string, unknown> =>
  lab({ projects: [project(settings)] });

const faults: Fault[] = [
  [
    "busy buffers smaller than one",
    withProject({ nginxBlockBusySize: "8k" }),
    [
      'project news: nginxBlockBusySize = "8k" | nginxBlockBusySize is 8k and less than one buffer, 16k: nginx does not start with it. | Set nginxBlockBusySize to 16k or more.',
    ],
  ],
  [
    "busy buffers of all but none, made by a site",
    lab({ projects: [project({ nginxBlockBusySize: "64k", sites: [{ ...site, nginxBlockCount: 4 }] })] }),
    [
      "project news: sites[0].nginxBlockCount = 4 | nginxBlockBusySize is 64k and more than all buffers but one, 3 x 16k: nginx does not start with it. | Lower nginxBlockBusySize, or raise nginxBlockCount.",
    ],
  ],
  [
    "a file smaller than a buffer",
    withProject({ nginxTmpfileSize: "8k" }),
    [
      'project news: nginxTmpfileSize = "8k" | nginxTmpfileSize is 8k and less than one buffer, 16k: nginx does not start with it. | Set nginxTmpfileSize to 0 or at least 16k.',
    ],
  ],
  [
    "numbers out of range",
    withProject({
      nginxBlockCount: 1,
      nginxCacheSeconds: -1,
      nginxActionAbort: 200,
      torMaxStreams: 65536,
      selfSignedDays: 0,
      onionTls: "selfSigned",
    }),
    [
      "project news: torMaxStreams = 65536 | It must be from 0 to 65535: tor takes no other number. | Choose a number there, e.g. 100.",
      "project news: nginxActionAbort = 200 | It must be from 400 to 599: it is the status of a refusal. | Choose a number there, e.g. 403.",
      "project news: nginxBlockCount = 1 | It must be from 2 to 1024. | Choose a number there, e.g. 8.",
      "project news: nginxCacheSeconds = -1 | It must be from 0 to 86400. | Choose a number there, e.g. 60.",
      "project news: selfSignedDays = 0 | It must be from 1 to 3650. | Choose a number there, e.g. 90.",
    ],
  ],
  [
    "words that are not known",
    withProject({ accessLog: "fulll", nginxSyslog: "debug", nginxWorkers: "many", onionTls: true }),
    [
      'project news: nginxWorkers = "many" | It must be auto or a number, but is text. | Give it, e.g. 4.',
      'project news: nginxSyslog = "debug" | It must be info, notice, warn, error, crit, alert or emerg. | Give it, e.g. "warn".',
      'project news: accessLog = "fulll" | It must be off, truncated or full. | Did you mean full?',
      'project news: onionTls = true | It must be off or selfSigned. | Give it, e.g. "selfSigned".',
    ],
  ],
  [
    "a fraction of a process, and too many",
    lab({
      projects: [
        project({ nginxWorkers: 1.5 }),
        { name: "b", nginxWorkers: 257, sites: [{ domain: "b.example.org" }] },
      ],
    }),
    [
      "project news: nginxWorkers = 1.5 | It must be a whole number, but is a fraction. | Give it, e.g. 4.",
      "project b: nginxWorkers = 257 | It must be from 1 to 256. | Choose a number there, e.g. 4.",
    ],
  ],
  [
    "limits of introductions without the defense",
    withProject({ torIntroDosRatePerSec: 10, torIntroDosBurstPerSec: 20 }),
    [
      "project news: torIntroDosRatePerSec = 10 | Without torIntroDosDefense nothing is limited. | Set torIntroDosDefense: true, or remove torIntroDosRatePerSec.",
      "project news: torIntroDosBurstPerSec = 20 | Without torIntroDosDefense nothing is limited. | Set torIntroDosDefense: true, or remove torIntroDosBurstPerSec.",
    ],
  ],
  [
    "a burst below the rate",
    withProject({ torIntroDosDefense: true, torIntroDosRatePerSec: 300 }),
    [
      "project news: torIntroDosRatePerSec = 300 | The rate is 300 and the burst 200: tor does not start with a burst below the rate. | Set torIntroDosBurstPerSec to 300 or more.",
    ],
  ],
  [
    "circuits closed above no limit",
    withProject({ torMaxStreamsCloseCircuit: true }),
    [
      "project news: torMaxStreamsCloseCircuit = true | Without torMaxStreams there is no limit to be above. | Set torMaxStreams, e.g. 100, or remove torMaxStreamsCloseCircuit.",
    ],
  ],
  [
    "limits of circuits that nginx does not know",
    lab({
      projects: [
        project({
          circuitRequestRate: 10,
          circuitRequestBurst: 5,
          circuitConnections: 2,
          nginxXOnionCircuitId: true,
          sites: [{ ...site, nginxXOnionCircuitId: true }],
        }),
      ],
    }),
    [
      "project news: circuitRequestRate = 10 | Without torExportCircuitId nginx does not know which requests come over one circuit. | Set torExportCircuitId: true on the project, or remove circuitRequestRate.",
      "project news: circuitRequestBurst = 5 | Without torExportCircuitId nginx does not know which requests come over one circuit. | Set torExportCircuitId: true on the project, or remove circuitRequestBurst.",
      "project news: circuitConnections = 2 | Without torExportCircuitId nginx does not know which requests come over one circuit. | Set torExportCircuitId: true on the project, or remove circuitConnections.",
      "project news: nginxXOnionCircuitId = true | Without torExportCircuitId nginx does not know which requests come over one circuit. | Set torExportCircuitId: true on the project, or remove nginxXOnionCircuitId.",
      "project news: sites[0].nginxXOnionCircuitId = true | Without torExportCircuitId nginx does not know which requests come over one circuit. | Set torExportCircuitId: true on the project, or remove nginxXOnionCircuitId.",
    ],
  ],
  [
    "a burst without a rate",
    withProject({ torExportCircuitId: true, circuitRequestBurst: 5 }),
    [
      "project news: circuitRequestBurst = 5 | Without circuitRequestRate there is no rate to be above. | Set circuitRequestRate, e.g. 20, or remove circuitRequestBurst.",
    ],
  ],
  [
    "days of no certificate",
    lab({ projects: [project({ selfSignedDays: 90, sites: [{ ...site, selfSignedDays: 30 }] })] }),
    [
      "project news: selfSignedDays = 90 | There is no self-signed certificate that it could be for. | Set onionTls: selfSigned, or remove selfSignedDays.",
      "project news: sites[0].selfSignedDays = 30 | There is no self-signed certificate that it could be for. | Set onionTls: selfSigned, or remove selfSignedDays.",
    ],
  ],
  [
    "a certificate and a self-signed one",
    withSite({ certificate: "a.pem", onionTls: "selfSigned" }),
    [
      'project news: sites[0].onionTls = "selfSigned" | There is a certificate too: a site has one of them. | Remove onionTls to serve with the certificate, or remove certificate.',
    ],
  ],
  [
    "certificates that are none",
    lab({
      projects: [
        project({
          certificate: "",
          upstreamCertificate: "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----",
          nginxProxySslTrustedCertificate: "-----BEGIN CERTIFICATE-----\nAAAA",
          sites: [{ ...site, certificate: "a\nb", upstreamCertificate: "A".repeat(100) }],
        }),
      ],
    }),
    [
      "project news: sites[0].upstreamCertificate | This is neither PEM nor a path. | Give the certificate in PEM (-----BEGIN CERTIFICATE-----), or the path of its file.",
      "project news: sites[0].certificate | This is neither PEM nor a path. | Give the certificate in PEM (-----BEGIN CERTIFICATE-----), or the path of its file.",
      "project news: nginxProxySslTrustedCertificate | The PEM text is cut or changed. | Give the certificate in PEM (-----BEGIN CERTIFICATE-----), or the path of its file.",
      "project news: upstreamCertificate | This is a PUBLIC KEY, not a certificate. | Give the certificate in PEM (-----BEGIN CERTIFICATE-----), or the path of its file.",
      'project news: certificate = "" | The certificate is empty. | Give the certificate in PEM (-----BEGIN CERTIFICATE-----), or the path of its file.',
    ],
  ],
  [
    "a private key for a certificate",
    withSite({
      certificate:
        "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n-----BEGIN PRIVATE KEY-----\nhunter2\n-----END PRIVATE KEY-----",
    }),
    [
      "project news: sites[0].certificate | There is a private key in it: it does not belong in a stack's file. | Remove the key from the file and its history, regard it as seen, and leave the certificate alone here.",
    ],
  ],
  [
    "a private key of a site in the stack's file",
    withSite({ certificateKey: "hunter2", upstream_certificate_key: "hunter2" }),
    [
      "project news: sites[0].certificateKey | A private key does not belong in a stack's file. | Remove it from the file and its history, regard it as seen, and set a new one as a secret: pulumi config set --secret --path 'softmap:tlsKeys[\"www.example.org\"]' < key.pem, by domain or project.",
      "project news: sites[0].upstream_certificate_key | A private key does not belong in a stack's file. | Remove it from the file and its history, regard it as seen, and set a new one as a secret: pulumi config set --secret --path 'softmap:upstreamKeys[\"www.example.org\"]' < key.pem, by domain or project.",
    ],
  ],
  [
    "Onionspray's names, at their level and at another",
    lab({ force_https: 1, projects: [project({ force_https: 0, nginx_resolver: "8.8.8.8", ssl_proof_csv: "/a,b" })] }),
    [
      "stack: force_https | This is Onionspray's name of forceHttps. | Here it is forceHttps, of a project or a site.",
      "project news: force_https | This is Onionspray's name of forceHttps. | Here it is forceHttps.",
      "project news: nginx_resolver | This is Onionspray's name of nginxResolver. | Here it is nginxResolver.",
      "project news: ssl_proof_csv | This is Onionspray's name of sslProof. | Here it is sslProof.",
    ],
  ],
  [
    "Onionspray's name beside ours",
    withProject({ force_https: 0, forceHttps: false }),
    [
      "project news: force_https | This is Onionspray's name of forceHttps. | forceHttps is given already: remove this one.",
    ],
  ],
  [
    "settings of Onionspray that something else replaces",
    withProject({ hardMode: 2, preserve_csv: "a,b,i,c", client_max_body_size: "4m" }),
    [
      "project news: hardMode | Every way in which a domain's dots are escaped is always found. | Remove it.",
      "project news: preserve_csv | Texts, each an entry, left alone exactly as written; no expressions. | Here it is preserve.",
      "project news: client_max_body_size | Uploads are larger than 4m. | Here it is nginxClientMaxBodySize.",
    ],
  ],
  [
    "settings of Onionspray that are not taken",
    withProject({ nginx_template: "x", debug_trap: "x", onion_version: 3 }),
    [
      "project news: nginx_template | There are no templates of the operator's: a release is checked as a whole before it serves, which text pasted into it would undo. | Remove it.",
      "project news: debug_trap | It writes what visitors read into a log. | Remove it.",
      "project news: onion_version | Every site is v3: Tor has no other version any more. | Remove it.",
    ],
  ],
  [
    "a setting of a project on a site",
    withSite({ torSingleOnion: true }),
    [
      "project news: sites[0].torSingleOnion | There is no such key in a site. | It belongs to a project: move it there.",
    ],
  ],
  [
    "a setting of sites on the stack",
    lab({ forceHttps: true }),
    [
      "stack: forceHttps | There is no such key in the stack's config. | It belongs to a project or a site: move it there.",
    ],
  ],
  [
    "an unknown key of a project, which has many",
    withProject({ colour: "blue" }),
    ["project news: colour | There is no such key in a project. | Remove it; the keys there are in docs/config.md."],
  ],
];

testFaults(faults);
