import { Client, hexId, READ_TOKEN, TOKEN } from "../support/admin_client";

const METHODS: string[] = ["GET", "PUT", "POST", "DELETE", "HEAD", "PATCH", "", "\u0000"];
const PATHS: string[] = [
  "/v1/sessions",
  "/v1/sessions/",
  "/v1/sessions/flush",
  "/v1/sessions/" + hexId(1),
  "/v1/sessions/aa",
  "/v1/removed",
  "/v1/stats",
  "/v1/mode",
  "/v1/cache-size",
  "/v1/timeout",
  "/v1/enforcement",
  "/v1/ticket-keys",
  "/v1/ticket-keys/" + "aB".repeat(16),
  "/v1/revocations",
  "/v1/revocations/a%2Fb",
  "/v1/revocations/%",
  "/healthz",
  "",
];
const QUERIES: string[] = [
  "",
  "?",
  "?limit=3",
  "?limit=%30",
  "?cursor=" + "0".repeat(40),
  "?sni=%00&kind=psk",
  "?upstream=[::]:1",
  "?%",
  "?&&=&",
  "?limit=99999999999999999999",
];
const PIECES: string[] = [
  "{",
  "}",
  "[",
  "]",
  ",",
  ":",
  '"mode"',
  '"timeout"',
  '"cache_size"',
  '"before"',
  '"sni"',
  '"upstream"',
  '"enforcement"',
  '"strict"',
  '"SERVER"',
  '"[::1]:1"',
  "1",
  "0",
  "-1e5",
  "null",
  '"',
  "\\u0000",
  "\ud800",
];
const AUTHORIZATIONS: string[] = [
  "Bearer " + TOKEN,
  "Bearer " + TOKEN,
  "Bearer " + READ_TOKEN,
  "",
  "Bearer",
  "\u00e9 \u00e9",
];
const STATUSES: i32[] = [200, 201, 400, 401, 403, 404, 405, 410, 422];

describe("any request at all", () => {
  it("is answered with a status of the contract and a JSON object", () => {
    const client = new Client();
    let state: u32 = 0xc0ffee11;
    const seen = new Map<i32, bool>();
    for (let round = 0; round < 4000; round++) {
      state = next(state);
      const method = METHODS[(state >> 3) % METHODS.length];
      state = next(state);
      const path = PATHS[(state >> 3) % PATHS.length] + (state % 3 == 0 ? QUERIES[(state >> 9) % QUERIES.length] : "");
      state = next(state);
      client.authorization = AUTHORIZATIONS[(state >> 3) % AUTHORIZATIONS.length];
      let body = state % 2 == 0 ? "{" : "";
      for (let i: u32 = 0; i < (state >> 9) % 7; i++) {
        state = next(state);
        body += PIECES[(state >> 3) % PIECES.length];
      }
      const answer = client.send(method, path, body);
      expect(STATUSES.includes(answer.status)).toBeTruthy(method + " " + path + " " + answer.status.toString());
      expect(answer.json.names.length).toBeGreaterThan(0, path);
      seen.set(answer.status, true);
    }
    expect(seen.size).toBeGreaterThan(6, "the requests are too much alike");
  });
});

describe("any session ID and any field", () => {
  it("comes back as it was stored", () => {
    const client = new Client();
    let state: u32 = 0x1badb002;
    for (let round = 0; round < 200; round++) {
      state = next(state);
      const id = state.toString(16).padStart(8, "0");
      const sni = "s" + (state >> 4).toString() + ".example";
      const timeout = (state >> 1).toString();
      const put = client.send("PUT", "/v1/sessions/" + id, '{"sni":"' + sni + '","timeout":' + timeout + "}");
      expect(put.status).toBe(201);
      const session = client.call("GET", "/v1/sessions/" + id.toUpperCase());
      expect(session.member("id").text).toBe(id);
      expect(session.member("sni").text).toBe(sni);
      expect(session.member("timeout").number).toBe(<u64>(state >> 1));
    }
    expect(client.bench.number()).toBe(200);
  });
});

/** xorshift32 */
function next(state: u32): u32 {
  state ^= state << 13;
  state ^= state >> 17;
  state ^= state << 5;
  return state;
}
