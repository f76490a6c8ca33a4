import { Config, validateFleet } from "../../../assembly/config/config";
import { parseConfig } from "../../../assembly/config/parse";
import { Environment } from "../../../assembly/ports/environment";

class NoEnvironment extends Environment {
  lookup(name: string): string | null {
    return null;
  }
}

function parse(fleet: string): Config {
  const bytes = String.UTF8.encode('{"fleet": ' + fleet + "}");
  return parseConfig(changetype<usize>(bytes), bytes.byteLength, new NoEnvironment());
}

function errorOf(fleet: string): string {
  return parse(fleet).error;
}

describe("the fleet of a configuration", () => {
  it("has defaults for all but the cluster and the name", () => {
    const fleet = parse('{"cluster": "etcd", "name": "edge-1"}').fleet!;
    expect(fleet.cluster).toBe("etcd");
    expect(fleet.name).toBe("edge-1");
    expect(fleet.prefix).toBe("");
    expect(fleet.intervalMilliseconds).toBe(50);
    expect(fleet.sessions).toBe(true);
    expect(fleet.sessionsIntervalMilliseconds).toBe(500);
    expect(fleet.waits).toBe(false);
    expect(fleet.startWaitMilliseconds).toBe(2000);
    expect(fleet.settings).toBe(true);
  });

  it("has every field read", () => {
    const fleet = parse(
      '{"cluster": "e", "name": "n_1", "prefix": "/tls", "interval_ms": 10, "sessions": false, ' +
        '"sessions_interval_ms": 50, "start": "wait", "start_wait_ms": 100, "settings": false}',
    ).fleet!;
    expect(fleet.prefix).toBe("/tls");
    expect(fleet.intervalMilliseconds).toBe(10);
    expect(fleet.sessions).toBe(false);
    expect(fleet.sessionsIntervalMilliseconds).toBe(50);
    expect(fleet.waits).toBe(true);
    expect(fleet.startWaitMilliseconds).toBe(100);
    expect(fleet.settings).toBe(false);
  });

  it("names the field that is wrong, and what would be right", () => {
    expect(errorOf("1")).toBe('fleet: expected an object, such as {"cluster": "etcd", "name": "edge-1"}');
    expect(errorOf('{"nane": "a"}')).toBe('fleet."nane": no such field; did you mean fleet.name?');
    expect(errorOf('{"name": "a b"}').includes("fleet.name: expected a name of this proxy")).toBe(true);
    expect(errorOf('{"name": ""}').includes("fleet.name: expected")).toBe(true);
    expect(errorOf('{"cluster": ""}').includes("fleet.cluster: expected the name of a cluster")).toBe(true);
    expect(errorOf('{"prefix": "/a/"}').includes("fleet.prefix: expected")).toBe(true);
    expect(errorOf('{"interval_ms": 9}')).toBe(
      "fleet.interval_ms: expected a whole number from 10 to 1000 (milliseconds)",
    );
    expect(errorOf('{"start": "now"}')).toBe('fleet.start: expected "serve" or "wait"');
    expect(errorOf('{"sessions": 1}')).toBe("fleet.sessions: expected true or false");
    expect(errorOf('{"settings": "yes"}')).toBe("fleet.settings: expected true or false");
    expect(errorOf('{"start_wait_ms": 0}').includes("fleet.start_wait_ms: expected")).toBe(true);
    expect(errorOf('{"sessions_interval_ms": 5}').includes("fleet.sessions_interval_ms: expected")).toBe(true);
  });

  it("is incomplete for the fleet filter without a cluster or a name", () => {
    expect(validateFleet(parse('{"start": "wait"}')).includes("needs fleet.cluster")).toBe(true);
    expect(validateFleet(parse('{"cluster": "etcd"}')).includes("fleet.name")).toBe(true);
    expect(validateFleet(new Config()).includes("fleet.name")).toBe(true);
    expect(validateFleet(parse('{"cluster": "etcd", "name": "a"}'))).toBe("");
  });
});
