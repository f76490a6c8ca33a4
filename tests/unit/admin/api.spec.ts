import { AdminApi } from "../../../assembly/admin/api";
import { Call } from "../../../assembly/admin/http/call";
import { Bench } from "../support/sessions";
import { Client, configWithTokens, hexId, TOKEN } from "../support/admin_client";

describe("a path", () => {
  it("that does not exist is 404 with a hint where the paths are listed", () => {
    const client = new Client();
    const paths = [
      "/",
      "",
      "*",
      "/v1",
      "/v1/",
      "/v1/sessions/",
      "/v1/sessions/" + hexId(1) + "/",
      "/v1/sessions/aa/bb",
      "/v1/stats/",
      "/healthz/",
      "/V1/stats",
      "/v1//stats",
      "/v1/enforcement/",
      "/v1/ticket-keys/",
      "/v1/ticket-keys/" + "ab".repeat(16) + "/",
      "/v1/revocations/",
      "/v1/revocations/shop.example/",
      "/v1/\u0000\n",
    ];
    for (let i = 0; i < paths.length; i++) {
      const answer = client.call("GET", paths[i]);
      expect(answer.status).toBe(404, paths[i]);
      expect(answer.header("content-type")).toBe("application/problem+json");
      expect(answer.member("status").number).toBe(404);
      expect(answer.detail.includes("/v1/openapi.json")).toBeTruthy();
    }
  });

  it("names its methods", () => {
    const client = new Client();
    const session = client.call("PATCH", "/v1/sessions/" + hexId(1));
    expect(session.status).toBe(405);
    expect(session.header("allow")).toBe("GET, HEAD, PUT, DELETE");
    expect(client.call("POST", "/v1/sessions").header("allow")).toBe("GET, HEAD");
    expect(client.call("GET", "/v1/sessions/flush").header("allow")).toBe("POST");
    expect(client.call("DELETE", "/v1/mode").header("allow")).toBe("GET, HEAD, PUT");
    expect(client.call("POST", "/v1/enforcement").header("allow")).toBe("GET, HEAD, PUT");
    expect(client.call("PUT", "/v1/ticket-keys").header("allow")).toBe("GET, HEAD");
    expect(client.call("GET", "/v1/ticket-keys/" + "ab".repeat(16)).header("allow")).toBe("PUT, DELETE");
    expect(client.call("DELETE", "/v1/revocations").header("allow")).toBe("GET, HEAD");
    expect(client.call("GET", "/v1/revocations/shop.example").header("allow")).toBe("PUT, DELETE");
    expect(client.call("OPTIONS", "/v1/stats").header("allow")).toBe("GET, HEAD");
    expect(client.call("get", "/v1/stats").status).toBe(405);
    expect(client.call("", "/v1/stats").status).toBe(405);
    expect(client.call("GET, HEAD", "/v1/stats").status).toBe(405);
  });

  it("takes no query but its own", () => {
    const client = new Client();
    const paths = [
      "/v1/sessions?x=1",
      "/v1/sessions?Limit=1",
      "/v1/sessions?limit=1&limit=1",
      "/v1/sessions?limit=%",
      "/v1/removed?protocol=TLSv1.2",
      "/v1/sessions/" + hexId(1) + "?force=1",
      "/v1/stats?reset",
      "/v1/mode?x=",
      "/v1/enforcement?x",
      "/v1/ticket-keys?limit=1",
      "/v1/revocations?limit=1",
      "/healthz?x",
      "/v1/openapi.json?x",
    ];
    for (let i = 0; i < paths.length; i++) expect(client.call("GET", paths[i]).status).toBe(400, paths[i]);
    expect(client.send("PUT", "/v1/timeout?dry=1", '{"timeout":1}').status).toBe(400);
    expect(client.call("GET", "/v1/stats?").status).toBe(200);
  });

  it("answers HEAD as GET", () => {
    const client = new Client();
    expect(client.call("HEAD", "/v1/timeout").text).toBe(client.call("GET", "/v1/timeout").text);
    expect(client.call("HEAD", "/v1/sessions/" + hexId(1)).status).toBe(404);
  });
});

describe("an answer", () => {
  it("is JSON, and no-store", () => {
    const client = new Client();
    const paths = [
      "/healthz",
      "/v1/sessions",
      "/v1/removed",
      "/v1/stats",
      "/v1/mode",
      "/v1/enforcement",
      "/v1/ticket-keys",
      "/v1/revocations",
      "/v1/openapi.json",
    ];
    for (let i = 0; i < paths.length; i++) {
      const answer = client.call("GET", paths[i]);
      expect(answer.status).toBe(200);
      expect(answer.header("content-type")).toBe("application/json");
      expect(answer.header("cache-control")).toBe("no-store");
      expect(answer.json.names.length).toBeGreaterThan(0);
    }
  });

  it("about a problem is that of RFC 9457", () => {
    const answer = new Client().call("GET", "/nothing");
    expect(answer.header("cache-control")).toBe("no-store");
    expect(answer.json.names.join(" ")).toBe("title status detail");
    expect(answer.member("title").text).toBe("Not Found");
  });

  it("to a body that is too large is 413", () => {
    const client = new Client();
    const path = "/v1/sessions/" + hexId(1);
    expect(client.send("PUT", path, " ".repeat(65536 - 2) + "{}").status).toBe(201);
    expect(client.send("PUT", path, " ".repeat(65536) + "{}").status).toBe(413);
  });

  it("is decided by wrong headers, and waits for the body after right ones", () => {
    const api = new AdminApi(new Bench().cache, configWithTokens());
    const paths = ["/v1/sessions/zz", "/v1/mode?x=1", "/nothing"];
    for (let i = 0; i < paths.length; i++) {
      expect(api.begin(put(paths[i]))).toBeTruthy(paths[i]);
    }
    const call = put("/v1/sessions/aa");
    expect(api.begin(call)).toBeFalsy();
    expect(call.response.status).toBe(0);
  });

  it("is 503 if the store cannot be read, but not that of /healthz", () => {
    const client = new Client();
    client.bench.store.broken = true;
    const paths = ["/v1/sessions", "/v1/removed", "/v1/sessions/aa", "/v1/stats", "/v1/mode", "/v1/ticket-keys"];
    for (let i = 0; i < paths.length; i++) {
      const answer = client.call("GET", paths[i]);
      expect(answer.status).toBe(503, paths[i]);
      expect(answer.header("retry-after")).toBe("1");
    }
    expect(client.call("GET", "/healthz").status).toBe(200);
  });

  it("is 503 if a change cannot be stored, with a time to try again", () => {
    const client = new Client();
    client.bench.store.alwaysConflicts = true;
    const path = "/v1/sessions/" + hexId(1);
    const calls = [
      client.send("PUT", path, ""),
      client.call("DELETE", path),
      client.send("PUT", "/v1/mode", '{"mode":[]}'),
      client.send("PUT", "/v1/cache-size", '{"cache_size":1}'),
      client.send("PUT", "/v1/timeout", '{"timeout":1}'),
      client.send("PUT", "/v1/enforcement", '{"enforcement":"strict"}'),
      client.send("PUT", "/v1/ticket-keys/" + "ab".repeat(16), '{"upstream":"10.0.0.7:443"}'),
      client.call("DELETE", "/v1/ticket-keys/" + "ab".repeat(16)),
      client.call("PUT", "/v1/revocations/shop.example"),
      client.send("POST", "/v1/sessions/flush", "{}"),
    ];
    for (let i = 0; i < calls.length; i++) {
      expect(calls[i].status).toBe(503, i.toString());
      expect(calls[i].header("retry-after")).toBe("1");
      expect(calls[i].header("content-type")).toBe("application/problem+json");
    }
  });
});

describe("a body that is not a JSON object of known fields", () => {
  it("is 400 on every path that takes a body", () => {
    const client = new Client();
    const methods = ["PUT", "POST", "PUT", "PUT", "PUT", "PUT", "PUT", "PUT"];
    const paths = [
      "/v1/sessions/" + hexId(1),
      "/v1/sessions/flush",
      "/v1/mode",
      "/v1/cache-size",
      "/v1/timeout",
      "/v1/enforcement",
      "/v1/ticket-keys/" + "ab".repeat(16),
      "/v1/revocations/shop.example",
    ];
    const bodies = [
      "x",
      "{",
      "null",
      "[]",
      "7",
      '"mode"',
      '{"unknown":1}',
      '{"timeout":1,"timeout":1}',
      '{"mode":["SERVER"],"x":1}',
      "{}{}",
      " ",
      "[".repeat(60000),
    ];
    for (let i = 0; i < paths.length; i++) {
      for (let j = 0; j < bodies.length; j++) {
        const answer = client.send(methods[i], paths[i], bodies[j]);
        expect(answer.status).toBe(400, paths[i] + " " + bodies[j].substring(0, 40));
        expect(answer.detail.startsWith("body: ")).toBeTruthy();
      }
    }
    expect(client.bench.number()).toBe(0);
    expect(client.call("GET", "/v1/ticket-keys").text).toBe('{"ticket_keys":[]}');
    expect(client.call("GET", "/v1/revocations").text).toBe('{"revocations":[]}');
  });

  it("may not be missing if a field is required", () => {
    const client = new Client();
    expect(client.call("PUT", "/v1/mode").status).toBe(400);
    expect(client.send("PUT", "/v1/mode", "").status).toBe(400);
    expect(client.send("PUT", "/v1/mode", "{}").status).toBe(400);
    expect(client.send("PUT", "/v1/cache-size", "{}").status).toBe(400);
    expect(client.send("PUT", "/v1/timeout", "{}").status).toBe(400);
    expect(client.call("POST", "/v1/sessions/flush").status).toBe(400);
    expect(client.send("PUT", "/v1/enforcement", "{}").status).toBe(400);
    expect(client.call("PUT", "/v1/enforcement").status).toBe(400);
  });
});

function put(path: string): Call {
  const call = new Call();
  call.request.method = "PUT";
  call.request.path = path;
  call.request.authorization = "Bearer " + TOKEN;
  return call;
}
