import { JsonKind } from "../../../../assembly/json/value";
import { Known, Session } from "../../../../assembly/session/record/session";
import { Metric } from "../../../../assembly/session/counting/statistics";
import { idOf, Text } from "../../support/sessions";
import { Client, hexId, READ_TOKEN } from "../../support/admin_client";

const PATH: string = "/v1/sessions/remove";
const KEY: string = "000102030405060708090a0b0c0d0e0f";

describe("removing a selection", () => {
  it("takes what matches every field, each as DELETE does, and leaves the others", () => {
    const client = new Client();
    put(client, 1, '{"sni":"Shop.example","upstream":"10.0.0.7:443","protocol":"TLSv1.2"}');
    put(client, 2, '{"sni":"shop.example","upstream":"10.0.0.8:443","protocol":"TLSv1.2"}');
    put(client, 3, '{"sni":"other.example","upstream":"10.0.0.7:443"}');
    put(client, 4, "{}");
    const answer = client.send("POST", PATH, '{"sni":"SHOP.example","upstream":"10.0.0.7:443"}');
    expect(answer.status).toBe(200);
    expect(answer.bare).toBe('{"removed":1,"handles":1,"dry_run":false}');
    expect(answer.member("enforced_by").kind).toBe(JsonKind.Object);
    expect(answer.member("warning").text.includes("no observer and no guard")).toBe(
      true,
      "here nobody refuses anything",
    );
    expect(statusOf(client, 1)).toBe(410);
    for (let i = 2; i <= 4; i++) expect(statusOf(client, i)).toBe(200);
    expect(client.bench.number()).toBe(3);
    expect(client.bench.count(Metric.REMOVES)).toBe(1);
    expect(client.bench.count(Metric.TOMBSTONES)).toBe(1);
    expect(client.call("GET", "/v1/removed").member("removed").items.length).toBe(1);
    const other = new Client(client.bench.worker());
    expect(statusOf(other, 1)).toBe(410, "in force for all workers when it is answered");
    expect(client.send("POST", PATH, '{"sni":"SHOP.example","upstream":"10.0.0.7:443"}').bare).toBe(
      '{"removed":0,"handles":0,"dry_run":false}',
    );
  });

  it("takes each field by itself, from the body or from the query", () => {
    const queries = [
      "upstream=10.0.0.7:443",
      "upstream=[::FFFF:10.0.0.9]:443",
      "sni=one.example",
      "kind=ticket",
      "kind=psk",
      "protocol=TLSv1.1",
      "issued_before=1790000010",
    ];
    const removed = [2, 1, 1, 1, 1, 1, 4];
    for (let i = 0; i < queries.length; i++) {
      const client = new Client();
      put(client, 1, '{"upstream":"10.0.0.7:443","sni":"one.example"}');
      put(client, 2, '{"upstream":"10.0.0.7:443","kind":"ticket"}');
      put(client, 3, '{"kind":"psk","protocol":"TLSv1.3"}');
      put(client, 4, '{"protocol":"TLSv1.1"}');
      client.bench.clock.advance(10);
      put(client, 5, '{"upstream":"[::ffff:10.0.0.9]:443"}');
      const counted = client.call("POST", PATH + "?dry_run=true&" + queries[i]);
      expect(counted.text).toBe('{"removed":' + removed[i].toString() + ',"dry_run":true}', queries[i]);
      expect(client.bench.number()).toBe(5);
      expect(client.bench.count(Metric.TOMBSTONES)).toBe(0);
      const answer = client.call("POST", PATH + "?" + queries[i]);
      expect(answer.member("removed").number).toBe(removed[i], queries[i]);
      expect(client.bench.number()).toBe(5 - removed[i]);
    }
  });

  it("takes a ticket key's sessions, and what was learned by its acceptance as issued before any time", () => {
    const client = new Client();
    const cache = client.bench.cache;
    cache.readSettings();
    const learned = new Session();
    learned.id = idOf(1);
    learned.idLength = 32;
    const key = heap.alloc(16);
    for (let i: u8 = 0; i < 16; i++) store<u8>(key + i, i);
    learned.ticketKey = key;
    learned.known = Known.TICKET_KEY;
    cache.resume(learned);
    put(client, 2, "{}");
    expect(client.call("POST", PATH + "?dry_run=true&ticket_key=" + KEY.toUpperCase()).member("removed").number).toBe(
      1,
    );
    expect(client.call("POST", PATH + "?dry_run=true&issued_before=1").member("removed").number).toBe(1);
    expect(client.send("POST", PATH, '{"ticket_key":"' + KEY + '"}').member("handles").number).toBe(1);
    expect(client.bench.number()).toBe(1);
  });

  it("takes all handles of a session of which one matches, however many pages they are in", () => {
    const client = new Client();
    const cache = client.bench.cache;
    cache.readSettings();
    const upstream = new Text("10.0.0.7:443");
    for (let i: u32 = 0; i < 300; i++) {
      const handle = new Session();
      handle.idLength = 32;
      handle.session = cache.sessionName(idOf(i), 32);
      handle.known = Known.SESSION | Known.KIND;
      handle.id = idOf(i);
      handle.kind = 1;
      cache.learn(handle);
      handle.id = idOf(1000 + i);
      handle.kind = 2;
      if (i % 3 == 0) {
        handle.known |= Known.UPSTREAM;
        handle.upstream = upstream.start;
        handle.upstreamLength = upstream.length;
      }
      cache.learn(handle);
    }
    expect(client.bench.number()).toBe(600);
    const answer = client.send("POST", PATH, '{"upstream":"10.0.0.7:443"}');
    expect(answer.bare).toBe('{"removed":100,"handles":200,"dry_run":false}');
    expect(client.bench.number()).toBe(400);
    expect(client.bench.count(Metric.REMOVES)).toBe(200);
    for (let i: u32 = 0; i < 300; i++) {
      const gone = i % 3 == 0;
      expect(cache.peek(idOf(i), 32)).toBe(gone ? 3 : 0);
      expect(cache.peek(idOf(1000 + i), 32)).toBe(gone ? 3 : 0);
    }
    // What the servers give a removed session later is refused too.
    const later = new Session();
    later.id = idOf(2000);
    later.idLength = 32;
    later.session = cache.sessionName(idOf(0), 32);
    later.known = Known.SESSION;
    cache.learn(later);
    expect(cache.peek(idOf(2000), 32)).toBe(3);
  });

  it("is refused where a field is not as it has to be, or where none is given: never taken for all", () => {
    const client = new Client();
    put(client, 1, "{}");
    const bodies = [
      '{"upstream":"shop.example:443"}',
      '{"upstream":null}',
      '{"sni":""}',
      '{"kind":"cookie"}',
      '{"protocol":"TLSv1.4"}',
      '{"ticket_key":"ab"}',
      '{"issued_before":0}',
      '{"issued_before":"1790000000"}',
      '{"kind":"id","dry_run":1}',
    ];
    for (let i = 0; i < bodies.length; i++) expect(client.send("POST", PATH, bodies[i]).status).toBe(422, bodies[i]);
    expect(client.call("POST", PATH + "?kind=id&dry_run=yes").status).toBe(422);
    const none = ["{}", '{"dry_run":true}', '{"id":"ab"}', "[]", ""];
    for (let i = 0; i < none.length; i++) expect(client.send("POST", PATH, none[i]).status).toBe(400, none[i]);
    expect(client.call("GET", PATH).status).toBe(405);
    client.authorization = "Bearer " + READ_TOKEN;
    expect(client.send("POST", PATH, '{"kind":"id"}').status).toBe(403);
    expect(client.bench.number()).toBe(1);
  });
});

describe("the lists of what was removed and of ticket keys", () => {
  it("show those of one upstream, or removed for one cause", () => {
    const client = new Client();
    put(client, 1, '{"upstream":"10.0.0.7:443"}');
    put(client, 2, '{"upstream":"10.0.0.8:443"}');
    put(client, 3, '{"upstream":"10.0.0.7:443"}');
    put(client, 4, "{}");
    for (let i = 1; i <= 2; i++) client.call("DELETE", "/v1/sessions/" + hexId(i));
    client.call("POST", "/v1/sessions/flush?before=0");
    expect(removedBy(client, "")).toBe(4);
    expect(removedBy(client, "?upstream=10.0.0.7:443")).toBe(2);
    expect(removedBy(client, "?cause=api")).toBe(2);
    expect(removedBy(client, "?cause=flush&upstream=10.0.0.7:443")).toBe(1);
    expect(client.call("GET", "/v1/removed?cause=none").status).toBe(400);
    expect(client.call("GET", "/v1/removed?upstream=here").status).toBe(400);
    client.call("PUT", "/v1/ticket-keys/" + KEY + "?upstream=10.0.0.9:443");
    expect(client.call("GET", "/v1/ticket-keys?upstream=10.0.0.9:443").member("ticket_keys").items.length).toBe(1);
    expect(client.call("GET", "/v1/ticket-keys?upstream=10.0.0.8:443").member("ticket_keys").items.length).toBe(0);
    expect(client.call("GET", "/v1/ticket-keys?upstream=here").status).toBe(400);
  });
});

describe("the upstreams", () => {
  it("are those that sessions and ticket keys are held of, with how many", () => {
    const client = new Client();
    expect(client.call("GET", "/v1/upstreams").text).toBe('{"upstreams":[],"unknown":0,"others":0}');
    for (let i = 0; i < 30; i++) put(client, i, '{"upstream":"10.0.0.7:443"}');
    put(client, 40, '{"upstream":"[2001:db8::1]:443"}');
    put(client, 41, "{}");
    client.call("PUT", "/v1/ticket-keys/" + KEY + "?upstream=10.0.0.9:443");
    client.call("DELETE", "/v1/sessions/" + hexId(29));
    const upstreams = client.call("GET", "/v1/upstreams");
    expect(upstreams.status).toBe(200);
    expect(upstreams.member("upstreams").items.length).toBe(3);
    expect(upstreams.member("unknown").number).toBe(1);
    const texts = [
      '{"upstream":"10.0.0.7:443","sessions":29,"hits":0,"last_used":null,"ticket_keys":0,"lost":0,"refused":0}',
      '{"upstream":"[2001:db8::1]:443","sessions":1,"hits":0,"last_used":null,"ticket_keys":0,"lost":0,"refused":0}',
      '{"upstream":"10.0.0.9:443","sessions":0,"hits":0,"last_used":null,"ticket_keys":1,"lost":0,"refused":0}',
    ];
    for (let i = 0; i < texts.length; i++) expect(upstreams.text.includes(texts[i])).toBe(true, texts[i]);
  });

  it("are bounded: of more than 1024 the others are counted together", () => {
    const client = new Client();
    for (let i = 0; i < 1100; i++) {
      const address = "10.1." + (i >> 8).toString() + "." + (i & 255).toString() + ":443";
      put(client, i, '{"upstream":"' + address + '"}');
    }
    const upstreams = client.call("GET", "/v1/upstreams");
    expect(upstreams.text.split('{"upstream":').length - 1).toBe(1024);
    expect(upstreams.text.endsWith(',"unknown":0,"others":76}')).toBe(true);
  });
});

function removedBy(client: Client, query: string): i32 {
  return client.call("GET", "/v1/removed" + query).member("removed").items.length;
}

function put(client: Client, number: i32, body: string): void {
  expect(client.send("PUT", "/v1/sessions/" + hexId(number), body).status).toBe(201);
}

function statusOf(client: Client, number: i32): i32 {
  return client.call("GET", "/v1/sessions/" + hexId(number)).status;
}
