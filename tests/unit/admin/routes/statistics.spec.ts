import { Outcome, handshakes, Metric } from "../../../../assembly/session/counting/statistics";
import { JsonKind } from "../../../../assembly/json/value";
import { Client } from "../../support/admin_client";

describe("the statistics", () => {
  it("are numbers with at most one level of nesting", () => {
    const client = new Client();
    const statistics = client.call("GET", "/v1/stats").json;
    for (let i = 0; i < statistics.items.length; i++) {
      const item = statistics.items[i];
      if (statistics.names[i] == "steering") {
        for (let j = 0; j < item.items.length; j++) expect(item.items[j].kind).toBe(JsonKind.String, item.names[j]);
      } else if (statistics.names[i] == "module") {
        expect(item.member("version")!.kind).toBe(JsonKind.String);
        expect(item.member("build")!.kind).toBe(JsonKind.Null, "a bench is no finished module");
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
      "module",
    ];
    for (let i = 0; i < wanted.length; i++) expect(statistics.names.includes(wanted[i])).toBeTruthy(wanted[i]);
  });

  it("count the events of the cache", () => {
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
