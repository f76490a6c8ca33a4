import { FleetConfig } from "../../../../assembly/config/config";
import { Proxies } from "../../../../assembly/fleet/state/proxies";
import { StatusValue } from "../../../../assembly/fleet/state/status";
import { Client, configWithTokens } from "../../support/admin_client";
import { Bench } from "../../support/sessions";

/** The leader has begun just now, and reads. */
function lead(client: Client, isSynced: bool): void {
  const value = new StatusValue("default", client.bench.store);
  value.status.begunAt = client.bench.clock.nowNanoseconds();
  value.status.isSynced = isSynced ? 1 : 0;
  value.write(new Proxies());
}

describe("whether a proxy may get traffic", () => {
  it("is for callers without a token, too, and is so without a fleet", () => {
    const client = new Client();
    client.authorization = "";
    const answer = client.call("GET", "/readyz");
    expect(answer.status).toBe(200);
    expect(answer.text).toBe('{"status":"ok","fleet":"off"}');
    expect(client.call("HEAD", "/readyz").status).toBe(200);
    expect(client.call("PUT", "/readyz").status).toBe(405);
    expect(client.call("GET", "/readyz?a=1").status).toBe(400);
  });

  it("is 503 until the decisions of the fleet are here", () => {
    const client = new Client();
    lead(client, false);
    const answer = client.call("GET", "/readyz");
    expect(answer.status).toBe(503);
    expect(answer.header("retry-after")).toBe("1");
    expect(answer.header("content-type")).toBe("application/problem+json");
    expect(answer.detail).toBe("the decisions of the fleet are not here yet; see GET /v1/fleet");
    lead(client, true);
    expect(client.call("GET", "/readyz").text).toBe('{"status":"ok","fleet":"synced"}');
  });

  it("is so if the store of the fleet was not reached in two seconds, or in those of the configuration", () => {
    const client = new Client();
    lead(client, false);
    client.bench.clock.advance(3);
    expect(client.call("GET", "/readyz").text).toBe('{"status":"ok","fleet":"not_reached"}');
    const config = configWithTokens();
    const fleet = new FleetConfig();
    fleet.startWaitMilliseconds = 10_000;
    config.fleet = fleet;
    const patient = new Client(new Bench(), config);
    lead(patient, false);
    patient.bench.clock.advance(9);
    expect(patient.call("GET", "/readyz").status).toBe(503);
    patient.bench.clock.advance(2);
    expect(patient.call("GET", "/readyz").status).toBe(200);
  });
});
