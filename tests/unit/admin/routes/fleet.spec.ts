import { JournalCall, JournalState } from "../../../../assembly/ports/journal";
import { FleetStatus, StatusValue } from "../../../../assembly/fleet/state/status";
import { Proxies, writePresence } from "../../../../assembly/fleet/state/proxies";
import { NANOSECONDS_PER_SECOND } from "../../../../assembly/ports/clock";
import { Client, READ_TOKEN } from "../../support/admin_client";

/** The state as a leader writes it, with one other proxy. */
function lead(client: Client, change: (status: FleetStatus) => void = (status) => {}): void {
  const bench = client.bench;
  const now = bench.clock.nowNanoseconds();
  const value = new StatusValue("default", bench.store);
  const status = value.status;
  status.run = 0x0123456789abcdef;
  status.writtenAt = now;
  status.since = now - 60 * NANOSECONDS_PER_SECOND;
  status.heardAt = now - 2 * NANOSECONDS_PER_SECOND;
  status.clusterId = 0xff;
  status.revision = 77;
  status.pendingDecisions = 3;
  status.pendingSessions = 4;
  status.oldest = now - 5 * NANOSECONDS_PER_SECOND;
  status.told = 10;
  status.applied = 11;
  status.resyncs = 1;
  status.skipped = 2;
  status.state = <u8>JournalState.Following;
  status.isSynced = 1;
  status.setTexts("edge-1", "");
  change(status);
  const proxies = new Proxies();
  const name = String.UTF8.encode("edge-2");
  const presence = heap.alloc(64);
  const length = writePresence(presence, 5, now + 1_500_000_000, 70, "0.1.0");
  proxies.note(changetype<usize>(name), name.byteLength, presence, length, now, true);
  value.write(proxies);
}

describe("the fleet", () => {
  it("is off without a fleet filter", () => {
    expect(new Client().call("GET", "/v1/fleet").text).toBe('{"state":"off"}');
  });

  it("is shown as its leader wrote it, also to those that may only read", () => {
    const client = new Client();
    client.authorization = "Bearer " + READ_TOKEN;
    lead(client);
    const now = client.bench.clock.nowSeconds();
    expect(client.call("GET", "/v1/fleet").text).toBe(
      '{"state":"following","name":"edge-1","run":"0123456789abcdef","since":' +
        (now - 60).toString() +
        ',"cluster_id":"00000000000000ff","revision":77,"heard_seconds_ago":2,"synced":true,' +
        '"pending":{"decisions":3,"sessions":4,"oldest_seconds":5},"told":10,"applied":11,"resyncs":1,"skipped":2,' +
        '"last_error":null,"proxies":[{"name":"edge-2","run":"0000000000000005","seen":' +
        (now + 1).toString() +
        ',"clock_skew_ms":1500,"applied":70,"version":"0.1.0"}]}',
    );
  });

  it("has no number of a store that was never reached, and shows the last failed call", () => {
    const client = new Client();
    lead(client, (status) => {
      status.state = <u8>JournalState.Connecting;
      status.clusterId = 0;
      status.heardAt = 0;
      status.failedAt = status.writtenAt;
      status.failedCall = JournalCall.RANGE;
      status.failedStatus = 14;
      status.setTexts("edge-1", "no host");
    });
    const answer = client.call("GET", "/v1/fleet");
    expect(answer.member("state").text).toBe("connecting");
    expect(answer.text.includes('"cluster_id":null')).toBe(true, answer.text);
    expect(answer.text.includes('"heard_seconds_ago":null')).toBe(true, answer.text);
    const now = client.bench.clock.nowSeconds().toString();
    const error = '"last_error":{"time":' + now + ',"call":"range","status":14,"text":"no host"}';
    expect(answer.text.includes(error)).toBe(true, answer.text);
  });

  it("is replayed until all is taken over, and connecting again if its leader says nothing", () => {
    const client = new Client();
    lead(client, (status) => {
      status.state = <u8>JournalState.Replaying;
    });
    expect(client.call("GET", "/v1/fleet").member("state").text).toBe("replaying");
    client.bench.clock.advance(11);
    expect(client.call("GET", "/v1/fleet").member("state").text).toBe("connecting");
  });

  it("is off if the value in the store is none", () => {
    const client = new Client();
    lead(client);
    const key = String.UTF8.encode("tls_session_cache/2/default/fleet/status");
    client.bench.store.overwrite(changetype<usize>(key), key.byteLength, changetype<usize>(key), 5);
    expect(client.call("GET", "/v1/fleet").text).toBe('{"state":"off"}');
  });
});
