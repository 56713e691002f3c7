// Networks in CIDR form, as firewalls and AWS take them.
import { isIPv4, isIPv6 } from "node:net";
import type { Fault } from "./check";

/** A network in CIDR form as address and length; undefined when it is none. */
export function cidrOf(given: string): { address: string; length: number; six: boolean } | undefined {
  const [address = "", length = "", ...rest] = given.split("/");
  const six = isIPv6(address);
  if (rest.length > 0 || (!six && !isIPv4(address)) || !/^[0-9]{1,3}$/.test(length)) return undefined;
  return Number(length) > (six ? 128 : 32) ? undefined : { address, length: Number(length), six };
}

/** What is wrong with a network that something is opened to; `everybody` is the fault of one that is everybody. */
export function networkFault(given: string, everybody: Fault): Fault | undefined {
  if (isIPv4(given)) return { message: "This is an address without a length.", next: `Write ${given}/32.` };
  if (isIPv6(given)) return { message: "This is an address without a length.", next: `Write ${given}/128.` };
  const cidr = cidrOf(given);
  if (cidr === undefined)
    return { message: "This is not a network in CIDR form.", next: "Write it as 203.0.113.0/24 or 2001:db8::/48." };
  return cidr.length > 0 ? hostBits(cidr) : everybody;
}

/** AWS's provider takes a network by its first address alone. */
function hostBits({ address, length, six }: { address: string; length: number; six: boolean }): Fault | undefined {
  if (six) return undefined;
  const number = address.split(".").reduce((sum, part) => sum * 256 + Number(part), 0);
  const first = number - (number % 2 ** (32 - length));
  if (first === number) return undefined;
  const bytes = [24, 16, 8, 0].map((shift) => Math.floor(first / 2 ** shift) % 256);
  return {
    message: `The address is not the first of its network.`,
    next: `Write ${bytes.join(".")}/${length}, or ${address}/32 for the one address.`,
  };
}
