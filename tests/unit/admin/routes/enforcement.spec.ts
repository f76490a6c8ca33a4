import { Client } from "../../support/admin_client";

describe("the enforcement", () => {
  it("is read and changed, and returns the previous value", () => {
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

  it("is 422 and stays if the new one is unknown", () => {
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
