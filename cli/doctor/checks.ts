// Every check of the doctor. The order is that of their findings: what others follow from comes first.
import { clock, disk, lock, unreachable } from "./checks/machines";
import { backend, introductionPoints } from "./checks/backends";
import { descriptor, publishing } from "./checks/publication";
import { certificate, drift, obConfig, release, upstream } from "./checks/released";
import { directories, leftOut, watchdog } from "./checks/leftOut";
import { guards, stranger, unit } from "./checks/units";
import type { Check } from "./finding";

/** The table of contents of this room; docs/doctor has a page for each. */
export const checks: readonly Check[] = [
  unreachable, // a machine says nothing
  clock, // a machine works, and Tor does not take what it signs
  disk,
  unit, // a daemon is down
  guards, // it runs, and has no way out
  publishing, // nobody tells the network
  descriptor, // what the network has of a site
  directories, // who in the network does not take it
  introductionPoints, // how much of it a client takes, and a backend offers
  leftOut, // who is kept out of it
  watchdog, // who is to notice that, and does not
  backend, // who is missing there
  obConfig, // who is there, and would not answer
  stranger, // who is there, and should not be
  upstream, // what is behind it all
  certificate,
  release, // what was to be deployed, and what is
  drift,
  lock,
];
