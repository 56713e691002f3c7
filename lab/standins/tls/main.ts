/** The process of the stand-in for the tls plugin. */
import { serve } from "../shared/serve";
import { TlsProvider } from "./provider";

serve(() => new TlsProvider());
