import { PeerAddress } from "../../../../assembly/ports/peer_address";
import { KeyedHash } from "../../../../assembly/shared/keyed_hash";
import { Client } from "../../../../assembly/steering/clients/client";
import { Handshake } from "../../../../assembly/tls/handshake";
import { ClientHelloBuilder } from "../../support/hello_builder";
import { Bytes } from "../../support/hello_bytes";
import { Watch } from "../../support/hello_watch";
import { Text } from "../../support/sessions";

class FixedAddress extends PeerAddress {
  asked: i32 = 0;

  constructor(private readonly text: string) {
    super();
  }

  read(into: usize, capacity: i32): i32 {
    this.asked++;
    const text = new Text(this.text);
    if (text.length > capacity) return -1;
    memory.copy(into, text.start, text.length);
    return text.length;
  }
}

function hello(sni: string): Handshake {
  const builder = new ClientHelloBuilder().versions(Bytes.of("0304 0303"));
  return new Watch().client(sni.length > 0 ? builder.sni(sni).record() : builder.record()).seen;
}

function secret(key: u64): KeyedHash {
  const hash = new KeyedHash();
  hash.key0 = key;
  hash.key1 = 7;
  return hash;
}

function source(address: string, sni: string = "", key: u64 = 1): u32 {
  return new Client(new FixedAddress(address), secret(key)).source(hello(sni));
}

function network(address: string): u32 {
  return new Client(new FixedAddress(address), secret(1)).network;
}

describe("the source of a connection", () => {
  it("is its address without the port, with the server name", () => {
    const one = source("192.0.2.1:1000", "shop.example");
    expect(source("192.0.2.1:65000", "shop.example")).toBe(one);
    expect(source("192.0.2.11:1000", "shop.example")).not.toBe(one);
    expect(source("192.0.2.1:1000", "news.example")).not.toBe(one);
    expect(source("192.0.2.1:1000")).not.toBe(one);
    expect(source("[2001:db8::1]:1001")).toBe(source("[2001:db8::1]:1000"));
    expect(source("[2001:db8::2]:1000")).not.toBe(source("[2001:db8::1]:1000"));
  });

  it("is hashed with the cache's secret, so that nobody can find another address with the same hash", () => {
    expect(source("192.0.2.1:1000", "", 1)).not.toBe(source("192.0.2.1:1000", "", 2));
  });

  it("is read once, until another connection is at hand", () => {
    const address = new FixedAddress("192.0.2.1:1000");
    const client = new Client(address, secret(1));
    client.source(hello(""));
    expect(client.network).not.toBe(0);
    expect(address.asked).toBe(1);
    client.begin();
    client.source(hello(""));
    expect(address.asked).toBe(2);
  });

  it("is 0 if nobody knows it", () => {
    expect(source("")).toBe(0);
    expect(network("")).toBe(0);
  });
});

describe("the network of a client", () => {
  it("is an address of IPv4, whatever the port", () => {
    expect(network("192.0.2.1:1")).toBe(network("192.0.2.1:2"));
    expect(network("192.0.2.1:1")).not.toBe(network("192.0.2.2:1"));
  });

  it("is the first 64 bits of an address of IPv6", () => {
    expect(network("[2001:db8:1:2:3:4:5:6]:1")).toBe(network("[2001:db8:1:2:ffff::9]:2"));
    expect(network("[2001:db8:1:2::9]:2")).toBe(network("[2001:db8:1:2:3:4:5:6]:1"));
    expect(network("[2001:db8:1:3:3:4:5:6]:1")).not.toBe(network("[2001:db8:1:2:3:4:5:6]:1"));
    expect(network("[2001:db8::1]:1")).toBe(network("[2001:db8::2]:1"));
    expect(network("[2001:db9::1]:1")).not.toBe(network("[2001:db8::1]:1"));
  });
});
