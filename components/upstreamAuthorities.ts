import type { Problem } from "../config/problems";
import { parseChain } from "./certificateChecks";
import { pemText } from "./homePath";

interface Given {
  readonly nginxProxySslTrustedCertificate?: string | undefined;
}

/** PEM of those who vouch for a site's upstream, where these are not the system's own: given as text or as a path. */
export function authoritiesOf({ nginxProxySslTrustedCertificate: given }: Given): string | undefined {
  return given === undefined ? undefined : pemText(given);
}

/** What is wrong with the authorities of a project and its sites. They are public, and read by the program itself. */
export function authorityProblems(project: string, args: Given & { readonly sites: readonly Given[] }): Problem[] {
  const places = [
    { component: `project ${project}`, property: "nginxProxySslTrustedCertificate", given: args },
    ...args.sites.map((site, i) => ({
      component: `project ${project}`,
      property: `sites[${i}].nginxProxySslTrustedCertificate`,
      given: site,
    })),
  ];
  return places.flatMap(({ component, property, given }) => {
    const pem = authoritiesOf(given);
    if (pem === undefined) return [];
    return parseChain(pem).problems.map(({ message, next }) => ({ component, property, message: `${message}.`, next }));
  });
}
