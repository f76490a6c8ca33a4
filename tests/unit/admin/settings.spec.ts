import { Outcome, handshakes, Metric } from "../../../assembly/session/counting/statistics";
import { JsonKind } from "../../../assembly/json/value";
import { Client, hexId } from "./client";

describe("a change without a body", () => {
  it("takes its fields from the query", () => {
    const client = new Client();
    expect(client.call("PUT", "/v1/mode?mode=SERVER,NO_INTERNAL_STORE").bare).toBe(
      '{"mode":["SERVER","NO_INTERNAL_STORE"],"previous":["SERVER"]}',
    );
    expect(client.call("PUT", "/v1/mode?mode=OFF").member("mode").items[0].text).toBe("OFF");
    expect(client.call("PUT", "/v1/cache-size?cache_size=700").bare).toBe('{"cache_size":700,"previous":20480}');
    expect(client.call("PUT", "/v1/timeout?timeout=60").bare).toBe('{"timeout":60,"previous":7200}');
    expect(client.call("PUT", "/v1/enforcement?enforcement=strict").bare).toBe(
      '{"enforcement":"strict","previous":"revoked"}',
    );
    const put = client.call("PUT", "/v1/sessions/abcd?sni=443&upstream=10.0.0.7%3A443&kind=ticket&timeout=99");
    expect(put.status).toBe(201);
    const session = put.member("session");
    expect(session.member("sni")!.text).toBe("443", "digits are text where a name is wanted");
    expect(session.member("upstream")!.text).toBe("10.0.0.7:443");
    expect(session.member("timeout")!.number).toBe(99);
    const revoked = client.call("PUT", "/v1/revocations/shop.example?ticket_lifetime=60&unseen=refuse");
    expect(revoked.status).toBe(201);
    expect(revoked.member("revocation").member("until")!.number).toBe(1790000060);
    expect(client.call("POST", "/v1/sessions/flush?before=0").bare).toBe('{"removed":1}');
  });

  it("is refused as it would be in a body, and changes nothing", () => {
    const client = new Client();
    const wrong = [
      "/v1/mode?mode=",
      "/v1/mode?mode=SERVER,",
      "/v1/mode?mode=OFF,SERVER",
      "/v1/cache-size?cache_size=",
      "/v1/cache-size?cache_size=-1",
      "/v1/cache-size?cache_size=1.5",
      "/v1/cache-size?cache_size=2147483648",
      "/v1/cache-size?cache_size=99999999999999999999999999",
      "/v1/timeout?timeout=0",
      "/v1/timeout?timeout=1e3",
      "/v1/enforcement?enforcement=",
      "/v1/enforcement?enforcement=STRICT",
      "/v1/sessions/abcd?sni=",
      "/v1/revocations/shop.example?unseen=never",
    ];
    for (let i = 0; i < wrong.length; i++) expect(client.call("PUT", wrong[i]).status).toBe(422, wrong[i]);
    expect(client.call("GET", "/v1/mode").bare).toBe('{"mode":["SERVER"]}');
    expect(client.call("GET", "/v1/cache-size").bare).toBe('{"cache_size":20480}');
    expect(client.call("GET", "/v1/timeout").bare).toBe('{"timeout":7200}');
  });

  it("is 400 with both, with neither, and with a name that is not known", () => {
    const client = new Client();
    const both = client.send("PUT", "/v1/timeout?timeout=60", '{"timeout":60}');
    expect(both.status).toBe(400);
    expect(both.detail.startsWith("body and query: ")).toBeTruthy(both.detail);
    const paths = ["/v1/mode", "/v1/cache-size", "/v1/timeout", "/v1/enforcement"];
    for (let i = 0; i < paths.length; i++) {
      const neither = client.call("PUT", paths[i]);
      expect(neither.status).toBe(400, paths[i]);
      expect(neither.detail.includes("the query takes them")).toBeTruthy(neither.detail);
      expect(client.call("PUT", paths[i] + "?colour=red").status).toBe(400, paths[i]);
    }
    expect(client.call("POST", "/v1/sessions/flush").status).toBe(400, "all is flushed only where that is said");
    expect(client.call("GET", "/v1/timeout?timeout=60").status).toBe(400, "a read changes nothing");
    expect(client.call("GET", "/v1/timeout").bare).toBe('{"timeout":7200}');
  });
});

describe("the mode", () => {
  it("is read and changed, and tells what it was", () => {
    const client = new Client();
    expect(client.call("GET", "/v1/mode").bare).toBe('{"mode":["SERVER"]}');
    expect(client.send("PUT", "/v1/mode", '{"mode":["NO_INTERNAL_STORE","SERVER"]}').bare).toBe(
      '{"mode":["SERVER","NO_INTERNAL_STORE"],"previous":["SERVER"]}',
    );
    expect(client.call("GET", "/v1/mode").bare).toBe('{"mode":["SERVER","NO_INTERNAL_STORE"]}');
  });

  it("comes back expanded", () => {
    const client = new Client();
    expect(client.send("PUT", "/v1/mode", '{"mode":["SERVER","NO_INTERNAL","NO_AUTO_CLEAR","UPDATE_TIME"]}').bare).toBe(
      '{"mode":["SERVER","NO_AUTO_CLEAR","NO_INTERNAL_LOOKUP","NO_INTERNAL_STORE","UPDATE_TIME"],"previous":["SERVER"]}',
    );
  });

  it("is OFF as an empty list or by its name", () => {
    const client = new Client();
    expect(client.send("PUT", "/v1/mode", '{"mode":[]}').bare).toBe('{"mode":["OFF"],"previous":["SERVER"]}');
    expect(client.send("PUT", "/v1/mode", '{"mode":["OFF"]}').bare).toBe('{"mode":["OFF"],"previous":["OFF"]}');
    expect(client.send("PUT", "/v1/mode", '{"mode":["OFF","OFF"]}').status).toBe(200);
  });

  it("is 422 and stays where it cannot be", () => {
    const client = new Client();
    const modes = [
      '"SERVER"',
      "null",
      "2",
      '{"SERVER":true}',
      '["server"]',
      '["SERVER",7]',
      '["OFF","SERVER"]',
      '["SERVER","OFF"]',
      '["CLIENT"]',
      '["BOTH"]',
      '[""]',
      '["SSL_SESS_CACHE_SERVER"]',
      "[null]",
    ];
    for (let i = 0; i < modes.length; i++) {
      expect(client.send("PUT", "/v1/mode", '{"mode":' + modes[i] + "}").status).toBe(422, modes[i]);
    }
    expect(
      client.send("PUT", "/v1/mode", '{"mode":["CLIENT"]}').detail.includes("observes the servers' side"),
    ).toBeTruthy();
    expect(client.call("GET", "/v1/mode").bare).toBe('{"mode":["SERVER"]}');
  });
});

describe("the cache size", () => {
  it("is read and changed, and tells what it was", () => {
    const client = new Client();
    expect(client.call("GET", "/v1/cache-size").bare).toBe('{"cache_size":20480}');
    expect(client.send("PUT", "/v1/cache-size", '{"cache_size":0}').bare).toBe('{"cache_size":0,"previous":20480}');
    expect(client.send("PUT", "/v1/cache-size", '{"cache_size":2147483647}').bare).toBe(
      '{"cache_size":2147483647,"previous":0}',
    );
  });

  it("evicts before it answers, the first to expire first", () => {
    const client = new Client();
    for (let i = 0; i < 20; i++) {
      client.send("PUT", "/v1/sessions/" + hexId(i), '{"timeout":' + (1000 + i).toString() + "}");
    }
    const answer = client.send("PUT", "/v1/cache-size", '{"cache_size":5}');
    expect(answer.bare).toBe('{"cache_size":5,"previous":20480}');
    expect(answer.slices).toBeGreaterThan(0);
    expect(client.bench.number()).toBe(5);
    for (let i = 0; i < 20; i++) {
      expect(client.call("GET", "/v1/sessions/" + hexId(i)).status).toBe(i < 15 ? 404 : 200, i.toString());
    }
  });

  it("evicts where there was no limit before", () => {
    const client = new Client();
    client.send("PUT", "/v1/cache-size", '{"cache_size":0}');
    for (let i = 0; i < 9; i++) client.call("PUT", "/v1/sessions/" + hexId(i));
    client.send("PUT", "/v1/cache-size", '{"cache_size":4}');
    // The number never shows more than the size: the list says what is held.
    expect(client.call("GET", "/v1/sessions").member("sessions").items.length).toBe(4);
    expect(client.bench.count(Metric.SESSIONS)).toBe(4);
  });

  it("is 422 where it cannot be", () => {
    const client = new Client();
    const sizes = ["-1", "2147483648", "1.5", '"1"', "null", "true", "[]", "1e300"];
    for (let i = 0; i < sizes.length; i++) {
      expect(client.send("PUT", "/v1/cache-size", '{"cache_size":' + sizes[i] + "}").status).toBe(422, sizes[i]);
    }
    expect(client.call("GET", "/v1/cache-size").bare).toBe('{"cache_size":20480}');
  });
});

describe("the timeout", () => {
  it("is read and changed, and holds for what is added later", () => {
    const client = new Client();
    client.call("PUT", "/v1/sessions/aa");
    expect(client.call("GET", "/v1/timeout").bare).toBe('{"timeout":7200}');
    expect(client.send("PUT", "/v1/timeout", '{"timeout":60}').bare).toBe('{"timeout":60,"previous":7200}');
    client.call("PUT", "/v1/sessions/bb");
    expect(client.call("GET", "/v1/sessions/aa").member("timeout").number).toBe(7200);
    expect(client.call("GET", "/v1/sessions/bb").member("timeout").number).toBe(60);
  });

  it("is 422 where it cannot be", () => {
    const client = new Client();
    const timeouts = ["0", "-1", "2147483648", "0.5", '"60"', "null"];
    for (let i = 0; i < timeouts.length; i++) {
      expect(client.send("PUT", "/v1/timeout", '{"timeout":' + timeouts[i] + "}").status).toBe(422, timeouts[i]);
    }
    expect(client.send("PUT", "/v1/timeout", '{"timeout":2147483647}').status).toBe(200);
  });

  it("is in force for another worker", () => {
    const client = new Client();
    const other = new Client(client.bench.worker());
    client.send("PUT", "/v1/timeout", '{"timeout":77}');
    expect(other.call("GET", "/v1/timeout").bare).toBe('{"timeout":77}');
  });
});

describe("the enforcement", () => {
  it("is read and changed, and tells what it was", () => {
    const client = new Client();
    expect(client.call("GET", "/v1/enforcement").bare).toBe('{"enforcement":"revoked"}');
    expect(client.send("PUT", "/v1/enforcement", '{"enforcement":"strict"}').bare).toBe(
      '{"enforcement":"strict","previous":"revoked"}',
    );
    expect(client.send("PUT", "/v1/enforcement", '{"enforcement":"observe"}').bare).toBe(
      '{"enforcement":"observe","previous":"strict"}',
    );
    expect(client.send("PUT", "/v1/enforcement", '{"enforcement":"observe"}').bare).toBe(
      '{"enforcement":"observe","previous":"observe"}',
    );
    expect(client.call("GET", "/v1/enforcement").bare).toBe('{"enforcement":"observe"}');
  });

  it("is 422 and stays where it cannot be", () => {
    const client = new Client();
    const values = ['""', '"Strict"', '"off"', '"revoke"', "null", "2", "true", '["strict"]', '{"strict":true}'];
    for (let i = 0; i < values.length; i++) {
      const answer = client.send("PUT", "/v1/enforcement", '{"enforcement":' + values[i] + "}");
      expect(answer.status).toBe(422, values[i]);
      expect(answer.detail).toBe('enforcement: expected "observe", "revoked" or "strict"');
    }
    expect(client.call("GET", "/v1/enforcement").bare).toBe('{"enforcement":"revoked"}');
  });

  it("is in force for another worker", () => {
    const client = new Client();
    const other = new Client(client.bench.worker());
    client.send("PUT", "/v1/enforcement", '{"enforcement":"strict"}');
    expect(other.call("GET", "/v1/enforcement").bare).toBe('{"enforcement":"strict"}');
  });
});

describe("a flush", () => {
  it("removes all without a time, and refuses what had not expired", () => {
    const client = new Client();
    for (let i = 0; i < 10; i++) client.call("PUT", "/v1/sessions/" + hexId(i));
    const answer = client.send("POST", "/v1/sessions/flush", "{}");
    expect(answer.status).toBe(200);
    expect(answer.bare).toBe('{"removed":10}');
    expect(answer.slices).toBeGreaterThan(0);
    expect(client.bench.number()).toBe(0);
    expect(client.call("GET", "/v1/sessions/" + hexId(3)).status).toBe(410);
    expect(client.send("POST", "/v1/sessions/flush", '{"before":0}').bare).toBe('{"removed":0}');
  });

  it("with a time removes what has expired by then", () => {
    const client = new Client();
    client.send("PUT", "/v1/sessions/aa", '{"timeout":10}');
    client.send("PUT", "/v1/sessions/bb", '{"timeout":11}');
    expect(client.send("POST", "/v1/sessions/flush", '{"before":1790000010}').bare).toBe('{"removed":0}');
    expect(client.send("POST", "/v1/sessions/flush", '{"before":1790000011}').bare).toBe('{"removed":1}');
    expect(client.call("GET", "/v1/sessions/aa").status).toBe(410);
    expect(client.call("GET", "/v1/sessions/bb").status).toBe(200);
  });

  it("is 422 where the time cannot be", () => {
    const client = new Client();
    client.call("PUT", "/v1/sessions/aa");
    const times = ["-1", "0.5", "null", '"0"', "1e30", "true"];
    for (let i = 0; i < times.length; i++) {
      expect(client.send("POST", "/v1/sessions/flush", '{"before":' + times[i] + "}").status).toBe(422, times[i]);
    }
    expect(client.bench.number()).toBe(1);
  });
});

describe("the statistics", () => {
  it("are numbers with at most one level of nesting", () => {
    const client = new Client();
    const statistics = client.call("GET", "/v1/stats").json;
    for (let i = 0; i < statistics.items.length; i++) {
      const item = statistics.items[i];
      if (statistics.names[i] == "steering") {
        for (let j = 0; j < item.items.length; j++) expect(item.items[j].kind).toBe(JsonKind.String, item.names[j]);
      } else if (item.kind == JsonKind.Object) {
        for (let j = 0; j < item.items.length; j++) expect(item.items[j].kind).toBe(JsonKind.Number, item.names[j]);
      } else if (statistics.names[i] == "never_resume") {
        expect(item.kind).toBe(JsonKind.Array);
        expect(item.items.length).toBe(0);
      } else {
        expect(item.kind).toBe(JsonKind.Number, statistics.names[i]);
      }
    }
    const wanted = [
      "number",
      "cache_size",
      "accept",
      "accept_good",
      "hits",
      "misses",
      "timeouts",
      "cache_full",
      "removes",
      "replaces",
      "refused",
      "declined",
      "lost",
      "never_resume",
      "resumed",
      "resumed_by_protocol",
      "full",
      "full_by_kind",
      "tombstones",
      "saturated_pages",
      "cas_conflicts",
      "not_stored",
      "expired",
      "flushed",
      "parse_errors",
    ];
    for (let i = 0; i < wanted.length; i++) expect(statistics.names.includes(wanted[i])).toBeTruthy(wanted[i]);
  });

  it("say what happened to the cache", () => {
    const client = new Client();
    client.send("PUT", "/v1/sessions/aa", "{}");
    client.send("PUT", "/v1/sessions/bb", "{}");
    client.send("PUT", "/v1/sessions/bb", '{"sni":"a"}');
    client.call("DELETE", "/v1/sessions/bb");
    client.call("DELETE", "/v1/sessions/cc");
    const statistics = client.call("GET", "/v1/stats");
    expect(statistics.member("number").number).toBe(1);
    expect(statistics.member("cache_size").number).toBe(20480);
    expect(statistics.member("adds").number).toBe(2);
    expect(statistics.member("replaces").number).toBe(1);
    expect(statistics.member("removes").number).toBe(1);
    expect(statistics.member("tombstones").number).toBe(2);
  });

  it("add handshakes up by kind and by protocol", () => {
    const client = new Client();
    const metrics = client.bench.metrics;
    metrics.increase(handshakes(0x0303, Outcome.RESUMED_ID), 1);
    metrics.increase(handshakes(0x0302, Outcome.RESUMED_ID), 2);
    metrics.increase(handshakes(0x0303, Outcome.RESUMED_TICKET), 4);
    metrics.increase(handshakes(0x0304, Outcome.RESUMED_PSK), 8);
    metrics.increase(handshakes(0x0304, Outcome.FULL), 16);
    metrics.increase(handshakes(0x0301, Outcome.FULL), 32);
    metrics.increase(Metric.FULL_BY_KIND + 1, 64);
    metrics.increase(Metric.PARSE_ERRORS + 1, 128);
    const text = client.call("GET", "/v1/stats").text;
    expect(text.includes('"resumed":{"id":3,"ticket":4,"psk":8}')).toBeTruthy();
    expect(
      text.includes('"resumed_by_protocol":{"SSLv3":0,"TLSv1":0,"TLSv1.1":2,"TLSv1.2":5,"TLSv1.3":8}'),
    ).toBeTruthy();
    expect(text.includes('"full":{"SSLv3":0,"TLSv1":32,"TLSv1.1":0,"TLSv1.2":0,"TLSv1.3":16}')).toBeTruthy();
    expect(text.includes('"full_by_kind":{"id":0,"ticket":64,"none":0}')).toBeTruthy();
    expect(text.includes('"record_type":128')).toBeTruthy();
    expect(text.includes('"none":0,')).toBeFalsy();
  });
});
