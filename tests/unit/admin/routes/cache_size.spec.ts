import { Metric } from "../../../../assembly/session/counting/statistics";
import { Client, hexId } from "../../support/admin_client";

describe("the cache size", () => {
  it("is read and changed, and returns the previous value", () => {
    const client = new Client();
    expect(client.call("GET", "/v1/cache-size").bare).toBe('{"cache_size":20480}');
    expect(client.send("PUT", "/v1/cache-size", '{"cache_size":0}').bare).toBe('{"cache_size":0,"previous":20480}');
    expect(client.send("PUT", "/v1/cache-size", '{"cache_size":2147483647}').bare).toBe(
      '{"cache_size":2147483647,"previous":0}',
    );
  });

  it("evicts before it responds, the first to expire first", () => {
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

  it("evicts also if there was no limit before", () => {
    const client = new Client();
    client.send("PUT", "/v1/cache-size", '{"cache_size":0}');
    for (let i = 0; i < 9; i++) client.call("PUT", "/v1/sessions/" + hexId(i));
    client.send("PUT", "/v1/cache-size", '{"cache_size":4}');
    // The number never exceeds the size, so only the list shows the sessions held.
    expect(client.call("GET", "/v1/sessions").member("sessions").items.length).toBe(4);
    expect(client.bench.count(Metric.SESSIONS)).toBe(4);
  });

  it("is 422 if it is out of range", () => {
    const client = new Client();
    const sizes = ["-1", "2147483648", "1.5", '"1"', "null", "true", "[]", "1e300"];
    for (let i = 0; i < sizes.length; i++) {
      expect(client.send("PUT", "/v1/cache-size", '{"cache_size":' + sizes[i] + "}").status).toBe(422, sizes[i]);
    }
    expect(client.call("GET", "/v1/cache-size").bare).toBe('{"cache_size":20480}');
  });
});
