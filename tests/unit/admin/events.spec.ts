import { Client, hexId } from "./client";

describe("GET /v1/events", () => {
  it("lists what happened, with marks to go on from", () => {
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

  it("tells a removal of what was held from one of what was not", () => {
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

  it("refuses marks that it has not given, and limits out of range", () => {
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
});
