// Rules on machines that no single key can tell. They read the raw config, so that they speak up beside other problems.
import { earlier, problemAt, valueAt } from "../place";
import type { Problem } from "../problems";
import { type Kind, type Machine, type Raw, kinds, machinesOf, rawPool } from "./machines";
import { providerRules } from "./providers";

/** Problems of hosts, balancers and workers. */
export function hostsRules(raw: Raw): Problem[] {
  return [...providerRules(raw), ...sameName(raw), ...sameAddress(raw), ...enough(raw)];
}

function sameName(raw: Raw): Problem[] {
  const first = new Map<string, Machine>();
  return kinds.flatMap((kind) =>
    (machinesOf(raw, kind) ?? []).flatMap((host) => {
      const { name, path } = host;
      if (name === undefined || name === "") return [];
      const other = earlier(first, name, host);
      if (!other) return [];
      const apart = other.path[0] !== path[0];
      return [
        problemAt(raw, path, {
          message: `The machine ${name} is listed twice${apart ? ", as balancer and as worker" : ""}.`,
          next: twice(apart),
        }),
      ];
    }),
  );
}

const twice = (apart: boolean): string =>
  apart
    ? "List it under balancers only and set workersOnBalancers: true."
    : "Remove one of them, or give them different names.";

function sameAddress(raw: Raw): Problem[] {
  const first = new Map<string, { name: string; kind: Kind }>();
  return kinds.flatMap((kind) => {
    const given = raw[kind];
    return (Array.isArray(given) ? given : []).flatMap((entry: unknown, i) => {
      const address = valueAt(entry, ["address"]);
      if (typeof address !== "string" || address === "") return [];
      const port = valueAt(entry, ["port"]) ?? 22;
      if (typeof port !== "number") return [];
      const given = valueAt(entry, ["name"]);
      const name = typeof given === "string" ? given : `${kind}[${i}]`;
      const place = `${address.toLowerCase()} port ${port}`;
      const other = earlier(first, place, { name, kind });
      if (!other) return [];
      // The same machine twice under one name is told by its name.
      if (other.name === name) return [];
      const next = other.kind === kind ? "Remove one of them, or correct its address." : twice(true);
      return [
        problemAt(raw, [kind, i, "address"], {
          message: `${name} and ${other.name} are the same machine: ${place}.`,
          next,
        }),
      ];
    });
  });
}

function enough(raw: Raw): Problem[] {
  const problems: Problem[] = [];
  if (machinesOf(raw, "balancers")?.length === 0) {
    const next = "Give at least one balancer; it can run backends too with workersOnBalancers: true.";
    problems.push(problemAt(raw, ["balancers"], { message: "Without a balancer no site is published.", next }));
  }
  if (rawPool(raw)?.length === 0) {
    const next = "Give at least one worker, or set workersOnBalancers: true.";
    problems.push(problemAt(raw, ["workers"], { message: "Without a worker no backend runs.", next }));
  }
  return problems;
}
