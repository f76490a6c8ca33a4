import { Client } from "../../support/admin_client";

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

  it("is 400 with body and query, with neither, and with an unknown name", () => {
    const client = new Client();
    const both = client.send("PUT", "/v1/timeout?timeout=60", '{"timeout":60}');
    expect(both.status).toBe(400);
    expect(both.detail.startsWith("body and query: ")).toBeTruthy(both.detail);
    const paths = ["/v1/mode", "/v1/cache-size", "/v1/timeout", "/v1/enforcement"];
    for (let i = 0; i < paths.length; i++) {
      const neither = client.call("PUT", paths[i]);
      expect(neither.status).toBe(400, paths[i]);
      expect(neither.detail.includes("in the query")).toBeTruthy(neither.detail);
      expect(client.call("PUT", paths[i] + "?colour=red").status).toBe(400, paths[i]);
    }
    expect(client.call("POST", "/v1/sessions/flush").status).toBe(400, "all is flushed only where that is said");
    expect(client.call("GET", "/v1/timeout?timeout=60").status).toBe(400, "a read changes nothing");
    expect(client.call("GET", "/v1/timeout").bare).toBe('{"timeout":7200}');
  });
});
