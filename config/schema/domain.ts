// Domains, their subdomains and onion addresses.
import { isIP } from "node:net";
import { basename } from "node:path";
import { domainToASCII } from "node:url";
import { checkOnionAddress } from "../../onion/address";
import { workerFiles } from "../../plan/names";
import { type Fault, text } from "./check";

const label = /^[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?$/;
const longestDomain = 253; // RFC 1035 2.3.4 without the root's dot
const longestLabel = 63;
const longestFileName = 255; // NAME_MAX, limits.h of Linux
// A site has a file of its own on each worker, and it is written under a name with this ending first (host/files.py).
const endings = `${basename(workerFiles.nginxSite("project", ""))}.softmap-new`;
const longestSite = longestFileName - endings.length;

function labelsFault(name: string): Fault | undefined {
  for (const part of name.split(".")) {
    if (part === "") return { message: "There is nothing between two dots.", next: "Remove the dot that is too many." };
    if (part.length > longestLabel) {
      return {
        message: `A part of it has ${part.length} characters; DNS takes ${longestLabel}.`,
        next: "Check the name.",
      };
    }
    if (!label.test(part)) {
      return {
        message: "A domain is made of a-z, 0-9, inner hyphens and dots.",
        next: "Write the bare domain, e.g. www.example.org.",
      };
    }
  }
  return undefined;
}

/** What is wrong with a site's domain, e.g. `https://www.example.org/`. */
export function domainFault(domain: string): Fault | undefined {
  if (domain === "") return { message: "The domain is empty.", next: "Give the site's domain, e.g. www.example.org." };
  if (/[\s\p{Cc}]/u.test(domain)) return { message: "There is a space or a line break in it.", next: "Remove it." };
  const inUrl = /^[a-z]+:\/\/([^/:?#]+)/i.exec(domain)?.[1] ?? /^([^/:]+)(:[0-9]+)?\/.*$/.exec(domain)?.[1];
  if (inUrl !== undefined) return { message: "This is a URL, not a domain.", next: `Write ${inUrl.toLowerCase()}.` };
  if (isIP(domain) > 0)
    return { message: "This is an IP address, not a domain.", next: "Give the domain that the address serves." };
  const port = /^(.+):[0-9]+$/.exec(domain)?.[1];
  if (port !== undefined)
    return { message: "A domain has no port: a site is served on 80 and 443.", next: `Write ${port}.` };
  if (domain.startsWith("*.")) {
    return {
      message: "A site is one domain, not a wildcard.",
      next: `Write ${domain.slice(2)} and list its subdomains.`,
    };
  }
  if (/[^\x21-\x7e]/.test(domain)) {
    const ascii = domainToASCII(domain);
    return {
      message: "A domain has ASCII characters only.",
      next: ascii === "" ? "Remove the characters that do not belong there." : `Write it in its DNS form, ${ascii}.`,
    };
  }
  if (domain !== domain.toLowerCase())
    return { message: "The domain has capital letters.", next: `Write ${domain.toLowerCase()}.` };
  if (domain.endsWith("."))
    return { message: "The domain ends in a dot.", next: `Write ${domain.replace(/\.+$/, "")}.` };
  if (domain.length > longestDomain) {
    return {
      message: `The domain has ${domain.length} characters; DNS takes ${longestDomain}.`,
      next: "Check the name.",
    };
  }
  if (domain.length > longestSite) {
    return {
      message: `The domain has ${domain.length} characters; the site's file on a worker is named after it, and a file's name has room for ${longestSite}.`,
      next: "Serve the site under a shorter domain.",
    };
  }
  const fault = labelsFault(domain);
  if (fault) return fault;
  if (!domain.includes("."))
    return { message: "The domain has no dot.", next: "Give the full domain, e.g. www.example.org." };
  if (domain.endsWith(".onion")) {
    return {
      message: "This is an onion address; a site's domain is the one on the web.",
      next: "Give the web domain here and the address as `onion`.",
    };
  }
  return undefined;
}

/** What is wrong with a subdomain by itself, e.g. `.cdn`; that it repeats its site's domain is told with the site. */
export function subdomainFault(subdomain: string): Fault | undefined {
  if (subdomain === "") return { message: "The subdomain is empty.", next: "Remove it or name it, e.g. cdn." };
  if (subdomain.includes("*")) {
    return {
      message: "Subdomains are named one by one, without wildcards.",
      next: "List each subdomain, e.g. cdn and static.",
    };
  }
  if (subdomain !== subdomain.toLowerCase()) {
    return { message: "The subdomain has capital letters.", next: `Write ${subdomain.toLowerCase()}.` };
  }
  if (labelsFault(subdomain)) {
    return {
      message: "A subdomain is one or more labels of a-z, 0-9 and inner hyphens, joined by dots.",
      next: "Write what stands before the site's domain, e.g. cdn or static.eu.",
    };
  }
  return undefined;
}

/** What is wrong with an onion address: form, version, checksum. */
export function onionFault(address: string): Fault | undefined {
  const wrong = checkOnionAddress(address);
  if (wrong === undefined) return undefined;
  return { message: `This is not a v3 onion address: ${wrong}.`, next: "Copy the address from tor's `hostname` file." };
}

const onionPattern = "^[a-z2-7]{55}d\\.onion$";
/** An address for documentation: rend-spec-v3's own example. */
export const exampleOnion = "pg6mmjiyjmcrsslvykfwnntlaru7p5svn6y2ymmju6nubxndf4pscryd.onion";

export const domain = text(domainFault, {
  description:
    "The domain on the web that the site shows. It gets a new onion address at the first `pulumi up`, kept for ever.",
  examples: ["www.example.org"],
  pattern: "^[a-z0-9_-]+(\\.[a-z0-9_-]+)+$",
});

export const subdomain = text(subdomainFault, {
  description: "What stands before the site's domain: `cdn` is cdn.www.example.org, served at cdn.<address>.onion.",
  examples: ["cdn"],
  pattern: "^[a-z0-9_-]+(\\.[a-z0-9_-]+)*$",
});

export const onion = text(onionFault, {
  description:
    "The address the site already has. Its key must be in siteKeys; `pulumi up` refuses a key of another address.",
  examples: [exampleOnion],
  pattern: onionPattern,
});

export const replaceAddress = text(onionFault, {
  description:
    "The site's present address, named to allow that a changed key gives it another. Remove it after the change.",
  examples: [exampleOnion],
  pattern: onionPattern,
});
