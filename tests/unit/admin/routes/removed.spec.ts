import { RemovalList, Removes } from "../../../../assembly/session/configured/removal_list";
import { Client } from "../../support/admin_client";
import { idOf } from "../../support/sessions";

/** A client of a cache whose configuration removes so many sessions. */
function configured(count: u32): Client {
  const client = new Client();
  const list = new RemovalList();
  for (let number: u32 = 0; number < count; number++) list.add(Removes.Session, idOf(number), 32);
  client.bench.cache.configured.give(list, 1000);
  return client;
}

/** How many entries the pages of a list show, by the number of times that a text stands in them. */
function shown(client: Client, path: string, text: string): i32 {
  let count = 0;
  let cursor = "";
  for (let page = 0; page < 100; page++) {
    const answer = client.call("GET", path + cursor);
    expect(answer.status).toBe(200);
    count += answer.text.split(text).length - 1;
    const next = answer.member("next").text;
    if (next.length == 0) return count;
    cursor = "&cursor=" + next;
  }
  return -1;
}

describe("the list of removed sessions", () => {
  it("shows those of a configuration once each, whatever the size of a page, behind those of calls", () => {
    const client = configured(60);
    client.call("DELETE", "/v1/sessions/c0ffee");
    const limits: StaticArray<string> = ["1", "7", "59", "60", "61", "62", "1000"];
    for (let i = 0; i < limits.length; i++) {
      const path = "/v1/removed?limit=" + limits[i];
      expect(shown(client, path, '"cause":"config"')).toBe(60, path);
      expect(shown(client, path, '"cause":"api"')).toBe(1, path);
      expect(shown(client, path, '"id"')).toBe(61, path);
    }
  });

  it("shows a session that is removed in both ways once, as the configuration's", () => {
    const client = configured(1);
    client.call("DELETE", "/v1/sessions/00000000" + "a5".repeat(28));
    expect(shown(client, "/v1/removed?limit=10", '"id"')).toBe(1);
    expect(shown(client, "/v1/removed?limit=10", '"cause":"config"')).toBe(1);
  });

  it("filters by cause, and knows no upstream of a configured one", () => {
    const client = configured(3);
    expect(shown(client, "/v1/removed?cause=config", '"id"')).toBe(3);
    expect(shown(client, "/v1/removed?cause=api", '"id"')).toBe(0);
    expect(shown(client, "/v1/removed?upstream=10.0.0.7:443", '"id"')).toBe(0);
    expect(client.call("GET", "/v1/removed?cause=config&limit=2").member("next").text.length).toBe(40);
  });
});
