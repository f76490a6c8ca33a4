/** The network between the proxies of the soak and the nodes of etcd: a relay for each proxy and node. */
import type { Random } from "../../support/random.ts";
import { Relay, type RelayState } from "../../support/relay.ts";

export class Network {
  private readonly relays = new Map<string, Relay[]>();

  static async start(etcd: string[], proxies: string[], random: Random): Promise<Network> {
    const network = new Network();
    for (const proxy of proxies) {
      network.relays.set(proxy, await Promise.all(etcd.map((address) => Relay.start(address, random))));
    }
    return network;
  }

  /** The addresses of etcd for a proxy. */
  addressesFor(proxy: string): string[] {
    return (this.relays.get(proxy) ?? []).map(({ address }) => address);
  }

  /** Of one proxy. */
  set(proxy: string, state: RelayState): void {
    for (const relay of this.relays.get(proxy) ?? []) relay.set(state);
  }

  /** How often bytes or connections of a proxy have suffered. */
  disturbed(proxy: string): number {
    return (this.relays.get(proxy) ?? []).reduce((total, { did }) => total + did.cut + did.delayed, 0);
  }

  /** What was done to connections of all proxies. */
  get did(): Record<string, number> {
    const all = [...this.relays.values()].flat();
    const sum = (part: "carried" | "cut" | "delayed"): number => all.reduce((total, { did }) => total + did[part], 0);
    return { "connections carried": sum("carried"), cut: sum("cut"), "pieces delayed": sum("delayed") };
  }

  async stop(): Promise<void> {
    await Promise.all([...this.relays.values()].flat().map(async (relay) => relay.stop()));
  }
}
