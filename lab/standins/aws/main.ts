/** The process of the stand-in for the aws plugin. */
import { labNamed } from "../../places";
import { serve } from "../shared/serve";
import { labMachines } from "./instances";
import { AwsProvider } from "./provider";

serve(() => {
  const name = process.env["SOFTMAP_AWS_LAB"];
  if (!name) throw new Error("softmap: SOFTMAP_AWS_LAB is not set: it names the lab whose hosts are the instances");
  const lab = labNamed(name);
  return new AwsProvider({ lab, machines: labMachines(lab), environment: process.env });
});
