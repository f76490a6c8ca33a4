import { Client } from "../../support/admin_client";

describe("the mode", () => {
  it("is read and changed, and returns the previous value", () => {
    const client = new Client();
    expect(client.call("GET", "/v1/mode").bare).toBe('{"mode":["SERVER"]}');
    expect(client.send("PUT", "/v1/mode", '{"mode":["NO_INTERNAL_STORE","SERVER"]}').bare).toBe(
      '{"mode":["SERVER","NO_INTERNAL_STORE"],"previous":["SERVER"]}',
    );
    expect(client.call("GET", "/v1/mode").bare).toBe('{"mode":["SERVER","NO_INTERNAL_STORE"]}');
  });

  it("comes back expanded", () => {
    const client = new Client();
    expect(client.send("PUT", "/v1/mode", '{"mode":["SERVER","NO_INTERNAL","NO_AUTO_CLEAR","UPDATE_TIME"]}').bare).toBe(
      '{"mode":["SERVER","NO_AUTO_CLEAR","NO_INTERNAL_LOOKUP","NO_INTERNAL_STORE","UPDATE_TIME"],"previous":["SERVER"]}',
    );
  });

  it("is OFF as an empty list or by its name", () => {
    const client = new Client();
    expect(client.send("PUT", "/v1/mode", '{"mode":[]}').bare).toBe('{"mode":["OFF"],"previous":["SERVER"]}');
    expect(client.send("PUT", "/v1/mode", '{"mode":["OFF"]}').bare).toBe('{"mode":["OFF"],"previous":["OFF"]}');
    expect(client.send("PUT", "/v1/mode", '{"mode":["OFF","OFF"]}').status).toBe(200);
  });

  it("is 422 and stays if the new one is impossible", () => {
    const client = new Client();
    const modes = [
      '"SERVER"',
      "null",
      "2",
      '{"SERVER":true}',
      '["server"]',
      '["SERVER",7]',
      '["OFF","SERVER"]',
      '["SERVER","OFF"]',
      '["CLIENT"]',
      '["BOTH"]',
      '[""]',
      '["SSL_SESS_CACHE_SERVER"]',
      "[null]",
    ];
    for (let i = 0; i < modes.length; i++) {
      expect(client.send("PUT", "/v1/mode", '{"mode":' + modes[i] + "}").status).toBe(422, modes[i]);
    }
    expect(
      client.send("PUT", "/v1/mode", '{"mode":["CLIENT"]}').detail.includes("observes the servers' side"),
    ).toBeTruthy();
    expect(client.call("GET", "/v1/mode").bare).toBe('{"mode":["SERVER"]}');
  });
});
