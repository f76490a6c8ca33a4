import { Access, BearerTokens } from "../../../assembly/admin/access";
import { AdminConfig, Config } from "../../../assembly/config/config";
import { Bench } from "../support/sessions";
import { Client, configWithTokens, hexId, READ_TOKEN, TOKEN } from "../support/admin_client";

function accessOf(authorization: string): Access {
  return new BearerTokens(configWithTokens().admin).accessOf(authorization);
}

describe("a bearer token", () => {
  it("gives the access of its list, at any place in it", () => {
    expect(accessOf("Bearer " + TOKEN)).toBe(Access.All);
    expect(accessOf("Bearer another-token-0123")).toBe(Access.All);
    expect(accessOf("Bearer " + READ_TOKEN)).toBe(Access.Read);
  });

  it("has a scheme in any case and any number of spaces behind it", () => {
    expect(accessOf("bearer " + TOKEN)).toBe(Access.All);
    expect(accessOf("BEARER   " + TOKEN)).toBe(Access.All);
  });

  it("opens nothing if a character differs, is missing or is added", () => {
    expect(accessOf("Bearer " + TOKEN + "x")).toBe(Access.None);
    expect(accessOf("Bearer x" + TOKEN)).toBe(Access.None);
    expect(accessOf("Bearer " + TOKEN.substring(1))).toBe(Access.None);
    expect(accessOf("Bearer " + TOKEN.toUpperCase())).toBe(Access.None);
    expect(accessOf("Bearer " + TOKEN + " " + TOKEN)).toBe(Access.None);
  });

  it("opens nothing under another scheme or without one", () => {
    expect(accessOf("")).toBe(Access.None);
    expect(accessOf("Bearer")).toBe(Access.None);
    expect(accessOf("Bearer ")).toBe(Access.None);
    expect(accessOf(TOKEN)).toBe(Access.None);
    expect(accessOf("Basic " + TOKEN)).toBe(Access.None);
    expect(accessOf("Bearer" + TOKEN)).toBe(Access.None);
  });

  it("of both lists opens everything", () => {
    const admin = new AdminConfig();
    admin.tokens = ["both"];
    admin.readTokens = ["both"];
    expect(new BearerTokens(admin).accessOf("Bearer both")).toBe(Access.All);
  });

  it("is not needed if the API is open on purpose and no token exists", () => {
    const open = new AdminConfig();
    open.allowUnauthenticated = true;
    expect(new BearerTokens(open).accessOf("")).toBe(Access.All);
    open.readTokens = ["t"];
    expect(new BearerTokens(open).accessOf("")).toBe(Access.None);
    expect(new BearerTokens(new AdminConfig()).accessOf("Bearer ")).toBe(Access.None);
    expect(new BearerTokens(null).accessOf("Bearer x")).toBe(Access.None);
  });
});

describe("a request without a valid token", () => {
  it("gets 401 with the way to authenticate, on every path", () => {
    const client = new Client();
    client.authorization = "Bearer wrong";
    const paths = ["/v1/sessions", "/v1/sessions/zz", "/nothing", "/v1/sessions?limit=0", "/"];
    for (let i = 0; i < paths.length; i++) {
      const answer = client.call("GET", paths[i]);
      expect(answer.status).toBe(401, paths[i]);
      expect(answer.header("www-authenticate")).toBe("Bearer");
      expect(answer.header("content-type")).toBe("application/problem+json");
      expect(answer.text.includes("wrong")).toBeFalsy();
    }
    expect(client.send("PATCH", "/v1/mode", "{}").status).toBe(401);
  });

  it("may ask for the health", () => {
    const client = new Client();
    client.authorization = "";
    const answer = client.call("GET", "/healthz");
    expect(answer.status).toBe(200);
    expect(answer.text).toBe('{"status":"ok"}');
    expect(client.call("HEAD", "/healthz").status).toBe(200);
    expect(client.call("POST", "/healthz").status).toBe(405);
  });

  it("changes nothing", () => {
    const client = new Client();
    client.authorization = "";
    client.send("PUT", "/v1/sessions/" + hexId(1), "");
    expect(client.bench.number()).toBe(0);
  });
});

describe("a read token", () => {
  it("reads everything and changes nothing", () => {
    const client = new Client();
    client.authorization = "Bearer " + READ_TOKEN;
    const reads = ["/v1/sessions", "/v1/removed", "/v1/stats", "/v1/mode", "/v1/cache-size", "/v1/timeout"];
    for (let i = 0; i < reads.length; i++) {
      expect(client.call("GET", reads[i]).status).toBe(200, reads[i]);
      expect(client.call("HEAD", reads[i]).status).toBe(200, reads[i]);
    }
    expect(client.call("GET", "/v1/openapi.json").status).toBe(200);
    expect(client.call("GET", "/v1/sessions/" + hexId(1)).status).toBe(404);
    expect(client.send("PUT", "/v1/sessions/" + hexId(1), "").status).toBe(403);
    expect(client.call("DELETE", "/v1/sessions/" + hexId(1)).status).toBe(403);
    expect(client.send("POST", "/v1/sessions/flush", "{}").status).toBe(403);
    expect(client.send("PUT", "/v1/mode", '{"mode":[]}').status).toBe(403);
    expect(client.send("PUT", "/v1/cache-size", '{"cache_size":1}').status).toBe(403);
    expect(client.send("PUT", "/v1/timeout", '{"timeout":1}').status).toBe(403);
    expect(client.bench.number()).toBe(0);
  });

  it("gets 405 for a missing method before 403", () => {
    const client = new Client();
    client.authorization = "Bearer " + READ_TOKEN;
    expect(client.call("DELETE", "/v1/mode").status).toBe(405);
    expect(client.send("PUT", "/v1/sessions/zz", "").status).toBe(403);
  });
});

describe("an API that is open on purpose", () => {
  it("takes changes from anybody", () => {
    const config = new Config();
    const admin = new AdminConfig();
    admin.allowUnauthenticated = true;
    config.admin = admin;
    const client = new Client(new Bench(), config);
    client.authorization = "";
    expect(client.send("PUT", "/v1/sessions/" + hexId(1), "").status).toBe(201);
  });
});
