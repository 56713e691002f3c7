// Names that become paths, unit names and resource names: projects, hosts, labs.
import { longestHostName, longestProjectName, longestSocketPath, projectSockets, workerFiles } from "../../plan/names";
import { type Fault, text } from "./check";

const namePattern = /^[a-z0-9]([a-z0-9-]*[a-z0-9])?$/;
const nameRule = "a-z, 0-9 and inner hyphens";

function nameFault(name: string): Fault | undefined {
  if (namePattern.test(name)) return undefined;
  const mended = name
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, "-")
    .replaceAll(/^-+|-+$/g, "");
  return {
    message: name === "" ? "A name must not be empty." : `A name is made of ${nameRule} only.`,
    next: mended === "" ? "Choose a name such as news1." : `Write it as ${mended.slice(0, 60)}.`,
  };
}

/** The machine's own file among those of nginx: what only it knows, its resolvers and the releases' markers (host/tree.py). */
const machinesName = "host";

/** What is wrong with a project's name: it becomes part of paths, unit names and sockets. */
export function projectNameFault(name: string): Fault | undefined {
  if (name === machinesName) {
    return {
      message: `The project's file on a worker would be ${workerFiles.nginx(name)}, which is the machine's own.`,
      next: "Choose another name, e.g. hosting.",
    };
  }
  const fault = nameFault(name);
  if (fault || name.length <= longestProjectName) return fault;
  const path = Math.max(...projectSockets(name).map((socket) => socket.length));
  return {
    message: `With ${name.length} characters a socket of the project has a path of ${path} bytes; the system takes ${longestSocketPath}.`,
    next: `Shorten the name to at most ${longestProjectName} characters.`,
  };
}

/** What is wrong with a machine's name: it becomes its host name and part of its backends' names. */
export function hostNameFault(name: string): Fault | undefined {
  const fault = nameFault(name);
  if (fault || name.length <= longestHostName) return fault;
  return {
    message: `The name has ${name.length} characters; a host name has at most ${longestHostName}.`,
    next: "Shorten it.",
  };
}

// Lab names go into interface, container and table names; interface and nftables names are short.
const longestLabName = 20;

/** What is wrong with a lab's name. */
export function labNameFault(name: string): Fault | undefined {
  const fault = nameFault(name);
  if (fault || name.length <= longestLabName) return fault;
  return {
    message: `The name has ${name.length} characters; a lab's has at most ${longestLabName}.`,
    next: "Shorten it.",
  };
}

const pattern = namePattern.source;

export const projectName = text(projectNameFault, {
  description:
    "Name of the project: part of its daemons' names, units and paths on the workers. A changed name makes new backends.",
  examples: ["news"],
  pattern,
});

export const hostName = text(hostNameFault, {
  description: "Name of the machine: part of its backends' names. A changed name makes new backends.",
  examples: ["worker1"],
  pattern,
});

export const labName = text(labNameFault, {
  description: "Name of the lab whose hosts are used, as in `npm run lab -- --name NAME up`.",
  examples: ["dev"],
  pattern,
});
