/** The process of the stand-in for the command plugin. */
import { serve } from "../shared/serve";
import { EngineLog } from "./context";
import { CommandProvider } from "./provider";

serve((engine) => {
  const log = new EngineLog(engine);
  return new CommandProvider((urn, cancelled) => log.context(urn, cancelled));
});
