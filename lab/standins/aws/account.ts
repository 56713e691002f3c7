/**
 * The account of the lab's AWS: what there is, in a file of the lab's folder, so that a read finds what was changed behind Pulumi's back. A test
 * plays the account by the functions at the end.
 */
import { randomBytes } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { delimiter, join } from "node:path";
import { standinsFolder } from "../../engine/standins";
import { hostDown } from "../../hosts";
import { writeWhole, type Lab } from "../../places";

/** A thing that AWS knows, by its id. */
export interface Thing {
  /** The resource's type, `aws:ec2/instance:Instance`. */
  readonly type: string;
  readonly properties: Record<string, unknown>;
}

/** An image that instances can be made of. */
export interface Image {
  readonly id: string;
  readonly name: string;
  readonly owner: string;
  readonly architecture: "arm64" | "x86_64";
  readonly creationDate: string;
}

/** All of it. */
export interface Account {
  things: Record<string, Thing>;
  images: Image[];
  /** Zones without room for another instance. */
  full: string[];
}

/** The account that Debian publishes from. */
export const debian = "136693071363";

/**
 * What a shell has in which `pulumi` meets this stand-in and nothing else, also where the real plugin is installed: a plugin in PATH is taken before
 * any other. Should another one run all the same, it is told a place where nobody answers.
 */
export function awsEnvironment(lab: Lab): Record<string, string> {
  return {
    PATH: [join(standinsFolder, "aws"), process.env["PATH"] ?? ""].join(delimiter),
    SOFTMAP_AWS_LAB: lab.name,
    AWS_ACCESS_KEY_ID: "AKIALABLABLABLABLAB0",
    AWS_SECRET_ACCESS_KEY: "nobodys",
    AWS_ENDPOINT_URL: "http://127.0.0.1:9",
    AWS_EC2_METADATA_DISABLED: "true",
  };
}

/** The zones of every region, by their letter. */
export const letters = ["a", "b", "c"];

/** EC2's id of a new thing: `vpc-0` and 16 hex digits. */
export function newId(prefix: string): string {
  return `${prefix}-0${randomBytes(8).toString("hex")}`;
}

function image(release: number, architecture: Image["architecture"], day: string): Image {
  const name = `debian-${release}-${architecture === "arm64" ? "arm64" : "amd64"}-${day}-1234`;
  const creationDate = `${day.slice(0, 4)}-${day.slice(4, 6)}-${day.slice(6)}T00:00:00.000Z`;
  return { id: newId("ami"), name, owner: debian, architecture, creationDate };
}

const fileOf = (lab: Lab): string => join(lab.dir, "aws.json");

/** The account as it is; a new one has Debian's images and nothing else. */
export function readAccount(lab: Lab): Account {
  const file = fileOf(lab);
  if (existsSync(file)) return JSON.parse(readFileSync(file, "utf8")) as Account;
  const images = ([12, 13] as const).flatMap((release) => [
    image(release, "arm64", "20261001"),
    image(release, "x86_64", "20261001"),
  ]);
  const account = { things: {}, images, full: [] };
  // Its images have ids now.
  write(lab, account);
  return account;
}

function write(lab: Lab, account: Account): void {
  writeWhole(fileOf(lab), JSON.stringify(account, null, 2) + "\n");
}

/** Reads, changes and writes in one go: nothing of this process comes between. */
export function change<T>(lab: Lab, work: (account: Account) => T): T {
  const account = readAccount(lab);
  const result = work(account);
  write(lab, account);
  return result;
}

/** All things of a type, by id. */
export function thingsOf({ things }: Account, type: string): [id: string, properties: Record<string, unknown>][] {
  return Object.entries(things).flatMap(([id, thing]) => (thing.type === type ? [[id, thing.properties]] : []));
}

export const instanceType = "aws:ec2/instance:Instance";

/** An instance, as a test looks at it. */
export interface LabInstance {
  readonly id: string;
  readonly state: string;
  readonly zone: string;
  readonly tags: Record<string, string>;
}

/** Every instance that is not gone. */
export function instancesOf(lab: Lab): LabInstance[] {
  return thingsOf(readAccount(lab), instanceType).map(([id, properties]) => ({
    id,
    state: String(properties["instanceState"]),
    zone: String(properties["availabilityZone"]),
    tags: (properties["tags"] ?? {}) as Record<string, string>,
  }));
}

/** Somebody terminates an instance in AWS's console. */
export async function terminateByHand(lab: Lab, id: string): Promise<void> {
  await hostDown(lab, id);
  change(lab, ({ things }) => delete things[id]);
}

/** From now on a zone has no room. */
export function fillZone(lab: Lab, zone: string): void {
  change(lab, ({ full }) => full.push(zone));
}

/** Debian publishes a newer image of its release 12. @returns its id */
export function newImage(lab: Lab, architecture: Image["architecture"] = "arm64"): string {
  const newer = image(12, architecture, "20261120");
  change(lab, ({ images }) => images.push(newer));
  return newer.id;
}
