import { AdminApi } from "../../../../assembly/admin/api";
import { Call } from "../../../../assembly/admin/http/call";
import { Deadline } from "../../../../assembly/work/job";
import { Answer, Client, configWithTokens, hexId, TOKEN } from "../../support/admin_client";

const SESSION: string =
  '{"session":{"id":"aa","kind":"id","protocol":null,"cipher":null,"sni":"a.example","upstream":null,' +
  '"ticket_key":null,"session":null,"time":1790000000,"issued":1790000000,"timeout":7200,"last_used":null,"hits":0,"origin":"api"}}\n';

/** POSTs lines of JSON. */
function post(client: Client, body: string, contentType: string = "application/x-ndjson"): Answer {
  const call = new Call();
  const bytes = String.UTF8.encode(body);
  call.request.method = "POST";
  call.request.path = "/v1/import";
  call.request.authorization = "Bearer " + TOKEN;
  call.request.contentType = contentType;
  const api = new AdminApi(client.bench.cache, configWithTokens());
  expect(api.begin(call)).toBe(false);
  call.request.bodyPointer = changetype<usize>(bytes);
  call.request.bodyLength = bytes.byteLength;
  api.handle(call);
  const job = call.response.job;
  if (job !== null) {
    const deadline = new Deadline(client.bench.clock);
    deadline.start(1_000_000);
    let slices = 0;
    while (slices < 1000 && !job.step(deadline)) slices++;
    api.finish(call.response);
  }
  return new Answer(call.response);
}

describe("an export", () => {
  it("is one line for each session, and one for the cursor", () => {
    const client = new Client();
    client.send("PUT", "/v1/sessions/aa", '{"sni":"a.example"}');
    const answer = client.call("GET", "/v1/export?what=sessions");
    expect(answer.status).toBe(200);
    expect(answer.header("content-type")).toBe("application/x-ndjson");
    expect(answer.text.replace(client.call("GET", "/v1/sessions/aa").text, "")).toBe('{"session":}\n{"next":null}\n');
  });

  it("of an empty cache has only the cursor, and settings if they are asked for", () => {
    const client = new Client();
    expect(client.call("GET", "/v1/export").text).toBe('{"next":null}\n');
    expect(client.call("GET", "/v1/export?what=settings").text).toBe(
      '{"settings":{"mode":["SERVER"],"cache_size":20480,"timeout":7200,"enforcement":"revoked"}}\n{"next":null}\n',
    );
  });

  it("ends a page at its limit, and goes on at its cursor", () => {
    const client = new Client();
    for (let i = 0; i < 7; i++) client.call("PUT", "/v1/sessions/" + hexId(i));
    client.call("PUT", "/v1/revocations/a.example");
    client.call("DELETE", "/v1/sessions/" + hexId(9));
    let seen = "";
    let cursor = "";
    for (let pages = 0; pages < 20; pages++) {
      const text = client.call("GET", "/v1/export?limit=2" + cursor).text;
      const at = text.lastIndexOf('{"next":');
      seen += text.substring(0, at);
      expect(text.substring(0, at).split("\n").length - 1).toBeLessThanOrEqual(2);
      const next = text.substring(at + 8, text.length - 2);
      if (next == "null") break;
      cursor = "&cursor=" + next.substring(1, next.length - 1);
    }
    expect(seen.split("\n").length - 1).toBe(9);
    for (let i = 0; i < 7; i++) expect(seen.split(hexId(i)).length).toBe(2, "each once");
    expect(seen.indexOf("revocation")).toBe(2, "refusals come first");
  });

  it("is 400 with unknown parts, limits and cursors", () => {
    const client = new Client();
    const queries = [
      "what=",
      "what=all",
      "what=sessions,",
      "limit=0",
      "limit=1001",
      "cursor=",
      "cursor=9",
      "cursor=0zz",
    ];
    for (let i = 0; i < queries.length; i++) {
      expect(client.call("GET", "/v1/export?" + queries[i]).status).toBe(400, queries[i]);
    }
  });
});

describe("an import of lines", () => {
  it("stores a session with its history, once", () => {
    const client = new Client();
    expect(post(client, SESSION).bare).toBe('{"taken":1,"identical":0,"skipped":0}');
    expect(client.call("GET", "/v1/sessions/aa").text).toBe(SESSION.substring(11, SESSION.length - 2));
    expect(post(client, SESSION).bare).toBe('{"taken":0,"identical":1,"skipped":0}');
  });

  it("is known by its first line, whatever type is named", () => {
    const types = ["", "application/json", "application/x-www-form-urlencoded"];
    for (let i = 0; i < types.length; i++) {
      const client = new Client();
      expect(post(client, "\n" + SESSION, types[i]).bare).toBe('{"taken":1,"identical":0,"skipped":0}', types[i]);
      const removed = post(client, '{"removed":{"id":"bb"}}\n{"next":null}\n', types[i]);
      expect(removed.bare).toBe('{"taken":1,"identical":0,"skipped":0}', types[i]);
      const list = post(client, '{"removed":[{"id":"cc"}]}', types[i]);
      expect(list.bare).toBe('{"taken":1,"identical":0,"skipped":0}', types[i]);
    }
  });

  it("keeps the upstream of a removed ticket key", () => {
    const client = new Client();
    const name = "00112233445566778899aabbccddeeff";
    const key = '{"ticket_key":{"name":"' + name + '","state":"removed","upstream":"10.0.0.7:443"}}\n';
    expect(post(client, key).bare).toBe('{"taken":1,"identical":0,"skipped":0}');
    expect(client.call("GET", "/v1/ticket-keys?upstream=10.0.0.7:443").text.includes(name)).toBe(true);
  });

  it("takes `told`, as earlier modules called a configured ticket key", () => {
    const client = new Client();
    const name = "00112233445566778899aabbccddeeff";
    const key = '{"ticket_key":{"name":"' + name + '","state":"told","upstream":"10.0.0.7:443"}}\n';
    expect(post(client, key).bare).toBe('{"taken":1,"identical":0,"skipped":0}');
    expect(client.call("GET", "/v1/ticket-keys").text.includes('"state":"configured"')).toBe(true);
  });

  it("takes refusals in before sessions, whatever the order of the lines", () => {
    const client = new Client();
    const removed = '{"removed":{"id":"aa"}}\n';
    expect(post(client, SESSION + removed).bare).toBe('{"taken":1,"identical":0,"skipped":1}');
    expect(client.call("GET", "/v1/sessions/aa").status).toBe(410);
  });

  it("does not learn observed sessions against the mode", () => {
    const client = new Client();
    client.send("PUT", "/v1/mode", '{"mode":["SERVER","NO_INTERNAL_STORE"]}');
    const observed = SESSION.replace('"origin":"api"', '"origin":"observed"').replace('"aa"', '"bb"');
    expect(post(client, SESSION + observed).bare).toBe('{"taken":1,"identical":0,"skipped":1}');
  });

  it("brings the cache down to a smaller size", () => {
    const client = new Client();
    for (let i = 0; i < 7; i++) client.call("PUT", "/v1/sessions/" + hexId(i));
    expect(post(client, '{"settings":{"cache_size":3}}').bare).toBe('{"taken":1,"identical":0,"skipped":0}');
    expect(client.call("GET", "/v1/stats").member("number").number).toBe(3);
  });

  it("names the line of a fault, and keeps the entries before it", () => {
    const client = new Client();
    const answer = post(client, SESSION + '\n{"session":{"id":"bb","timeout":7200,"time":-1}}\n');
    expect(answer.status).toBe(422);
    expect(answer.detail.startsWith("line 3: session: time: expected Unix seconds")).toBe(true, answer.detail);
    expect(client.call("GET", "/v1/sessions/aa").status).toBe(200);
  });
});
