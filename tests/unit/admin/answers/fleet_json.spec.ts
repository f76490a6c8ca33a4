import { Proxies } from "../../../../assembly/fleet/state/proxies";
import { StatusValue } from "../../../../assembly/fleet/state/status";
import { GivenSettings, Settings } from "../../../../assembly/session/settings/settings";
import { Answer, Client } from "../../support/admin_client";
import { FakeEntropy } from "../../support/fake_entropy";

const KEY: string = "00112233445566778899aabbccddeeff";

/** A client of a cache with a fleet filter in force. */
function clientInFleet(): Client {
  const client = new Client();
  const bench = client.bench;
  const settings = new Settings("default", bench.store, new FakeEntropy());
  const now = bench.clock.nowSeconds();
  settings.configure("edge/fleet", new GivenSettings(), 1, 1, now);
  settings.tick(true, 1, now);
  return client;
}

function expectPending(answer: Answer, status: i32): void {
  expect(answer.status).toBe(status, answer.text);
  expect(answer.member("fleet").text).toBe("pending", answer.text);
}

function expectNothing(answer: Answer, status: i32): void {
  expect(answer.status).toBe(status, answer.text);
  expect(answer.json.member("fleet") == null).toBe(true, answer.text);
}

describe("the answer to a change, if a fleet makes it, too,", () => {
  it("says so of sessions and removals", () => {
    const client = clientInFleet();
    expectPending(client.call("PUT", "/v1/sessions/aa"), 201);
    expectPending(client.send("PUT", "/v1/sessions/aa", '{"sni":"a.example"}'), 200);
    expectPending(client.call("DELETE", "/v1/sessions/aa"), 200);
    expectPending(client.call("DELETE", "/v1/sessions/bb"), 404);
    expectPending(client.send("POST", "/v1/sessions/flush", "{}"), 200);
    client.send("PUT", "/v1/sessions/cc", '{"sni":"a.example"}');
    expectPending(client.send("POST", "/v1/sessions/remove", '{"sni":"a.example"}'), 200);
    const removed = '{"removed":[{"id":"ee","until":' + (client.bench.clock.nowSeconds() + 50).toString() + "}]}";
    expectPending(client.send("POST", "/v1/removed", removed), 200);
  });

  it("says so of ticket keys, revocations and shared settings", () => {
    const client = clientInFleet();
    expectPending(client.send("PUT", "/v1/ticket-keys/" + KEY, '{"upstream":"10.0.0.7:443"}'), 201);
    expectPending(client.call("DELETE", "/v1/ticket-keys/" + KEY), 200);
    expectPending(client.call("PUT", "/v1/ticket-keys/" + KEY), 200);
    expectPending(client.call("PUT", "/v1/revocations/a.example"), 201);
    expectPending(client.call("DELETE", "/v1/revocations/a.example"), 200);
    expectPending(client.send("PUT", "/v1/mode", '{"mode":["SERVER"]}'), 200);
    expectPending(client.send("PUT", "/v1/timeout", '{"timeout":60}'), 200);
    expectPending(client.send("PUT", "/v1/enforcement", '{"enforcement":"strict"}'), 200);
  });

  it("does not say so of calls that change nothing, fail, or concern this proxy alone", () => {
    const client = clientInFleet();
    client.send("PUT", "/v1/sessions/aa", '{"sni":"a.example"}');
    expectNothing(client.send("PUT", "/v1/sessions/aa", '{"sni":"a.example"}'), 200);
    expectNothing(client.call("GET", "/v1/sessions/aa"), 200);
    expectNothing(client.send("PUT", "/v1/sessions/aa", '{"timeout":0}'), 422);
    expectNothing(client.send("POST", "/v1/sessions/remove", '{"sni":"a.example","dry_run":true}'), 200);
    expectNothing(client.send("POST", "/v1/sessions/remove", '{"sni":"b.example"}'), 200);
    expectNothing(client.call("PUT", "/v1/ticket-keys/" + KEY), 404);
    expectNothing(client.call("DELETE", "/v1/revocations/a.example"), 404);
    expectNothing(client.send("PUT", "/v1/cache-size", '{"cache_size":100}'), 200);
    expectNothing(client.send("POST", "/v1/removed", '{"removed":[]}'), 200);
    expectNothing(client.call("GET", "/v1/mode"), 200);
  });

  it("does not say so of settings that this proxy keeps for itself", () => {
    const client = clientInFleet();
    const value = new StatusValue("default", client.bench.store);
    value.status.keepsSettings = true;
    value.write(new Proxies());
    expectNothing(client.send("PUT", "/v1/mode", '{"mode":["SERVER"]}'), 200);
    expectNothing(client.send("PUT", "/v1/timeout", '{"timeout":60}'), 200);
    expectNothing(client.send("PUT", "/v1/enforcement", '{"enforcement":"strict"}'), 200);
    expectPending(client.call("PUT", "/v1/revocations/a.example"), 201);
    value.status.keepsSettings = false;
    value.write(new Proxies());
    expectPending(client.send("PUT", "/v1/timeout", '{"timeout":61}'), 200);
    value.free();
  });

  it("does not say so without a fleet filter in force", () => {
    const client = new Client();
    expectNothing(client.call("PUT", "/v1/sessions/aa"), 201);
    expectNothing(client.send("PUT", "/v1/timeout", '{"timeout":60}'), 200);
  });
});
