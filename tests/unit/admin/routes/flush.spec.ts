import { Client, hexId } from "../../support/admin_client";

describe("a flush", () => {
  it("removes all without a time, and refuses sessions that had not expired", () => {
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

  it("with a time removes sessions that have expired by then", () => {
    const client = new Client();
    client.send("PUT", "/v1/sessions/aa", '{"timeout":10}');
    client.send("PUT", "/v1/sessions/bb", '{"timeout":11}');
    expect(client.send("POST", "/v1/sessions/flush", '{"before":1790000010}').bare).toBe('{"removed":0}');
    expect(client.send("POST", "/v1/sessions/flush", '{"before":1790000011}').bare).toBe('{"removed":1}');
    expect(client.call("GET", "/v1/sessions/aa").status).toBe(410);
    expect(client.call("GET", "/v1/sessions/bb").status).toBe(200);
  });

  it("is 422 if the time is out of range", () => {
    const client = new Client();
    client.call("PUT", "/v1/sessions/aa");
    const times = ["-1", "0.5", "null", '"0"', "1e30", "true"];
    for (let i = 0; i < times.length; i++) {
      expect(client.send("POST", "/v1/sessions/flush", '{"before":' + times[i] + "}").status).toBe(422, times[i]);
    }
    expect(client.bench.number()).toBe(1);
  });
});
