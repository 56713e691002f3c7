// What providers.js finds, by the names that providedResource.ts has put into states: they stay.
import { fileSetProvider, gateProvider } from "./heldProvider";
import { hostKeyProvider } from "./hosts/hostKeyProvider";
import { installationProvider } from "./installationProvider";
import { onionCertificateProvider } from "./onionCertificateProvider";
import { onionKeyProvider } from "./onionKeyProvider";
import { renderedConfigProvider } from "./renderedConfigProvider";
import { rollCallProvider } from "./rollCallProvider";
import { servicePlanProvider } from "./servicePlanProvider";

export const providers = {
  FileSet: fileSetProvider,
  Gate: gateProvider,
  HostKey: hostKeyProvider,
  Installation: installationProvider,
  OnionCertificate: onionCertificateProvider,
  OnionKey: onionKeyProvider,
  RenderedConfig: renderedConfigProvider,
  RollCall: rollCallProvider,
  ServicePlan: servicePlanProvider,
};
