import { JsonKind } from "../../../../assembly/json/value";
import { StoreResult } from "../../../../assembly/ports/shared_store";
import { Cause, Known, Kind, Session } from "../../../../assembly/session/record/session";
import { Metric } from "../../../../assembly/session/counting/statistics";
import { FakeStore } from "../../support/fake_store";
import { Bench, idOf, session, Text } from "../../support/sessions";
import { Answer, Client, hexId } from "../../support/admin_client";

const PATH: string = "/v1/sessions/" + hexId(1);

/** The session of an answer to PUT, as text. */
function fieldOf(answer: Answer, name: string): string {
  const value = answer.member("session").member(name)!;
  if (value.kind == JsonKind.Null) return "null";
  return value.kind == JsonKind.Number ? value.number.toString() : value.text;
}

describe("PUT of a session", () => {
  it("adds, does nothing if it is identical, and replaces if it differs", () => {
    const client = new Client();
    const body = '{"sni":"shop.example","timeout":60}';
    const added = client.send("PUT", PATH, body);
    expect(added.status).toBe(201);
    expect(
      added.text.startsWith('{"result":1,"outcome":"added","session":{"id":"' + hexId(1) + '","kind":"id",'),
    ).toBeTruthy();

    const identical = client.send("PUT", PATH, body);
    expect(identical.status).toBe(200);
    expect(identical.text.startsWith('{"result":0,"outcome":"identical","session":{')).toBeTruthy();
    expect(client.call("PUT", PATH).member("outcome").text).toBe("identical", "no body gives no field");
    expect(client.send("PUT", PATH, "{}").member("outcome").text).toBe("identical");

    const replaced = client.send("PUT", PATH, '{"timeout":61}');
    expect(replaced.status).toBe(200);
    expect(replaced.text.startsWith('{"result":1,"outcome":"replaced","session":{')).toBeTruthy();
    expect(fieldOf(replaced, "sni")).toBe("shop.example", "what is not given stays");
    expect(fieldOf(replaced, "timeout")).toBe("61");
    expect(client.bench.number()).toBe(1);
  });

  it("shows every field, unknown ones as null", () => {
    const client = new Client();
    const answer = client.send("PUT", "/v1/sessions/9F3C", "{}");
    expect(answer.member("session").names.join(" ")).toBe(
      "id kind protocol cipher sni upstream ticket_key session time issued timeout last_used hits origin",
    );
    expect(client.call("GET", "/v1/sessions/9f3c").bare).toBe(
      '{"id":"9f3c","kind":"id","protocol":null,"cipher":null,"sni":null,"upstream":null,"ticket_key":null,' +
        '"session":null,"time":1790000000,"issued":1790000000,"timeout":7200,"last_used":null,"hits":0,"origin":"api"}',
    );
  });

  it("takes every field", () => {
    const client = new Client();
    client.send(
      "PUT",
      PATH,
      '{"kind":"psk","protocol":"TLSv1.3","cipher":"TLS_AES_128_GCM_SHA256","sni":"Shop.Example",' +
        '"upstream":"[2001:DB8::1]:443","timeout":2147483647}',
    );
    expect(client.call("GET", PATH).bare).toBe(
      '{"id":"' +
        hexId(1) +
        '","kind":"psk","protocol":"TLSv1.3","cipher":"TLS_AES_128_GCM_SHA256","sni":"Shop.Example",' +
        '"upstream":"[2001:db8::1]:443","ticket_key":null,"session":null,"time":1790000000,"issued":1790000000,' +
        '"timeout":2147483647,"last_used":null,"hits":0,"origin":"api"}',
    );
  });

  it("takes any cipher suite by number, and shows the name if there is one", () => {
    const client = new Client();
    expect(fieldOf(client.send("PUT", PATH, '{"cipher":"0xC02C"}'), "cipher")).toBe(
      "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384",
    );
    expect(fieldOf(client.send("PUT", PATH, '{"cipher":"0xFEFE"}'), "cipher")).toBe("0xfefe");
  });

  it("takes all protocols", () => {
    const client = new Client();
    const names = ["SSLv3", "TLSv1", "TLSv1.1", "TLSv1.2", "TLSv1.3"];
    for (let i = 0; i < names.length; i++) {
      const answer = client.send("PUT", PATH, '{"protocol":"' + names[i] + '"}');
      expect(fieldOf(answer, "protocol")).toBe(names[i]);
    }
  });

  it("makes a field unknown by null", () => {
    const client = new Client();
    client.send("PUT", PATH, '{"protocol":"TLSv1.2","cipher":"0x002f","sni":"a","upstream":"10.0.0.1:1"}');
    const names = ["protocol", "cipher", "sni", "upstream"];
    for (let i = 0; i < names.length; i++) {
      const answer = client.send("PUT", PATH, '{"' + names[i] + '":null}');
      expect(answer.member("outcome").text).toBe("replaced");
      expect(fieldOf(answer, names[i])).toBe("null");
      expect(client.send("PUT", PATH, '{"' + names[i] + '":null}').member("outcome").text).toBe("identical");
    }
  });

  it("is 422 and stores nothing if a value is of the wrong type or out of its range", () => {
    const client = new Client();
    const bodies = [
      '{"kind":null}',
      '{"kind":"ID"}',
      '{"kind":1}',
      '{"protocol":"TLS1.2"}',
      '{"protocol":"tlsv1.2"}',
      '{"protocol":771}',
      '{"cipher":"AES128-SHA"}',
      '{"cipher":"0x13"}',
      '{"cipher":4865}',
      '{"sni":""}',
      '{"sni":"' + "a".repeat(256) + '"}',
      '{"sni":"' + "é".repeat(128) + '"}',
      '{"sni":["a"]}',
      '{"upstream":"shop.example:443"}',
      '{"upstream":"10.0.0.1"}',
      '{"upstream":"10.0.0.1:0"}',
      '{"upstream":"10.0.0.1:65536"}',
      '{"upstream":""}',
      '{"timeout":0}',
      '{"timeout":-1}',
      '{"timeout":1.5}',
      '{"timeout":2147483648}',
      '{"timeout":1e99}',
      '{"timeout":"60"}',
      '{"timeout":null}',
      '{"timeout":true}',
      '{"sni":"a","timeout":0}',
    ];
    for (let i = 0; i < bodies.length; i++) {
      const answer = client.send("PUT", PATH, bodies[i]);
      expect(answer.status).toBe(422, bodies[i]);
      const colon = bodies[i].indexOf('"', 2);
      if (i + 1 < bodies.length)
        expect(answer.detail.startsWith(bodies[i].substring(2, colon) + ": ")).toBeTruthy(answer.detail);
      expect(answer.detail.includes("expected")).toBeTruthy();
    }
    expect(client.bench.number()).toBe(0);
    expect(client.send("PUT", PATH, '{"sni":"' + "é".repeat(127) + 'a"}').status).toBe(201);
  });

  it("reports an unknown field before a wrong value", () => {
    expect(new Client().send("PUT", PATH, '{"timeout":0,"hits":1}').status).toBe(400);
  });

  it("lifts a removal", () => {
    const client = new Client();
    client.call("DELETE", PATH);
    expect(client.call("GET", PATH).status).toBe(410);
    expect(client.send("PUT", PATH, "").status).toBe(201);
    expect(client.call("GET", PATH).status).toBe(200);
  });
});

describe("a session ID", () => {
  it("has 1 to 32 bytes, in either case on input and lower case on output", () => {
    const client = new Client();
    expect(client.call("PUT", "/v1/sessions/aB").status).toBe(201);
    expect(client.call("GET", "/v1/sessions/Ab").member("id").text).toBe("ab");
    expect(client.call("PUT", "/v1/sessions/" + "F".repeat(64)).status).toBe(201);
    expect(client.call("GET", "/v1/sessions/" + "f".repeat(64)).member("id").text).toBe("f".repeat(64));
  });

  it("that is malformed is 400", () => {
    const client = new Client();
    const ids = [
      "a",
      "abc",
      "zz",
      "0x12",
      "a".repeat(63),
      "a".repeat(65),
      "a".repeat(66),
      "%61%62",
      "ab ",
      "éé",
      "flus",
      "-1",
    ];
    const methods = ["GET", "PUT", "DELETE", "HEAD"];
    for (let i = 0; i < ids.length; i++) {
      for (let j = 0; j < methods.length; j++) {
        const answer = client.call(methods[j], "/v1/sessions/" + ids[i]);
        expect(answer.status).toBe(400, ids[i]);
        expect(answer.detail.includes("2 to 64 hexadecimal digits")).toBeTruthy();
      }
    }
  });
});

describe("GET of a session", () => {
  it("differs between never seen, expired and removed", () => {
    const client = new Client();
    const never = client.call("GET", PATH);
    expect(never.status).toBe(404);
    expect(never.detail.includes("holds no session of this ID")).toBeTruthy();

    client.send("PUT", PATH, '{"timeout":10}');
    client.bench.clock.advance(10);
    expect(client.call("GET", PATH).status).toBe(200, "the last second of its life");
    client.bench.clock.advance(1);
    const expired = client.call("GET", PATH);
    expect(expired.status).toBe(404);
    expect(expired.detail.includes("expired")).toBeTruthy();

    client.call("DELETE", PATH);
    const removed = client.call("GET", PATH);
    expect(removed.status).toBe(410);
    expect(removed.detail.includes("still refused")).toBeTruthy();
  });

  it("counts nothing", () => {
    const client = new Client();
    client.call("GET", PATH);
    client.call("PUT", PATH);
    client.call("GET", PATH);
    expect(client.bench.count(Metric.HITS)).toBe(0);
    expect(client.bench.count(Metric.MISSES)).toBe(0);
    expect(client.call("GET", PATH).member("hits").number).toBe(0);
  });

  it("shows observed values, and no server name can break out of its string", () => {
    const client = new Client();
    const sni = new Text('a"},{"b\n');
    const upstream = new Text("10.0.0.7:443");
    const observed = session(1);
    observed.kind = Kind.TICKET;
    observed.protocol = 0x0303;
    observed.cipher = 0xc02f;
    observed.sni = sni.start;
    observed.sniLength = sni.length;
    observed.upstream = upstream.start;
    observed.upstreamLength = upstream.length;
    observed.ticketKey = idOf(2);
    observed.known = Known.KIND | Known.PROTOCOL | Known.CIPHER | Known.SNI | Known.UPSTREAM | Known.TICKET_KEY;
    client.bench.cache.learn(observed);
    client.bench.clock.advance(5);
    client.bench.cache.resume(observed);
    const answer = client.call("GET", "/v1/sessions/00000001" + "a5".repeat(28));
    expect(answer.member("kind").text).toBe("ticket");
    expect(answer.member("protocol").text).toBe("TLSv1.2");
    expect(answer.member("cipher").text).toBe("TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256");
    expect(answer.member("sni").text).toBe('a"},{"b\n');
    expect(answer.member("upstream").text).toBe("10.0.0.7:443");
    expect(answer.member("ticket_key").text).toBe("00000002" + "a5".repeat(12));
    expect(answer.member("time").number).toBe(1790000000);
    expect(answer.member("last_used").number).toBe(1790000005);
    expect(answer.member("hits").number).toBe(1);
    expect(answer.member("origin").text).toBe("observed");
    expect(answer.json.names.length).toBe(14);
  });
});

describe("DELETE of a session", () => {
  it("removes a held session once, and refuses it from then on", () => {
    const client = new Client();
    client.call("PUT", PATH);
    const removed = client.call("DELETE", PATH);
    expect(removed.status).toBe(200);
    expect(removed.bare).toBe('{"result":1,"outcome":"removed","handles":1}');
    const again = client.call("DELETE", PATH);
    expect(again.status).toBe(404);
    expect(again.bare).toBe('{"result":0,"outcome":"not_found","handles":0}');
    expect(again.header("content-type")).toBe("application/json");
    expect(client.call("GET", PATH).status).toBe(410);
  });

  it("refuses a session that was never held", () => {
    const client = new Client();
    expect(client.call("DELETE", PATH).bare).toBe('{"result":0,"outcome":"not_found","handles":0}');
    expect(client.call("GET", PATH).status).toBe(410);
  });
});

describe("a session of several handles", () => {
  it("is one session by its name, and DELETE of any handle removes them all and counts them", () => {
    const client = new Client();
    const name = issueThree(client);
    for (let handle = 1; handle <= 3; handle++) {
      expect(client.call("GET", "/v1/sessions/" + hexOf(handle)).member("session").text).toBe(name);
    }
    expect(name.length).toBe(16);
    const removed = client.call("DELETE", "/v1/sessions/" + hexOf(2));
    expect(removed.status).toBe(200);
    expect(removed.bare).toBe('{"result":1,"outcome":"removed","handles":3}');
    for (let handle = 1; handle <= 3; handle++) {
      expect(client.call("GET", "/v1/sessions/" + hexOf(handle)).status).toBe(410);
      expect(client.call("DELETE", "/v1/sessions/" + hexOf(handle)).bare).toBe(
        '{"result":0,"outcome":"not_found","handles":0}',
      );
    }
    expect(client.bench.number()).toBe(0);
    expect(client.call("GET", "/v1/removed").member("removed").items.length).toBe(3);
    expect(client.bench.count(Metric.REMOVES)).toBe(3);
  });

  it("is refused before the response to DELETE, and PUT lifts one of its handles alone", () => {
    const client = new Client();
    issueThree(client);
    client.bench.cache.remove(idOf(1), 32, Cause.API);
    expect(client.call("GET", "/v1/sessions/" + hexOf(3)).status).toBe(410);
    const lifted = client.call("PUT", "/v1/sessions/" + hexOf(3));
    expect(lifted.status).toBe(201);
    expect(lifted.member("outcome").text).toBe("added");
    expect(lifted.member("session").member("session")!.kind).toBe(JsonKind.Null);
    expect(client.call("GET", "/v1/sessions/" + hexOf(3)).status).toBe(200);
    expect(client.call("GET", "/v1/sessions/" + hexOf(2)).status).toBe(410);
  });

  it("is 503 if only a part of its handles could be removed, and goes on at the next call", () => {
    const store = new LateStore();
    const client = new Client(new Bench(store));
    issueThree(client);
    // The name and the handle itself, each with the number of sessions held; then the others.
    store.conflictsFrom = store.writes + 4;
    const answer = client.call("DELETE", "/v1/sessions/" + hexOf(1));
    store.conflictsFrom = i32.MAX_VALUE;
    expect(answer.status).toBe(503);
    expect(client.call("GET", "/v1/sessions/" + hexOf(2)).status).toBe(410, "refused all the same");
    expect(client.call("DELETE", "/v1/sessions/" + hexOf(1)).bare).toBe(
      '{"result":0,"outcome":"not_found","handles":2}',
    );
  });

  it("is removed at once if it has one handle only", () => {
    const client = new Client();
    client.call("PUT", PATH);
    expect(client.call("DELETE", PATH).slices).toBe(0);
  });
});

describe("a session that was learned by its acceptance", () => {
  it("has a time and no time of issue, until it is replaced by hand", () => {
    const client = new Client();
    client.bench.cache.readSettings();
    client.bench.cache.resume(session(5));
    const seen = client.call("GET", "/v1/sessions/" + hexOf(5));
    expect(seen.member("issued").kind).toBe(JsonKind.Null);
    expect(seen.member("time").number).toBe(1790000000);
    client.bench.clock.advance(9);
    const same = client.call("PUT", "/v1/sessions/" + hexOf(5));
    expect(same.member("outcome").text).toBe("identical");
    expect(same.member("session").member("issued")!.kind).toBe(JsonKind.Null);
    const put = client.send("PUT", "/v1/sessions/" + hexOf(5), '{"timeout":600}');
    expect(put.member("outcome").text).toBe("replaced");
    expect(put.member("session").member("issued")!.number).toBe(1790000009);
  });
});

/** From a number of writes on, others always come first. */
class LateStore extends FakeStore {
  conflictsFrom: i32 = i32.MAX_VALUE;

  replace(key: usize, keyLength: i32, value: usize, valueLength: i32, mark: u32): StoreResult {
    this.alwaysConflicts = this.writes >= this.conflictsFrom;
    return super.replace(key, keyLength, value, valueLength, mark);
  }
}

/** Three handles, 1 to 3, of one session; returns its name. */
function issueThree(client: Client): string {
  const cache = client.bench.cache;
  cache.readSettings();
  for (let handle: u32 = 1; handle <= 3; handle++) {
    const issued = session(handle);
    issued.session = cache.sessionName(idOf(1), 32);
    issued.known |= Known.SESSION;
    cache.learn(issued);
  }
  return client.call("GET", "/v1/sessions/" + hexOf(1)).member("session").text;
}

/** The ID of `session` in hex. */
function hexOf(number: i32): string {
  return number.toString(16).padStart(8, "0") + "a5".repeat(28);
}
