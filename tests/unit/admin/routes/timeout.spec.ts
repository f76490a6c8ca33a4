import { Client } from "../../support/admin_client";

describe("the timeout", () => {
  it("is read and changed, and applies to sessions that are added later", () => {
    const client = new Client();
    client.call("PUT", "/v1/sessions/aa");
    expect(client.call("GET", "/v1/timeout").bare).toBe('{"timeout":7200}');
    expect(client.send("PUT", "/v1/timeout", '{"timeout":60}').bare).toBe('{"timeout":60,"previous":7200}');
    client.call("PUT", "/v1/sessions/bb");
    expect(client.call("GET", "/v1/sessions/aa").member("timeout").number).toBe(7200);
    expect(client.call("GET", "/v1/sessions/bb").member("timeout").number).toBe(60);
  });

  it("is 422 if it is out of range", () => {
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
