// The config in the docs: whole files, parts of them, and single settings in backticks, each parsed as an operator's file is.
import { parse, stringify } from "yaml";
import { checkText } from "../cli/check";
import { isRecord } from "../config/place";
import { onion } from "../config/samples";
import { projectSchema, rolloutSchema, secretKeys, secretsSchema, siteSchema, stackSchema } from "../config/schema";
import { awsHostsSchema } from "../config/schema/aws";
import { labHostsSchema, localHostsSchema, machineSchema, sshHostsSchema } from "../config/schema/hosts";
import { proxy } from "../config/schema/proxy";

type Keys = Record<string, unknown>;

const hostKey = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIM/zf2yfZZZx26ujhIOQOhsFGcTWFkbbxXqDXaHSZW0X";

/** What stands in the docs for a value of the reader's own, as a value that is one. */
function filled(text: string): string {
  return text
    .replaceAll(/ssh-ed25519 AAAA[\w/+]*\.\.\./g, hostKey)
    .replaceAll("<56 characters>.onion", onion)
    .replaceAll("[...]", "[]");
}

const stack = { ...stackSchema.shape, ...secretsSchema };
const providers = { lab: labHostsSchema, ssh: sshHostsSchema, aws: awsHostsSchema, local: localHostsSchema };
type Provider = keyof typeof providers;
const names = (shape: object): string[] => Object.keys(shape);

/** Every key of a config, wherever it stands. */
const everyKey = new Set([
  ...[stack, projectSchema.shape, siteSchema.shape, rolloutSchema.shape, machineSchema.shape, proxy.shape].flatMap(
    names,
  ),
  ...Object.values(providers).flatMap(({ shape }) => names(shape)),
]);

/** What is wrong with a block of YAML; what has no setting of a stack at its top is only parsed. */
export function yamlFaults(text: string): string[] {
  let value: unknown;
  try {
    value = parse(filled(text));
  } catch (error) {
    return [`no YAML: ${firstLine(error)}`];
  }
  const config = isRecord(value) ? configIn(value) : undefined;
  return config === undefined ? [] : configFaults(config);
}

/** The settings of a stack in a block, without `softmap:` in front; undefined when it has none. */
function configIn(value: Keys): Keys | undefined {
  const inside = isRecord(value["config"]) ? value["config"] : value;
  const keys = Object.keys(inside);
  if (keys.some((key) => key.startsWith("softmap:")))
    return Object.fromEntries(Object.entries(inside).map(([key, each]) => [key.replace(/^softmap:/, ""), each]));
  // Settings as they stand in a project or a stack, their place told by the text around.
  return keys.length > 0 && keys.every((key) => everyKey.has(key)) ? placed(inside) : undefined;
}

/** Settings put where they belong. */
function placed(settings: Keys): Keys {
  const of = (shape: object): Keys =>
    Object.fromEntries(Object.entries(settings).filter(([key]) => Object.hasOwn(shape, key)));
  const project = of(projectSchema.shape);
  const hosts = hostsOf(settings);
  return {
    ...of(stack),
    ...(hosts && { hosts }),
    ...(Object.keys(project).length > 0 && { projects: [{ ...sample, ...project }] }),
  };
}

/** Settings of `hosts`, with the first provider that has them all. */
function hostsOf(settings: Keys): Keys | undefined {
  const own = Object.entries(settings).filter(([key]) => !Object.hasOwn({ ...stack, ...projectSchema.shape }, key));
  if (own.length === 0) return undefined;
  const named = typeof settings["provider"] === "string" ? [settings["provider"] as Provider] : Object.keys(providers);
  const provider = named.find((name) => own.every(([key]) => Object.hasOwn(providers[name as Provider].shape, key)));
  return { ...Object.fromEntries(own), provider: provider ?? "lab" };
}

const sample = { name: "news", sites: [{ domain: "www.example.org" }] };

/** What a block leaves out, as right as it can be. */
function completed(config: Keys): Keys {
  const hosts: Keys = isRecord(config["hosts"]) ? config["hosts"] : { provider: "lab" };
  const list = (kind: "publishing" | "listed", fallback: string): unknown[] => {
    const chosen = Array.isArray(config[kind]) ? (config[kind] as string[]) : [fallback];
    const from = kind === "publishing" ? 10 : 20;
    const machines = chosen.map((name, i) => ({ name, address: `203.0.113.${from + i}`, hostKey }));
    return hosts["provider"] === "ssh" ? machines : chosen;
  };
  const needs: Readonly<Record<Provider, Keys>> = {
    lab: { balancers: list("publishing", "balancer1"), workers: list("listed", "worker1") },
    ssh: { balancers: list("publishing", "north"), workers: list("listed", "south") },
    aws: { balancers: list("publishing", "balancer1"), workers: list("listed", "worker1") },
    local: { balancers: ["here"], workers: [], workersOnBalancers: true },
  };
  const provider = String(hosts["provider"]);
  const login =
    provider === "ssh" ? { user: "admin", ...(hosts["privateKeyFile"] === undefined && { agent: true }) } : {};
  const place = provider === "aws" ? { region: "eu-central-1", sshFrom: ["203.0.113.0/24"] } : {};
  return {
    ...(Object.hasOwn(needs, provider) ? needs[provider as Provider] : {}),
    projects: [sample],
    // Encrypted as a whole: nobody can tell for whom they are, so nobody's is missing.
    ...Object.fromEntries(secretKeys.map((key) => [key, { secure: "v1:a:b" }])),
    ...config,
    hosts: { ...login, ...place, ...hosts },
  };
}

/** What `softmap check` says of a part of a config that was completed. */
export function configFaults(config: Keys): string[] {
  const whole = Object.entries(completed(config)).map(([key, value]) => [`softmap:${key}`, value] as const);
  try {
    checkText(stringify({ config: Object.fromEntries(whole) }));
    return [];
  } catch (error) {
    return [`not what a stack takes: ${(error as Error).message.replaceAll(/\s*\n\s*/g, " ")}`];
  }
}

/** Settings that others need beside them. */
const company: readonly Keys[] = [
  {},
  { onionTls: "selfSigned" },
  { torExportCircuitId: true },
  { torIntroDosDefense: true },
  { torMaxStreams: 100 },
  { reach: "private" },
];

/** What is wrong with a setting in backticks, `key: value`; nothing where it is none. */
export function settingFaults(code: string): string[] {
  const [, key = "", value = ""] = /^([a-z][A-Za-z0-9]*): (\S.*)$/.exec(code) ?? [];
  if (key === "" || (!everyKey.has(key) && !/[a-z][A-Z]/.test(key))) return [];
  if (!everyKey.has(key)) return [`\`${key}\` is no setting`];
  let parsed: unknown;
  try {
    parsed = parse(filled(code));
  } catch (error) {
    return [`\`${code}\` is no YAML: ${firstLine(error)}`];
  }
  // A machine's own keys, and values that the text leaves open.
  if (
    !isRecord(parsed) ||
    Object.hasOwn(machineOnly, key) ||
    (value.includes("...") && !value.includes("AAAA...")) ||
    /\b[A-Z]{3,}\b/.test(value)
  )
    return [];
  if (Object.hasOwn(rolloutSchema.shape, key)) return configFaults({ rollout: parsed });
  if (key === "domain" || key === "replaceAddress" || key === "onion" || key === "subdomains")
    return configFaults({ projects: [{ name: "news", sites: [{ ...sample.sites[0], ...parsed }] }] });
  const faultsWith = (beside: Keys): string[] => configFaults(placed({ ...beside, ...parsed }));
  return company.some((beside) => faultsWith(beside).length === 0) ? [] : faultsWith({});
}

const machineOnly = { ...machineSchema.shape, ...proxy.shape };

const firstLine = (error: unknown): string => (error as Error).message.split("\n")[0] ?? "";
