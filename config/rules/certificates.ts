// Rules on certificates and their keys: each has the other. Of keys only their names are known here.
import { type Path, isRecord, problemAt, valueAt } from "../place";
import type { Problem } from "../problems";
import type { Raw } from "./machines";

/** The secret keys that go with certificates, by domain or project. */
export const certificateKeys = {
  tlsKeys: { certificate: "certificate", argument: "certificateKey" },
  upstreamKeys: { certificate: "upstreamCertificate", argument: "upstreamCertificateKey" },
} as const;

export type CertificateKeys = keyof typeof certificateKeys;

/** Names for which there is a key: domains and projects. A record without one of the two leaves its rules out. */
export type KeyNames = Readonly<Partial<Record<CertificateKeys, readonly string[] | undefined>>>;

/** A project or site that may have a certificate. */
interface Owner {
  readonly name: string;
  readonly path: Path;
}

function ownersOf(raw: Raw): Owner[] {
  const projects: unknown = raw["projects"];
  return (Array.isArray(projects) ? projects : []).flatMap((project: unknown, p): Owner[] => {
    const sites = valueAt(project, ["sites"]);
    const path = ["projects", p];
    const owners = (Array.isArray(sites) ? sites : []).map((site: unknown, s) => ({
      name: valueAt(site, ["domain"]),
      path: [...path, "sites", s],
    }));
    return [{ name: valueAt(project, ["name"]), path }, ...owners].flatMap((owner) =>
      typeof owner.name === "string" && owner.name !== "" ? [{ name: owner.name, path: owner.path }] : [],
    );
  });
}

/** Problems of certificates without a key and of keys without a certificate. `inArgs`: the keys are arguments of a component. */
export function certificateRules(raw: Raw, names: KeyNames, inArgs: boolean): Problem[] {
  const owners = ownersOf(raw);
  return (Object.keys(certificateKeys) as CertificateKeys[]).flatMap((keys) => {
    const given = names[keys];
    if (given === undefined) return [];
    const { certificate, argument } = certificateKeys[keys];
    const has = ({ path }: Owner): boolean => valueAt(raw, [...path, certificate]) !== undefined;
    const without = owners.filter((owner) => has(owner) && !given.includes(owner.name));
    const next = (name: string): string =>
      inArgs ? `Give ${argument} beside it.` : `Add the key: ${setKey(keys, name)}.`;
    const lost = given.filter((name) => !owners.some((owner) => owner.name === name && has(owner)));
    return [
      ...without.map(({ name, path }) => {
        const message = "The certificate is given without its key: nginx cannot use it.";
        return problemAt(raw, [...path, certificate], { message, next: next(name) }, true);
      }),
      ...lost.map((name) => lostKey(raw, { keys, name, inArgs, owner: owners.find((owner) => owner.name === name) })),
    ];
  });
}

interface Lost {
  readonly keys: CertificateKeys;
  readonly name: string;
  readonly inArgs: boolean;
  readonly owner: Owner | undefined;
}

function lostKey(raw: Raw, { keys, name, inArgs, owner }: Lost): Problem {
  const { certificate, argument } = certificateKeys[keys];
  const message = owner
    ? `There is a key, but ${name} has no ${certificate} of its own.`
    : "There is a key of this name, but no site and no project has it.";
  const next = owner ? `Give ${certificate}, or remove the key.` : "Correct the name, or remove the key.";
  if (inArgs && owner) return problemAt(raw, [...owner.path, argument], { message, next }, true);
  return { component: keys, property: name, message, next, path: [keys, name] };
}

/** The command that sets a key; its value comes from a file, not from the command line. */
export function setKey(keys: string, name: string): string {
  return `pulumi config set --secret --path 'softmap:${keys}["${name}"]' < key.pem`;
}

/** Names whose key is among the arguments of a component. */
export function keysInArgs(args: unknown): KeyNames {
  const sites = valueAt(args, ["sites"]);
  const all = [
    { name: valueAt(args, ["name"]), of: args },
    ...(Array.isArray(sites) ? sites : []).map((site: unknown) => ({ name: valueAt(site, ["domain"]), of: site })),
  ];
  const named = (argument: string): string[] =>
    all.flatMap(({ name, of }) =>
      typeof name === "string" && isRecord(of) && of[argument] !== undefined ? [name] : [],
    );
  return {
    tlsKeys: named(certificateKeys.tlsKeys.argument),
    upstreamKeys: named(certificateKeys.upstreamKeys.argument),
  };
}
