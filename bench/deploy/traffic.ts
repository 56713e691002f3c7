import { runAsRoot } from "../../lab/run";

/** Bytes of IP packets. */
export interface Bytes {
  readonly sent: number;
  readonly received: number;
}

/** Where the deployer's packets pass: the machine itself, or a network namespace. */
export type Place = readonly string[];

/** Counts what this place sends to the hosts' ssh and gets from it. Loading it again begins at 0. */
export function counterRules(table: string, subnet: string): string {
  return `table inet ${table} { }
delete table inet ${table}
table inet ${table} {
  counter sent { }
  counter received { }
  chain out {
    type filter hook output priority 0; policy accept;
    ip daddr ${subnet}.0/24 tcp dport 22 counter name sent
  }
  chain in {
    type filter hook input priority 0; policy accept;
    ip saddr ${subnet}.0/24 tcp sport 22 counter name received
  }
}
`;
}

/** `nft -j list counters` of that table. */
export function countersOf(json: string): Bytes {
  const { nftables } = JSON.parse(json) as { nftables: { counter?: { name: string; bytes: number } }[] };
  const bytes = (name: string): number => {
    const found = nftables.find(({ counter }) => counter?.name === name)?.counter;
    if (found === undefined) throw new Error(`nft has no counter "${name}"`);
    return found.bytes;
  };
  return { sent: bytes("sent"), received: bytes("received") };
}

/** The counters of one lab, in an nft table of their own. */
export class Traffic {
  constructor(
    private readonly table: string,
    private readonly subnet: string,
    private readonly place: Place,
  ) {}

  async begin(): Promise<void> {
    await runAsRoot([...this.place, "nft", "-f", "-"], { input: counterRules(this.table, this.subnet) });
  }

  async read(): Promise<Bytes> {
    return countersOf((await runAsRoot([...this.place, "nft", "-j", "list", "table", "inet", this.table])).text);
  }

  async end(): Promise<void> {
    await runAsRoot([...this.place, "nft", "delete", "table", "inet", this.table], { mayFail: true });
  }
}
