import { cursorOf, endsSlice } from "../../../../assembly/admin/listing/listing";
import { JsonKind } from "../../../../assembly/json/value";
import { JsonWriter } from "../../../../assembly/json/writer";
import { Deadline, SLICE_NANOSECONDS } from "../../../../assembly/work/job";
import { FakeClock } from "../../support/fake_clock";
import { Bench } from "../../support/sessions";
import { Answer, Client, hexId } from "../../support/admin_client";

/** IDs of the list, each with a comma behind it, in the order in which they are shown. */
function idsOf(answer: Answer, list: string): string {
  const items = answer.member(list).items;
  let ids = "";
  for (let i = 0; i < items.length; i++) ids += items[i].member("id")!.text + ",";
  return ids;
}

/** Goes through all pages and counts how often each of `count` IDs was shown; -1 if `next` never ends. */
function shownOnce(client: Client, path: string, list: string, count: i32): i32 {
  let all = "";
  let position = "";
  for (let calls = 0; calls < 1000; calls++) {
    const answer = client.call("GET", path + position);
    if (answer.status != 200) return -1;
    all += idsOf(answer, list);
    const next = answer.member("next");
    if (next.kind == JsonKind.Null) {
      let once = 0;
      for (let i = 0; i < count; i++) {
        const at = all.indexOf(hexId(i));
        if (at >= 0 && all.indexOf(hexId(i), at + 1) < 0) once++;
      }
      return all.length == once * 65 ? once : -1;
    }
    position = "&cursor=" + next.text;
  }
  return -1;
}

function filled(count: i32): Client {
  const client = new Client();
  for (let i = 0; i < count; i++) {
    const kind = i % 3 == 0 ? "id" : i % 3 == 1 ? "ticket" : "psk";
    const sni = i % 2 == 0 ? "Shop.Example" : "other.example";
    const body = '{"kind":"' + kind + '","sni":"' + sni + '","upstream":"10.0.0.' + (i % 4).toString() + ':443"}';
    client.send("PUT", "/v1/sessions/" + hexId(i), body);
  }
  return client;
}

describe("the list of sessions", () => {
  it("is empty for an empty cache", () => {
    expect(new Client().call("GET", "/v1/sessions").text).toBe('{"sessions":[],"next":null}');
  });

  it("shows every session exactly once, whatever the size of a page", () => {
    const client = filled(60);
    const limits = [1, 7, 59, 60, 61, 1000];
    for (let i = 0; i < limits.length; i++) {
      const path = "/v1/sessions?limit=" + limits[i].toString();
      expect(shownOnce(client, path, "sessions", 60)).toBe(60, path);
    }
  });

  it("is as long as its limit, and ends without an empty page", () => {
    const client = filled(60);
    expect(client.call("GET", "/v1/sessions?limit=60").member("next").kind).toBe(JsonKind.Null);
    const page = client.call("GET", "/v1/sessions?limit=59");
    expect(page.member("sessions").items.length).toBe(59);
    expect(page.member("next").kind).toBe(JsonKind.String);
    expect(filled(101).call("GET", "/v1/sessions").member("sessions").items.length).toBe(100, "the default");
  });

  it("shows only sessions that match its filters", () => {
    const client = filled(60);
    expect(client.call("GET", "/v1/sessions?kind=ticket").member("sessions").items.length).toBe(20);
    expect(client.call("GET", "/v1/sessions?sni=sHOP.example").member("sessions").items.length).toBe(30);
    expect(client.call("GET", "/v1/sessions?sni=shop").member("sessions").items.length).toBe(0);
    expect(client.call("GET", "/v1/sessions?upstream=10.0.0.1:443").member("sessions").items.length).toBe(15);
    expect(client.call("GET", "/v1/sessions?upstream=10.0.0.1%3A443&kind=id").member("sessions").items.length).toBe(5);
    expect(client.call("GET", "/v1/sessions?kind=psk&sni=shop.example&upstream=10.0.0.1:443").text).toBe(
      '{"sessions":[],"next":null}',
    );
    const items = client.call("GET", "/v1/sessions?kind=psk&sni=shop.example").member("sessions").items;
    expect(items.length).toBe(10);
    for (let i = 0; i < items.length; i++) {
      expect(items[i].member("kind")!.text).toBe("psk");
      expect(items[i].member("sni")!.text).toBe("Shop.Example");
    }
  });

  it("pages through the sessions that match its filters", () => {
    const client = filled(60);
    let position = "";
    let shown = 0;
    for (let calls = 0; calls < 30; calls++) {
      const answer = client.call("GET", "/v1/sessions?kind=ticket&limit=3" + position);
      shown += answer.member("sessions").items.length;
      const next = answer.member("next");
      if (next.kind == JsonKind.Null) break;
      position = "&cursor=" + next.text;
    }
    expect(shown).toBe(20);
  });

  it("does not match a filter by an unknown value", () => {
    const client = new Client();
    client.call("PUT", "/v1/sessions/aa");
    expect(client.call("GET", "/v1/sessions?sni=a").member("sessions").items.length).toBe(0);
    expect(client.call("GET", "/v1/sessions?upstream=10.0.0.1:1").member("sessions").items.length).toBe(0);
    expect(client.call("GET", "/v1/sessions?kind=id").member("sessions").items.length).toBe(1);
  });

  it("holds expired sessions until they are swept, as the number does", () => {
    const client = new Client();
    client.send("PUT", "/v1/sessions/aa", '{"timeout":1}');
    client.bench.clock.advance(5);
    expect(client.call("GET", "/v1/sessions").member("sessions").items.length).toBe(1);
    expect(client.call("GET", "/v1/stats").member("number").number).toBe(1);
  });

  it("refuses limits and filters out of range", () => {
    const client = new Client();
    const queries = [
      "limit=0",
      "limit=1001",
      "limit=-1",
      "limit=+1",
      "limit=1.0",
      "limit=ten",
      "limit=",
      "limit=99999999999",
      "kind=ID",
      "kind=",
      "sni=",
      "upstream=shop.example",
      "upstream=",
    ];
    for (let i = 0; i < queries.length; i++) {
      expect(client.call("GET", "/v1/sessions?" + queries[i]).status).toBe(400, queries[i]);
    }
    expect(client.call("GET", "/v1/removed?limit=0").status).toBe(400);
  });
});

describe("a cursor", () => {
  it("holds for its own list and filters only", () => {
    const client = filled(30);
    for (let i = 0; i < 5; i++) client.call("DELETE", "/v1/sessions/" + hexId(100 + i));
    const plain = client.call("GET", "/v1/sessions?limit=5").member("next").text;
    const filtered = client.call("GET", "/v1/sessions?limit=2&kind=id&sni=shop.example").member("next").text;
    const removed = client.call("GET", "/v1/removed?limit=2").member("next").text;
    expect(plain.length).toBe(40);
    expect(filtered.length).toBe(40);
    expect(removed.length).toBe(40);
    expect(client.call("GET", "/v1/sessions?limit=7&cursor=" + plain).status).toBe(200, "the limit is free");
    expect(client.call("GET", "/v1/sessions?cursor=" + filtered + "&sni=SHOP.example&kind=id").status).toBe(200);
    expect(client.call("GET", "/v1/sessions?kind=id&cursor=" + plain).status).toBe(400);
    expect(client.call("GET", "/v1/sessions?cursor=" + filtered).status).toBe(400);
    expect(client.call("GET", "/v1/sessions?kind=ticket&sni=shop.example&cursor=" + filtered).status).toBe(400);
    expect(client.call("GET", "/v1/sessions?cursor=" + removed).status).toBe(400);
    expect(client.call("GET", "/v1/removed?cursor=" + plain).status).toBe(400);
  });

  it("that is damaged or invented is 400", () => {
    const client = filled(10);
    const cursor = client.call("GET", "/v1/sessions?limit=5").member("next").text;
    for (let i = 0; i < cursor.length; i++) {
      const other = cursor.charAt(i) == "0" ? "1" : "0";
      const damaged = cursor.substring(0, i) + other + cursor.substring(i + 1);
      expect(client.call("GET", "/v1/sessions?cursor=" + damaged).status).toBe(400, damaged);
    }
    const texts = ["", "0", "x", cursor + "00", cursor.substring(2), "0".repeat(40), "g".repeat(40), "é".repeat(20)];
    for (let i = 0; i < texts.length; i++) {
      expect(client.call("GET", "/v1/sessions?cursor=" + texts[i]).status).toBe(400, texts[i]);
    }
  });

  it("of one cache is not taken by another", () => {
    const client = filled(30);
    const cursor = client.call("GET", "/v1/sessions?limit=5").member("next").text;
    const bench = client.bench;
    const other = new Client(new Bench(bench.store, bench.clock, bench.metrics, bench.given, "other"));
    expect(other.call("GET", "/v1/sessions?cursor=" + cursor).status).toBe(400);
    expect(new Client(bench.worker()).call("GET", "/v1/sessions?cursor=" + cursor).status).toBe(200, "another worker");
  });

  it("beyond the end shows nothing", () => {
    const client = filled(10);
    const cursor = cursorOf(client.bench.cache, "/v1/sessions?");
    cursor.page = u32.MAX_VALUE;
    cursor.version = u64.MAX_VALUE;
    expect(client.call("GET", "/v1/sessions?cursor=" + cursor.text()).text).toBe('{"sessions":[],"next":null}');
  });
});

describe("the list of removed sessions", () => {
  it("shows every one exactly once, with its time, its end and its cause", () => {
    const client = new Client();
    for (let i = 0; i < 40; i++) client.call("DELETE", "/v1/sessions/" + hexId(i));
    expect(shownOnce(client, "/v1/removed?limit=7", "removed", 40)).toBe(40);
    const first = client.call("GET", "/v1/removed?limit=1").member("removed").items[0];
    expect(first.names.join(" ")).toBe("id time until cause");
    expect(first.member("time")!.number).toBe(1790000000);
    expect(first.member("until")!.number).toBe(1790000000 + 604800);
    expect(first.member("cause")!.text).toBe("api");
    expect(client.call("GET", "/v1/sessions").text).toBe('{"sessions":[],"next":null}');
  });

  it("names a flush as the cause", () => {
    const client = new Client();
    client.call("PUT", "/v1/sessions/aa");
    client.send("POST", "/v1/sessions/flush", "{}");
    expect(client.call("GET", "/v1/removed").member("removed").items[0].member("cause")!.text).toBe("flush");
  });

  it("does not show removals that have ended", () => {
    const client = new Client();
    client.call("DELETE", "/v1/sessions/aa");
    client.bench.clock.advance(604801);
    expect(client.call("GET", "/v1/removed").text).toBe('{"removed":[],"next":null}');
  });
});

/** A text of some length in a writer. */
function textOf(length: i32): JsonWriter {
  const json = new JsonWriter();
  json.beginArray();
  while (json.length < length) json.string("0123456789abcdef0123456789abcdef");
  return json;
}

describe("a slice of a list", () => {
  it("ends behind the eighth entry if its time is over, and not before", () => {
    const clock = new FakeClock();
    const deadline = new Deadline(clock);
    deadline.start(SLICE_NANOSECONDS);
    const json = textOf(100);
    expect(endsSlice(json, 8, deadline)).toBe(false);
    clock.nanoseconds += SLICE_NANOSECONDS;
    expect(endsSlice(json, 8, deadline)).toBe(true);
    expect(endsSlice(json, 7, deadline)).toBe(false);
  });

  it("ends early if a long text is about to move and little time is left", () => {
    const clock = new FakeClock();
    const deadline = new Deadline(clock);
    deadline.start(SLICE_NANOSECONDS);
    const full = textOf(262_144 - 2_000);
    const roomy = textOf(262_144 - 20_000);
    expect(full.room < 4_096).toBe(true);
    expect(endsSlice(full, 1, deadline)).toBe(false, "the slice has just begun");
    clock.nanoseconds += SLICE_NANOSECONDS - SLICE_NANOSECONDS / 4;
    expect(endsSlice(full, 1, deadline)).toBe(true);
    expect(endsSlice(roomy, 1, deadline)).toBe(false);
  });
});
