import { encodeHex } from "../../../../assembly/bytes/hex";
import { StoreResult } from "../../../../assembly/ports/shared_store";
import { FakeStore } from "../../support/fake_store";
import { Bench, Text } from "../../support/sessions";
import { keyNamesOfOnePage } from "../../support/table_names";
import { Client, READ_TOKEN } from "../../support/admin_client";

const NAME: string = "000102030405060708090a0b0c0d0e0f";
const PATH: string = "/v1/ticket-keys/" + NAME;
const HERE: string = '{"upstream":"10.0.0.7:443"}';

/** A ticket under NAME was seen. */
function learn(client: Client, upstream: string): void {
  const text = new Text(upstream);
  const name = heap.alloc(16);
  for (let i: u8 = 0; i < 16; i++) store<u8>(name + i, i);
  client.bench.cache.ticketKeys.learn(name, text.start, text.length);
}

function keyOf(upstream: string, state: string, tickets: i32, lastUsed: string): string {
  const shown = upstream.length == 0 ? "null" : '"' + upstream + '"';
  const last = ',"tickets":' + tickets.toString() + ',"last_used":' + lastUsed + "}";
  return '{"name":"' + NAME + '","upstream":' + shown + ',"state":"' + state + '"' + last;
}

describe("the list of ticket keys", () => {
  it("is empty before any ticket is seen", () => {
    expect(new Client().call("GET", "/v1/ticket-keys").bare).toBe('{"ticket_keys":[]}');
  });

  it("shows keys that were seen, as shared if several upstreams use one", () => {
    const client = new Client();
    learn(client, "10.0.0.7:443");
    expect(client.call("GET", "/v1/ticket-keys").bare).toBe(
      '{"ticket_keys":[' + keyOf("10.0.0.7:443", "learned", 1, "1790000000") + "]}",
    );
    client.bench.clock.advance(3);
    learn(client, "[2001:db8::1]:443");
    expect(client.call("GET", "/v1/ticket-keys").bare).toBe(
      '{"ticket_keys":[' + keyOf("10.0.0.7:443", "shared", 2, "1790000003") + "]}",
    );
  });

  it("shows every name exactly once", () => {
    const client = new Client();
    for (let i = 0; i < 300; i++) {
      const name = i.toString(16).padStart(32, "0");
      expect(client.send("PUT", "/v1/ticket-keys/" + name, HERE).status).toBe(201);
    }
    const keys = client.call("GET", "/v1/ticket-keys").member("ticket_keys").items;
    const names: string[] = [];
    for (let i = 0; i < keys.length; i++) names.push(keys[i].member("name")!.text);
    names.sort();
    expect(names.length).toBe(300);
    for (let i = 0; i < 300; i++) expect(names[i]).toBe(i.toString(16).padStart(32, "0"));
  });

  it("is 503 if one page of it cannot be read", () => {
    const store = new HalfBrokenStore();
    const client = new Client(new Bench(store));
    client.send("PUT", PATH, HERE);
    store.readsLeft = 30;
    const answer = client.call("GET", "/v1/ticket-keys");
    expect(answer.status).toBe(503);
    expect(answer.header("retry-after")).toBe("1");
    expect(answer.header("content-type")).toBe("application/problem+json");
    store.readsLeft = i32.MAX_VALUE;
    expect(client.call("GET", "/v1/ticket-keys").status).toBe(200);
  });
});

describe("a ticket key that is configured", () => {
  it("is added, then identical, then replaced", () => {
    const client = new Client();
    const told = keyOf("10.0.0.7:443", "configured", 0, "null");
    const added = client.send("PUT", PATH, HERE);
    expect(added.status).toBe(201);
    expect(added.bare).toBe('{"result":1,"outcome":"added","ticket_key":' + told + "}");
    const again = client.send("PUT", PATH, HERE);
    expect(again.status).toBe(200);
    expect(again.bare).toBe('{"result":0,"outcome":"identical","ticket_key":' + told + "}");
    const replaced = client.send("PUT", PATH, '{"upstream":"10.0.0.8:443"}');
    expect(replaced.status).toBe(200);
    expect(replaced.bare).toBe(
      '{"result":1,"outcome":"replaced","ticket_key":' + keyOf("10.0.0.8:443", "configured", 0, "null") + "}",
    );
    expect(client.call("GET", "/v1/ticket-keys").bare).toBe(
      '{"ticket_keys":[' + keyOf("10.0.0.8:443", "configured", 0, "null") + "]}",
    );
  });

  it("replaces a key that was seen", () => {
    const client = new Client();
    learn(client, "10.0.0.7:443");
    expect(client.send("PUT", PATH, HERE).bare).toBe(
      '{"result":1,"outcome":"replaced","ticket_key":' + keyOf("10.0.0.7:443", "configured", 1, "1790000000") + "}",
    );
  });

  it("has its upstream in Envoy's spelling", () => {
    const client = new Client();
    client.send("PUT", PATH, '{"upstream":"[2001:DB8:0:0::1]:443"}');
    const again = client.send("PUT", PATH, '{"upstream":"[2001:db8::1]:443"}');
    expect(again.member("outcome").text).toBe("identical");
    expect(again.member("ticket_key").member("upstream")!.text).toBe("[2001:db8::1]:443");
  });

  it("is 422 if the upstream is not an address", () => {
    const client = new Client();
    const values = ["null", "7", '""', '"shop.example:443"', '"10.0.0.7"', '"10.0.0.7:0"', '["10.0.0.7:443"]', "{}"];
    for (let i = 0; i < values.length; i++) {
      const answer = client.send("PUT", PATH, '{"upstream":' + values[i] + "}");
      expect(answer.status).toBe(422, values[i]);
      expect(answer.detail.startsWith("upstream: ")).toBeTruthy();
    }
    expect(client.call("GET", "/v1/ticket-keys").bare).toBe('{"ticket_keys":[]}');
  });
});

describe("a ticket key that is removed", () => {
  it("gets the same response whether it was known or not", () => {
    const client = new Client();
    const answer = client.call("DELETE", PATH);
    expect(answer.status).toBe(200);
    expect(answer.bare).toBe('{"result":1,"outcome":"removed"}');
    expect(client.call("GET", "/v1/ticket-keys").bare).toBe(
      '{"ticket_keys":[' + keyOf("", "removed", 0, "null") + "]}",
    );
  });

  it("comes with a note if servers may go on issuing under it", () => {
    const client = new Client();
    client.send("PUT", PATH, HERE);
    const note = client.call("DELETE", PATH).member("note").text;
    expect(note.includes("change the server's ticket key first")).toBe(true);
    expect(note.includes("\n")).toBe(false);
  });

  it("is not found the second time, and stays as it was removed first", () => {
    const client = new Client();
    learn(client, "10.0.0.7:443");
    client.call("DELETE", PATH);
    const before = client.call("GET", "/v1/ticket-keys").text;
    client.bench.clock.advance(9);
    const again = client.call("DELETE", PATH);
    expect(again.status).toBe(404);
    expect(again.bare).toBe('{"result":0,"outcome":"not_found"}');
    expect(client.call("GET", "/v1/ticket-keys").bare).toBe(before);
  });

  it("is lifted without an upstream, for all workers: it is as it was learned, and steered by", () => {
    const client = new Client();
    const other = new Client(client.bench.worker());
    learn(client, "10.0.0.7:443");
    client.call("DELETE", PATH);
    expect(other.call("GET", "/v1/ticket-keys").text.includes('"state":"removed"')).toBe(true);
    const lifted = other.call("PUT", PATH);
    expect(lifted.status).toBe(200);
    const key = keyOf("10.0.0.7:443", "learned", 1, "1790000000");
    expect(lifted.bare).toBe('{"result":1,"outcome":"lifted","ticket_key":' + key + "}");
    expect(client.call("GET", "/v1/ticket-keys").bare).toBe('{"ticket_keys":[' + key + "]}");
    expect(client.send("PUT", PATH, "{}").bare).toBe('{"result":0,"outcome":"identical","ticket_key":' + key + "}");
  });

  it("is forgotten when it is lifted and was never seen", () => {
    const client = new Client();
    client.call("DELETE", PATH);
    expect(client.call("PUT", PATH).bare).toBe('{"result":1,"outcome":"lifted","ticket_key":null}');
    expect(client.call("GET", "/v1/ticket-keys").bare).toBe('{"ticket_keys":[]}');
    const again = client.call("PUT", PATH);
    expect(again.status).toBe(404);
    expect(again.bare).toBe('{"result":0,"outcome":"not_found"}');
  });

  it("is configured without a body, too", () => {
    const client = new Client();
    const told = client.call("PUT", PATH + "?upstream=10.0.0.7:443");
    expect(told.status).toBe(201);
    expect(told.member("ticket_key").member("upstream")!.text).toBe("10.0.0.7:443");
    expect(client.call("PUT", PATH + "?upstream=").status).toBe(422);
    expect(client.call("PUT", PATH + "?upstream=shop.example:443").status).toBe(422);
    expect(client.call("PUT", PATH + "?state=removed").status).toBe(400);
    expect(client.call("DELETE", PATH + "?upstream=10.0.0.7:443").status).toBe(400);
  });

  it("is lifted by PUT, for all workers", () => {
    const client = new Client();
    const other = new Client(client.bench.worker());
    client.send("PUT", PATH, HERE);
    client.call("DELETE", PATH);
    expect(other.call("GET", "/v1/ticket-keys").text.includes('"state":"removed"')).toBeTruthy();
    const lifted = other.send("PUT", PATH, HERE);
    expect(lifted.status).toBe(200);
    expect(lifted.member("outcome").text).toBe("replaced");
    expect(client.call("GET", "/v1/ticket-keys").text.includes('"state":"configured"')).toBeTruthy();
  });

  it("is 503 if there is no room for another one", () => {
    const client = new Client();
    const names = keyNamesOfOnePage(100);
    for (let i = 0; i < names.length; i++) client.bench.cache.ticketKeys.remove(names[i]);
    const answer = client.call("DELETE", "/v1/ticket-keys/" + hex(names[99]));
    expect(answer.status).toBe(503);
    expect(answer.header("retry-after")).toBe("1");
    expect(client.send("PUT", "/v1/ticket-keys/" + hex(names[99]), HERE).status).toBe(503);
    expect(client.call("DELETE", "/v1/ticket-keys/" + hex(names[0])).status).toBe(404);
  });
});

describe("the name of a ticket key in a path", () => {
  it("is 32 hexadecimal digits in either case", () => {
    const client = new Client();
    expect(client.send("PUT", "/v1/ticket-keys/" + NAME.toUpperCase(), HERE).status).toBe(201);
    expect(client.send("PUT", PATH, HERE).member("outcome").text).toBe("identical");
    const wrong = [
      "0",
      NAME.substring(1),
      NAME.substring(2),
      NAME + "0",
      NAME + "00",
      NAME.substring(1) + "g",
      NAME.substring(1) + "\u00e9",
      NAME.substring(2) + "\u00e9",
      "0x" + NAME.substring(2),
      "%30" + NAME.substring(3),
    ];
    for (let i = 0; i < wrong.length; i++) {
      expect(client.send("PUT", "/v1/ticket-keys/" + wrong[i], HERE).status).toBe(400, wrong[i]);
      expect(client.call("DELETE", "/v1/ticket-keys/" + wrong[i]).status).toBe(400, wrong[i]);
    }
  });

  it("may not be changed with a token that may only read", () => {
    const client = new Client();
    client.authorization = "Bearer " + READ_TOKEN;
    expect(client.send("PUT", PATH, HERE).status).toBe(403);
    expect(client.call("DELETE", PATH).status).toBe(403);
    expect(client.call("GET", "/v1/ticket-keys").bare).toBe('{"ticket_keys":[]}');
  });
});

/** Of which the later reads fail. */
class HalfBrokenStore extends FakeStore {
  readsLeft: i32 = i32.MAX_VALUE;

  read(key: usize, keyLength: i32, into: usize, capacity: i32): StoreResult {
    if (this.readsLeft <= 0) return StoreResult.Failed;
    this.readsLeft--;
    return super.read(key, keyLength, into, capacity);
  }
}

function hex(name: usize): string {
  const text = new ArrayBuffer(32);
  encodeHex(name, 16, changetype<usize>(text));
  return String.UTF8.decode(text);
}
