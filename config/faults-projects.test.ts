// What a report says of faults in projects and sites, word for word.
import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { test } from "node:test";
import { longestProjectName, projectSockets, workerFiles } from "../plan/names";
import { type Fault, lab, onion, problemsIn, project, site, withSite, testFaults } from "./samples";

/** A domain of so many characters. */
const domainOf = (length: number): string => `${`${"a".repeat(49)}.`.repeat(6).slice(0, length - 4)}.org`;

/** Bytes of the longest socket path of a project whose name has so many characters. */
const longestSocket = (length: number): number =>
  Math.max(...projectSockets("n".repeat(length)).map((socket) => socket.length));

const names = (workers: number): string[] => Array.from({ length: workers }, (_, at) => `worker${at + 1}`);

const faults: Fault[] = [
  [
    "the same domain in two projects",
    lab({ projects: [project(), project({ name: "shop" })] }),
    [
      'project shop: sites[0].domain = "www.example.org" | The domain is in projects news and shop; a domain is one site. | Remove one of them.',
    ],
  ],
  [
    "the same domain twice in a project",
    lab({ projects: [project({ sites: [site, site] })] }),
    [
      'project news: sites[1].domain = "www.example.org" | The domain is twice in project news; a domain is one site. | Remove one of them.',
    ],
  ],
  [
    "two projects of one name",
    lab({ projects: [project(), project({ sites: [{ domain: "b.example.org" }] })] }),
    [
      'project news: name = "news" | There are two projects named news. | Give it another name, or move its sites to the first one.',
    ],
  ],
  [
    "a project name with capitals",
    lab({ projects: [project({ name: "My News" })] }),
    ['project My News: name = "My News" | A name is made of a-z, 0-9 and inner hyphens only. | Write it as my-news.'],
  ],
  [
    "a project name too long for its sockets",
    lab({ projects: [project({ name: "n".repeat(75) })] }),
    [
      `project nnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnn: name = "nnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnn" | With 75 characters a socket of the project has a path of ${longestSocket(75)} bytes; the system takes 107. | Shorten the name to at most ${longestProjectName} characters.`,
    ],
  ],
  [
    "a project whose file would be the machine's own",
    lab({ projects: [project({ name: "host" })] }),
    [
      "project host: name = \"host\" | The project's file on a worker would be nginx/host.conf, which is the machine's own. | Choose another name, e.g. hosting.",
    ],
  ],
  [
    "projects and workers whose backends would have one name",
    lab({
      workers: ["b-c", "c"],
      projects: [project({ name: "a" }), { name: "a-b", sites: [{ domain: "b.example.org" }] }],
    }),
    [
      'project a-b: name = "a-b" | Projects a and a-b would both have a backend named a-b-c-1. | Rename project a-b or the worker c.',
    ],
  ],
  [
    "a URL for a domain",
    withSite({ domain: "https://WWW.example.org/" }),
    [
      'project news: sites[0].domain = "https://WWW.example.org/" | This is a URL, not a domain. | Write www.example.org.',
    ],
  ],
  [
    "a domain with a newline",
    withSite({ domain: "www.example.org\nfoo" }),
    ['project news: sites[0].domain = "www.example.org\\nfoo" | There is a space or a line break in it. | Remove it.'],
  ],
  [
    "a domain with capitals",
    withSite({ domain: "WWW.example.org" }),
    ['project news: sites[0].domain = "WWW.example.org" | The domain has capital letters. | Write www.example.org.'],
  ],
  [
    "a domain outside ASCII",
    withSite({ domain: "bücher.example" }),
    [
      'project news: sites[0].domain = "bücher.example" | A domain has ASCII characters only. | Write it in its DNS form, xn--bcher-kva.example.',
    ],
  ],
  [
    "a domain with a port",
    withSite({ domain: "www.example.org:8443" }),
    [
      'project news: sites[0].domain = "www.example.org:8443" | A domain has no port: a site is served on 80 and 443. | Write www.example.org.',
    ],
  ],
  [
    "a domain that is too long for DNS",
    withSite({ domain: domainOf(254) }),
    [
      `project news: sites[0].domain = "${domainOf(254)}" | The domain has 254 characters; DNS takes 253. | Check the name.`,
    ],
  ],
  [
    "a domain that is too long for the name of its site's file",
    withSite({ domain: domainOf(239) }),
    [
      `project news: sites[0].domain = "${domainOf(239)}" | The domain has 239 characters; the site's file on a worker is named after it, and a file's name has room for 238. | Serve the site under a shorter domain.`,
    ],
  ],
  [
    "a wildcard",
    withSite({ domain: "*.example.org" }),
    [
      'project news: sites[0].domain = "*.example.org" | A site is one domain, not a wildcard. | Write example.org and list its subdomains.',
    ],
  ],
  [
    "an onion address as domain",
    withSite({ domain: onion }),
    [
      'project news: sites[0].domain = "pg6mmjiyjmcrsslvykfwnntlaru7p5svn6y2ymmju6nubxndf4pscryd.onion" | This is an onion address; a site\'s domain is the one on the web. | Give the web domain here and the address as `onion`.',
    ],
  ],
  [
    "an IP address as domain",
    withSite({ domain: "203.0.113.7" }),
    [
      'project news: sites[0].domain = "203.0.113.7" | This is an IP address, not a domain. | Give the domain that the address serves.',
    ],
  ],
  [
    "a subdomain with its domain",
    withSite({ subdomains: ["cdn.www.example.org"] }),
    [
      'project news: sites[0].subdomains[0] = "cdn.www.example.org" | A subdomain is written without the site\'s domain. | Write cdn.',
    ],
  ],
  [
    "a subdomain that is no label sequence",
    withSite({ subdomains: ["cdn..x", "a b"] }),
    [
      'project news: sites[0].subdomains[0] = "cdn..x" | A subdomain is one or more labels of a-z, 0-9 and inner hyphens, joined by dots. | Write what stands before the site\'s domain, e.g. cdn or static.eu.',
      'project news: sites[0].subdomains[1] = "a b" | A subdomain is one or more labels of a-z, 0-9 and inner hyphens, joined by dots. | Write what stands before the site\'s domain, e.g. cdn or static.eu.',
    ],
  ],
  [
    "an onion address with a broken checksum",
    withSite({ onion: onion.replace("pg6m", "pg6n") }),
    [
      'project news: sites[0].onion = "pg6nmjiyjmcrsslvykfwnntlaru7p5svn6y2ymmju6nubxndf4pscryd.onion" | This is not a v3 onion address: its checksum does not match: a character is wrong. | Copy the address from tor\'s `hostname` file.',
    ],
  ],
  [
    "an onion address of version 2",
    withSite({ onion: "expyuzz4wqqyqhjn.onion" }),
    [
      'project news: sites[0].onion = "expyuzz4wqqyqhjn.onion" | This is not a v3 onion address: it is a v2 address (16 characters): Tor no longer has those, a v3 address has 56. | Copy the address from tor\'s `hostname` file.',
    ],
  ],
  [
    "an address without its key",
    withSite({ onion }),
    [
      'project news: sites[0].onion = "pg6mmjiyjmcrsslvykfwnntlaru7p5svn6y2ymmju6nubxndf4pscryd.onion" | The address is given without its key: the balancer cannot publish it. | Add the key: pulumi config set --secret --path \'siteKeys["www.example.org"]\' < hs_ed25519_secret_key.base64, or remove `onion` for a new address.',
    ],
    [],
  ],
  [
    "a key that no site has",
    lab(),
    [
      "siteKeys: shop.example.org | There is a key for this domain, but no site has it. | Add the site to a project, correct the domain, or remove the key.",
    ],
    ["shop.example.org"],
  ],
  [
    "one address for two sites",
    lab({
      projects: [
        project({
          sites: [
            { ...site, onion },
            { domain: "b.example.org", onion },
          ],
        }),
      ],
    }),
    [
      'project news: sites[1].onion = "pg6mmjiyjmcrsslvykfwnntlaru7p5svn6y2ymmju6nubxndf4pscryd.onion" | This is also the address of www.example.org. | Give each site an address of its own, or remove `onion` from the site that has none yet.',
    ],
  ],
  [
    "an address that replaces itself",
    withSite({ onion, replaceAddress: onion }),
    [
      'project news: sites[0].replaceAddress = "pg6mmjiyjmcrsslvykfwnntlaru7p5svn6y2ymmju6nubxndf4pscryd.onion" | This is the site\'s new address, not the one that goes. | Remove replaceAddress, or write the address that the site has now.',
    ],
  ],
  [
    "2 introduction points",
    lab({ projects: [project({ torIntrosPerDaemon: 2 })] }),
    [
      "project news: torIntrosPerDaemon = 2 | It must be from 3 to 20: tor takes no other number of introduction points. | Choose a number there, e.g. 3.",
    ],
  ],
  [
    "21 introduction points",
    lab({ projects: [project({ torIntrosPerDaemon: 21 })] }),
    [
      "project news: torIntrosPerDaemon = 21 | It must be from 3 to 20: tor takes no other number of introduction points. | Choose a number there, e.g. 3.",
    ],
  ],
  [
    "no tor daemon",
    lab({ projects: [project({ softmapTorWorkers: 0 })] }),
    [
      "project news: softmapTorWorkers = 0 | It must be from 1 to 20: the project's nginx has sockets for so many tor daemons. | Choose a number there, e.g. 2.",
    ],
  ],
  [
    "11 backends of one worker",
    lab({ publisher: "onionbalance", workers: 1, projects: [project({ softmapTorWorkers: 11 })] }),
    [
      "project news: softmapTorWorkers = 11 | 1 worker x 11 tor daemons = 11 backends x 2 introduction points = 22 for each site; clients refuse a descriptor with more than 20, and the site would be gone. | Remove `publisher` or set it to distinct, or set softmapTorWorkers to 10, or move sites to a second stack with workers of its own.",
    ],
  ],
  [
    "11 backends of eleven workers",
    lab({ publisher: "onionbalance", workers: 11, projects: [project({ softmapTorWorkers: 1 })] }),
    [
      "project news: softmapTorWorkers = 1 | 11 workers x 1 tor daemon = 11 backends x 2 introduction points = 22 for each site; clients refuse a descriptor with more than 20, and the site would be gone. | Remove `publisher` or set it to distinct, or run this on at most 10 workers, or move sites to a second stack with workers of its own.",
    ],
  ],
  [
    "12 backends, counted over the balancers' machines too",
    lab({
      publisher: "onionbalance",
      ...{ balancers: 2, workers: 2, workersOnBalancers: true, projects: [project({ softmapTorWorkers: 3 })] },
    }),
    [
      "project news: softmapTorWorkers = 3 | 4 workers x 3 tor daemons = 12 backends x 2 introduction points = 24 for each site; clients refuse a descriptor with more than 20, and the site would be gone. | Remove `publisher` or set it to distinct, or set softmapTorWorkers to 2, or run this on at most 3 workers, or move sites to a second stack with workers of its own.",
    ],
  ],
  [
    "122 backends, none of them with its own choice of a publisher",
    lab({ workers: 61, projects: [project({ softmapTorWorkers: 2 })] }),
    [
      "project news: softmapTorWorkers = 2 | 61 workers x 2 tor daemons = 122 backends for each site; clients ask 6 directories for a descriptor and take 20 introduction points from each, so more than 6 x 20 = 120 backends would not all be found. | Set softmapTorWorkers to 1, or run this on at most 60 workers, or move sites to a second stack with workers of its own.",
    ],
  ],
  [
    "126 backends on listed workers, with the mode that takes more",
    lab({ publisher: "distinct", workers: 10, listed: names(7), projects: [project({ softmapTorWorkers: 18 })] }),
    [
      "project news: softmapTorWorkers = 18 | 7 listed workers x 18 tor daemons = 126 backends for each site; clients ask 6 directories for a descriptor and take 20 introduction points from each, so more than 6 x 20 = 120 backends would not all be found. | Set softmapTorWorkers to 17, or list at most 6 workers, or move sites to a second stack with workers of its own.",
    ],
  ],
  [
    "122 backends with Onionbalance's descriptors: the other mode is no way out",
    lab({ publisher: "onionbalance", workers: 61, projects: [project()] }),
    [
      "project news: softmapTorWorkers = 2 | 61 workers x 2 tor daemons = 122 backends x 2 introduction points = 244 for each site; clients refuse a descriptor with more than 20, and the site would be gone. | Run this on at most 5 workers, or move sites to a second stack with workers of its own.",
    ],
  ],
  [
    "21 tor daemons on one worker",
    lab({ workers: 1, projects: [project({ softmapTorWorkers: 21 })] }),
    [
      "project news: softmapTorWorkers = 21 | It must be from 1 to 20: the project's nginx has sockets for so many tor daemons. | Choose a number there, e.g. 2.",
    ],
  ],
  [
    "a thousand tor daemons on one worker",
    lab({ workers: 1, projects: [project({ softmapTorWorkers: 1000 })] }),
    [
      "project news: softmapTorWorkers = 1000 | It must be from 1 to 20: the project's nginx has sockets for so many tor daemons. | Choose a number there, e.g. 2.",
      "project news: softmapTorWorkers = 1000 | 1 worker x 1000 tor daemons = 1000 backends for each site; clients ask 6 directories for a descriptor and take 20 introduction points from each, so more than 6 x 20 = 120 backends would not all be found. | Set softmapTorWorkers to 20, or move sites to a second stack with workers of its own.",
    ],
  ],
  [
    "proof of work",
    lab({ projects: [project({ torPowEnabled: true })] }),
    [
      "project news: torPowEnabled | Proof of work does nothing behind Onionbalance: a backend's descriptor asks for it, the site's own descriptor does not, so no client computes one. | Remove it.",
    ],
  ],
  [
    "proof of work in Onionspray's spelling",
    lab({ projects: [project({ tor_pow_queue_rate: 250 })] }),
    [
      "project news: tor_pow_queue_rate | Proof of work does nothing behind Onionbalance: a backend's descriptor asks for it, the site's own descriptor does not, so no client computes one. | Remove it.",
    ],
  ],
  [
    "client authorization",
    withSite({ clientAuthorization: ["descriptor:x25519:AAAA"] }),
    [
      "project news: sites[0].clientAuthorization | Client authorization does not work behind Onionbalance: it cannot read the descriptor of a backend that has it, so the site would not be published. | Remove it.",
    ],
  ],
  [
    "a resolver that is a name",
    lab({ projects: [project({ nginxResolver: ["dns.example.org"] })] }),
    [
      'project news: nginxResolver[0] = "dns.example.org" | A resolver is an IP address, with a port where it is not 53. | Write it as 10.0.0.2, 10.0.0.2:5353 or [2001:db8::2]:5353.',
    ],
  ],
  [
    "siteKeys that is text",
    lab({ siteKeys: "secret" }),
    [
      "stack: siteKeys | It must be an object: a key for each domain. | Set each key by its domain: pulumi config set --secret --path 'siteKeys[\"www.example.org\"]' < hs_ed25519_secret_key.base64",
    ],
  ],
];

testFaults(faults);

test("names beside those that are refused are right", () => {
  for (const name of ["hosts", "my-host", "host1"])
    assert.deepEqual(problemsIn(lab({ projects: [project({ name })] })), []);
});

test("the longest domain that is taken is the longest whose file can be written", (context) => {
  assert.deepEqual(problemsIn(withSite({ domain: domainOf(238) })), []);
  const dir = mkdtempSync(join(tmpdir(), "softmap-domain-"));
  context.after(() => rmSync(dir, { recursive: true }));
  const write = (length: number) =>
    writeFileSync(join(dir, `${basename(workerFiles.nginxSite("news", domainOf(length)))}.softmap-new`), "");
  write(238);
  assert.throws(() => write(239), { code: "ENAMETOOLONG" });
});
