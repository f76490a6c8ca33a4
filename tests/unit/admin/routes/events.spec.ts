import { ListCursor } from "../../../../assembly/admin/listing/list_cursor";
import { JsonKind } from "../../../../assembly/json/value";
import { EventCause } from "../../../../assembly/session/record/event_cause";
import { Bench, idOf } from "../../support/sessions";
import { Answer, Client, configWithTokens, hexId } from "../../support/admin_client";

describe("GET /v1/events", () => {
  it("lists events, with marks to go on from", () => {
    const client = new Client();
    client.call("PUT", "/v1/sessions/" + hexId(1));
    client.call("DELETE", "/v1/sessions/" + hexId(1));
    const answer = client.call("GET", "/v1/events");
    expect(answer.status).toBe(200);
    const events = answer.member("events").items;
    expect(events.length).toBe(2);
    expect(events[0].member("type")!.text).toBe("new");
    expect(events[1].member("type")!.text).toBe("removed");
    expect(events[1].member("id")!.text).toBe(hexId(1));
    expect(events[1].member("cause")!.text).toBe("api");
    expect(events[0].member("held") === null).toBe(true);
    expect(events[1].member("held")!.boolean).toBe(true);
    expect(answer.member("next").text).toBe(events[1].member("seq")!.text);

    const later = client.call("GET", "/v1/events?after=" + events[0].member("seq")!.text);
    expect(later.member("events").items.length).toBe(1);
    expect(later.member("events").items[0].member("type")!.text).toBe("removed");
  });

  it("differs between removals of held sessions and of others", () => {
    const client = new Client();
    client.call("DELETE", "/v1/sessions/" + hexId(1));
    const events = client.call("GET", "/v1/events").member("events").items;
    expect(events.length).toBe(1);
    expect(events[0].member("type")!.text).toBe("removed");
    expect(events[0].member("held")!.boolean).toBe(false);
  });

  it("shows each event once, in pages of any size, and nothing twice when nothing happens", () => {
    const client = new Client();
    for (let i = 0; i < 25; i++) client.call("PUT", "/v1/sessions/" + hexId(i));
    let mark = "";
    let shown = 0;
    for (let calls = 0; calls < 20; calls++) {
      const answer = client.call("GET", "/v1/events?limit=4" + (mark == "" ? "" : "&after=" + mark));
      const events = answer.member("events").items;
      for (let i = 0; i < events.length; i++) {
        expect(events[i].member("id")!.text).toBe(hexId(shown));
        shown++;
      }
      mark = answer.member("next").text;
    }
    expect(shown).toBe(25);
    expect(client.call("GET", "/v1/events?after=" + mark).text).toBe('{"events":[],"next":"' + mark + '","missed":0}');
  });

  it("refuses marks that it has not issued, and limits out of range", () => {
    const client = new Client();
    client.call("PUT", "/v1/sessions/" + hexId(1));
    const mark = client.call("GET", "/v1/events").member("next").text;
    expect(client.call("GET", "/v1/events?after=xyz").status).toBe(400);
    expect(client.call("GET", "/v1/events?after=" + "0".repeat(40)).status).toBe(400);
    expect(client.call("GET", "/v1/events?after=" + mark.substring(2)).status).toBe(400);
    expect(client.call("GET", "/v1/events?limit=0").status).toBe(400);
    expect(client.call("GET", "/v1/events?limit=1001").status).toBe(400);
    expect(client.call("GET", "/v1/events?cursor=" + mark).status).toBe(400);
    expect(client.call("DELETE", "/v1/events").status).toBe(405);
  });

  it("shows server name, upstream and client of an event; unknown ones are null", () => {
    const client = new Client();
    client.send("PUT", "/v1/sessions/" + hexId(1), '{"sni":"Shop.example","upstream":"10.0.0.7:443"}');
    client.call("PUT", "/v1/sessions/" + hexId(2));
    const events = client.call("GET", "/v1/events").member("events").items;
    expect(events[0].member("sni")!.text).toBe("Shop.example");
    expect(events[0].member("upstream")!.text).toBe("10.0.0.7:443");
    expect(events[0].member("client")!.kind).toBe(JsonKind.Null);
    expect(events[1].member("sni")!.kind).toBe(JsonKind.Null);
    expect(events[1].member("upstream")!.kind).toBe(JsonKind.Null);
  });

  it("shows events that match all given filters", () => {
    const client = new Client();
    for (let i = 0; i < 12; i++) {
      const sni = i % 2 == 0 ? "Shop.Example" : "other.example";
      const body = '{"sni":"' + sni + '","upstream":"10.0.0.' + (i % 3).toString() + ':443"}';
      client.send("PUT", "/v1/sessions/" + hexId(i), body);
      client.bench.clock.advance(1);
    }
    client.call("DELETE", "/v1/sessions/" + hexId(4));
    client.call("DELETE", "/v1/sessions/" + hexId(77));
    client.bench.cache.refused(idOf(1), 32, EventCause.STRICT);
    expect(count(client, "type=new")).toBe(12);
    expect(count(client, "type=removed")).toBe(2);
    expect(count(client, "type=refused")).toBe(1);
    expect(count(client, "type=diverted")).toBe(0);
    expect(count(client, "sni=sHOP.example")).toBe(7);
    expect(count(client, "sni=shop")).toBe(0);
    expect(count(client, "upstream=10.0.0.1:443")).toBe(5);
    expect(count(client, "id=" + hexId(4))).toBe(2);
    expect(count(client, "id=" + hexId(5).substring(2))).toBe(0);
    expect(count(client, "since=1790000010")).toBe(5);
    expect(count(client, "since=99999999999")).toBe(0);
    expect(count(client, "type=new&sni=shop.example&upstream=10.0.0.1:443&since=1790000005")).toBe(1);
    expect(count(client, "type=removed&id=" + hexId(4))).toBe(1);
  });

  it("goes on behind events that do not match", () => {
    const client = new Client();
    for (let i = 0; i < 40; i++) {
      client.call("PUT", "/v1/sessions/" + hexId(i));
      if (i % 10 == 0) client.call("DELETE", "/v1/sessions/" + hexId(i));
    }
    let mark = "";
    let shown = 0;
    for (let calls = 0; calls < 6; calls++) {
      const answer = client.call("GET", "/v1/events?type=removed&limit=1" + mark);
      const events = answer.member("events").items;
      for (let i = 0; i < events.length; i++) expect(events[i].member("id")!.text).toBe(hexId(shown++ * 10));
      mark = "&after=" + answer.member("next").text;
    }
    expect(shown).toBe(4);
    const last = client.call("GET", "/v1/events").member("next").text;
    expect(mark).toBe("&after=" + last, "it has come to the end");
  });

  it("refuses malformed filters", () => {
    const client = new Client();
    const queries = [
      "type=",
      "type=New",
      "type=other",
      "since=",
      "since=-1",
      "since=1.5",
      "since=soon",
      "since=9999999999999999999",
      "id=",
      "id=abc",
      "id=xy",
      "sni=",
      "upstream=",
      "upstream=shop.example",
      "kind=id",
      "cause=api",
    ];
    for (let i = 0; i < queries.length; i++) {
      expect(client.call("GET", "/v1/events?" + queries[i]).status).toBe(400, queries[i]);
    }
  });

  it("shows the causes of lost events", () => {
    const client = new Client();
    for (let i: u32 = 0; i < 3000; i++) client.bench.cache.remove(idOf(i % 50), 32, 1);
    const answer = client.call("GET", "/v1/events?limit=1");
    const missed = answer.member("missed").number;
    expect(missed > 1000).toBe(true);
    expect(answer.member("missed_for").member("overrun")!.number).toBe(missed);
    const after = "&after=" + answer.member("next").text;
    expect(client.call("GET", "/v1/events?limit=1000" + after).member("missed").number).toBe(0);
  });

  it("refuses marks of another cache, and takes older marks that were not bound to one", () => {
    const client = new Client();
    client.call("PUT", "/v1/sessions/" + hexId(1));
    client.call("DELETE", "/v1/sessions/" + hexId(1));
    const mark = client.call("GET", "/v1/events?limit=1").member("next").text;
    const other = otherCache(client.bench);
    other.call("PUT", "/v1/sessions/" + hexId(1));
    expect(other.call("GET", "/v1/events?after=" + mark).status).toBe(400);
    expect(client.call("GET", "/v1/events?after=" + mark).status).toBe(200);

    const making = client.bench.cache.events.log.making;
    const unbound = new ListCursor("/v1/events");
    unbound.page = <u32>(making ^ (making >> 32));
    unbound.version = 1;
    const events = client.call("GET", "/v1/events?after=" + unbound.text()).member("events").items;
    expect(events.length).toBe(1);
    expect(events[0].member("type")!.text).toBe("removed");
    unbound.page++;
    expect(client.call("GET", "/v1/events?after=" + unbound.text()).status).toBe(400, "of no log that is known");
  });

  it("is not slower for a log that has wrapped many times", () => {
    const client = new Client();
    for (let i: u32 = 0; i < 30_000; i++) {
      client.bench.cache.remove(idOf(i % 50), 32, 1);
      if (i % 500 == 0) client.call("GET", "/v1/events?limit=1&type=refused");
    }
    const answer = client.call("GET", "/v1/events?type=refused");
    expect(answer.member("events").items.length).toBe(0);
    expect(answer.member("missed").number + 8000 < 30_000).toBe(true);
    expect(answer.member("missed_for").member("log")!.number).toBe(answer.member("missed").number);
  });
});

function count(client: Client, query: string): i32 {
  const answer: Answer = client.call("GET", "/v1/events?limit=1000&" + query);
  expect(answer.status).toBe(200, query);
  return answer.member("events").items.length;
}

/** A cache of another name in the same store. */
function otherCache(bench: Bench): Client {
  const other = new Bench(bench.store, bench.clock, bench.metrics, bench.given, "other");
  return new Client(other, configWithTokens());
}
