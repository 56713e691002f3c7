/** The resources and lookups of @pulumi/aws 7.48.0 that the lab needs, in an account of the lab's own. */
import type {
  CheckResult,
  CreateResult,
  DiffResult,
  InvokeResult,
  Provider,
  ReadResult,
  UpdateResult,
} from "@pulumi/pulumi/provider";
import { LAST_HOST, stateOf, type Lab } from "../../places";
import { missing, typeOf } from "../shared/inputs";
import { isUnknown, plain, same, secret, type Properties } from "../shared/values";
import { change, instanceType, newId, readAccount, thingsOf } from "./account";
import { instanceOutputs, type Machines } from "./instances";
import { kinds, zoneOf, type Kind } from "./kinds";
import { lookups } from "./lookups";

/** What the provider's process is given. */
export interface World {
  readonly lab: Lab;
  readonly machines: Machines;
  readonly environment: NodeJS.ProcessEnv;
}

/** Serves one engine. */
export class AwsProvider implements Provider {
  readonly version = "7.48.0";

  constructor(private readonly world: World) {}

  async check(urn: string, _olds: Properties, news: Properties): Promise<CheckResult> {
    const { required, optional } = kindOf(urn);
    const inputs = { ...news };
    if (inputs["userData"] !== undefined) inputs["userData"] = secret(plain(inputs["userData"]));
    const extra = Object.keys(news).filter(
      (name) => !name.startsWith("__") && !required.includes(name) && !optional.includes(name),
    );
    const failures = [
      ...required.filter((name) => inputs[name] === undefined).map(missing),
      ...extra.map((property) => ({ property, reason: `the lab's stand-in for the aws plugin has no ${property}` })),
    ];
    return { inputs, failures };
  }

  async diff(_id: string, urn: string, olds: Properties, news: Properties): Promise<DiffResult> {
    const { required, optional, replaces } = kindOf(urn);
    const changed = [...required, ...optional].filter(
      (name) => news[name] !== undefined && !within(olds[name], news[name]),
    );
    return { changes: changed.length > 0, replaces: changed.filter((name) => replaces.includes(name)) };
  }

  async create(urn: string, given: Properties): Promise<CreateResult> {
    this.loggedIn();
    const kind = kindOf(urn);
    const inputs = plain(given) as Properties;
    const id = newId(kind.prefix);
    const { lab, machines } = this.world;
    const type = typeOfAws(urn);
    kind.refuse?.(inputs, readAccount(lab));
    const outputs =
      type === instanceType
        ? instanceOutputs(
            id,
            inputs,
            zoneOf(inputs, readAccount(lab)),
            await machines.boot(id, String(inputs["userData"])),
          )
        : this.outputsOf(type, id, inputs, kind);
    if (type === "aws:ec2/eipAssociation:EipAssociation") await this.giveAddress(inputs);
    change(lab, ({ things }) => {
      // User data can be read on the machine, and nowhere else here.
      const { userData: _told, ...properties } = inputs;
      things[id] = { type, properties: { ...properties, ...outputs } };
    });
    return { id, outs: { ...given, ...outputs } };
  }

  private async giveAddress({ instanceId, allocationId }: Properties): Promise<void> {
    const { things } = readAccount(this.world.lab);
    const address = things[String(allocationId)]?.properties["publicIp"];
    await this.world.machines.giveAddress(String(instanceId), String(address));
  }

  private outputsOf(type: string, id: string, inputs: Properties, kind: Kind): Properties {
    const account = readAccount(this.world.lab);
    if (type === "aws:ec2/eip:Eip")
      return { allocationId: id, publicIp: elastic(this.world.lab, thingsOf(account, type).length) };
    return kind.outputs?.(id, inputs, account) ?? {};
  }

  async read(id: string, urn: string, props?: Properties): Promise<ReadResult> {
    this.loggedIn();
    const { lab, machines } = this.world;
    const thing = readAccount(lab).things[id];
    const gone = thing === undefined || (typeOfAws(urn) === instanceType && !(await machines.runs(id)));
    // No id: the engine forgets it.
    if (gone) return { id: "", props: {} };
    return { id, props: { ...props, ...thing.properties } };
  }

  async update(id: string, urn: string, olds: Properties, news: Properties): Promise<UpdateResult> {
    this.loggedIn();
    const { lab, machines } = this.world;
    if (typeOfAws(urn) === instanceType && !same(olds["instanceType"], news["instanceType"]))
      await machines.restart(id);
    const { userData: _told, ...properties } = plain(news) as Properties;
    change(lab, ({ things }) => {
      const thing = things[id];
      if (thing !== undefined) things[id] = { ...thing, properties: { ...thing.properties, ...properties } };
    });
    return { outs: { ...olds, ...news } };
  }

  async delete(id: string, urn: string): Promise<void> {
    this.loggedIn();
    const { lab, machines } = this.world;
    const account = readAccount(lab);
    const type = typeOfAws(urn);
    const thing = account.things[id];
    if (thing === undefined) return;
    const users = kindOf(urn).usedBy?.(id, account) ?? [];
    if (users.length > 0)
      throw new Error(
        `api error DependencyViolation: The ${type.split(":").pop()} '${id}' has dependencies and cannot be deleted.`,
      );
    if (type === instanceType) {
      if (thing.properties["disableApiTermination"] === true)
        throw new Error(
          `api error OperationNotPermitted: The instance '${id}' may not be terminated. Modify its 'disableApiTermination' instance attribute and try again.`,
        );
      await machines.terminate(id);
    }
    change(lab, ({ things }) => delete things[id]);
  }

  async invoke(token: string, inputs: Properties): Promise<InvokeResult> {
    this.loggedIn();
    const lookup = lookups[token];
    if (lookup === undefined) throw new Error(`${token}: the lab's stand-in for the aws plugin has no such lookup`);
    return { outputs: lookup(plain(inputs) as Properties, readAccount(this.world.lab), region) };
  }

  /** The real plugin says so before anything else. */
  private loggedIn(): void {
    const { AWS_ACCESS_KEY_ID: key, AWS_PROFILE: profile } = this.world.environment;
    if (key || profile) return;
    throw new Error(
      "No valid credential sources found.\nPlease see https://www.pulumi.com/registry/packages/aws/installation-configuration/ for more information about providing credentials.",
    );
  }
}

/** The lab's only region: the SDK tells a provider nothing of its configuration. */
const region = "eu-central-1";

/** The n-th elastic address: of the lab's own network, above those of its hosts, so that it leads to the machine that it is given to. */
function elastic(lab: Lab, n: number): string {
  return `${stateOf(lab).subnet}.${LAST_HOST + 1 + n}`;
}

/** Equal as far as the input goes: what is there may know more of itself. */
function within(old: unknown, wanted: unknown): boolean {
  if (isUnknown(wanted)) return false;
  const [left, right] = [plain(old), plain(wanted)];
  if (typeof right !== "object" || right === null || Array.isArray(right)) return same(left, right);
  return Object.entries(right).every(([key, value]) => within((left as Properties | undefined)?.[key], value));
}

function kindOf(urn: string): Kind {
  return kinds[typeOfAws(urn)] as Kind;
}

function typeOfAws(urn: string): string {
  return typeOf(urn, kinds, "aws");
}
