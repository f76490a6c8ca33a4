import { PeerAddress } from "../../../../assembly/ports/peer_address";
import { Client } from "../../../../assembly/steering/clients/client";
import { Cause, Sparing } from "../../../../assembly/steering/load/sparing";
import { Bench, Text } from "../../support/sessions";

class NumberedAddress extends PeerAddress {
  number: i32 = 0;

  read(into: usize, capacity: i32): i32 {
    const text = new Text("10.2.0." + this.number.toString() + ":4433");
    memory.copy(into, text.start, text.length);
    return text.length;
  }
}

class Clients {
  readonly sparing: Sparing;
  private readonly address: NumberedAddress;
  private readonly client: Client;

  constructor() {
    const address = new NumberedAddress();
    const client = new Client(address, new Bench().cache.hash);
    this.address = address;
    this.client = client;
    this.sparing = new Sparing(client);
  }

  come(number: i32): Sparing {
    this.address.number = number;
    this.client.begin();
    return this.sparing;
  }
}

describe("full handshakes that steering causes", () => {
  it("fall on clients that have not had one yet", () => {
    const clients = new Clients();
    clients.come(1).noteMiss();
    expect(clients.come(1).passOver(Cause.Move)).toBe(true);
    expect(clients.come(2).passOver(Cause.Move)).toBe(false);
    expect(clients.come(1).passOver(Cause.Question)).toBe(true, "for whatever reason");
  });

  it("fall on a client again when sixteen in a row have been passed over, for each cause by itself", () => {
    const clients = new Clients();
    clients.come(1).noteMiss();
    for (let i = 0; i < 16; i++) expect(clients.come(1).passOver(Cause.Try)).toBe(true);
    expect(clients.come(1).passOver(Cause.Move)).toBe(true);
    expect(clients.come(1).passOver(Cause.Try)).toBe(false);
    expect(clients.come(1).passOver(Cause.Try)).toBe(true, "counting starts again");
  });

  it("may fall on all again when another upstream is away", () => {
    const clients = new Clients();
    clients.come(1).noteMiss();
    clients.sparing.begin();
    expect(clients.come(1).passOver(Cause.Move)).toBe(false);
  });
});
