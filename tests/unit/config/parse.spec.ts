import { Config, oddTokens, UNSET, validateAdmin, validateObserver } from "../../../assembly/config/config";
import { parseConfig } from "../../../assembly/config/parse";
import { unusedFields } from "../../../assembly/config/unused_fields";
import { Environment } from "../../../assembly/ports/environment";
import { Mode } from "../../../assembly/session/settings/mode";
import { BySource, SteeringMode } from "../../../assembly/steering/setup/modes";

const MOVE: string = "; if this text is not meant for several filters, move them to the one that uses them";

class FakeEnvironment extends Environment {
  lookup(name: string): string | null {
    if (name == "ADMIN_TOKEN") return "from-the-environment";
    if (name == "EMPTY") return "";
    if (name == "SHORT") return "letmein";
    if (name == "BROKEN") return "two words";
    return null;
  }
}

function parse(text: string): Config {
  const bytes = String.UTF8.encode(text);
  return parseConfig(changetype<usize>(bytes), bytes.byteLength, new FakeEnvironment());
}

function errorOf(text: string): string {
  return parse(text).error;
}

/** The error has to name the place and the remedy. */
function refuses(text: string, place: string, remedy: string): void {
  const error = errorOf(text);
  expect(error.startsWith(place)).toBeTruthy(text + " -> " + error);
  expect(error.includes(remedy)).toBeTruthy(text + " -> " + error);
  expect(error.includes("\n")).toBeFalsy();
}

describe("a configuration", () => {
  it("has only defaults if the text is empty or blank or {}", () => {
    const texts = ["", " \r\n\t", "{}"];
    for (let i = 0; i < texts.length; i++) {
      const config = parse(texts[i]);
      expect(config.error).toBe("");
      expect(config.cache).toBe("default");
      expect(config.cacheSize).toBe(UNSET);
      expect(config.timeoutSeconds).toBe(UNSET);
      expect(config.mode).toBe(UNSET);
      expect(config.removedSeconds).toBe(UNSET);
      expect(config.ticketLifetime).toBe(UNSET);
      expect(config.maxMemoryMib).toBe(UNSET);
      expect(config.admin === null).toBeTruthy();
    }
  });

  it("takes every field", () => {
    const config = parse(
      '{"cache":"edge_1-A","cache_size":0,"timeout":2147483647,"mode":["SERVER","NO_INTERNAL"],' +
        '"removed_seconds":60,"ticket_lifetime":70,"max_memory_mib":4096,"admin":{"tokens":["aaaaaaaaaaaaaaaa","bbbbbbbbbbbbbbbb"],"read_tokens":["cccccccccccccccc"],"allow_unauthenticated":true}}',
    );
    expect(config.error).toBe("");
    expect(config.cache).toBe("edge_1-A");
    expect(config.cacheSize).toBe(0);
    expect(config.timeoutSeconds).toBe(2147483647);
    expect(config.mode).toBe(<i64>(Mode.SERVER | Mode.NO_INTERNAL_LOOKUP | Mode.NO_INTERNAL_STORE));
    expect(config.removedSeconds).toBe(60);
    expect(config.ticketLifetime).toBe(70);
    expect(config.maxMemoryMib).toBe(4096);
    const admin = config.admin!;
    expect(admin.tokens.join(" ")).toBe("aaaaaaaaaaaaaaaa bbbbbbbbbbbbbbbb");
    expect(admin.readTokens.join(" ")).toBe("cccccccccccccccc");
    expect(admin.allowUnauthenticated).toBeTruthy();
  });

  it("takes whole numbers in the spelling that a protobuf Struct gives them", () => {
    expect(parse('{"cache_size":2.0480e4}').cacheSize).toBe(20480);
    expect(parse('{"timeout":7200.0}').timeoutSeconds).toBe(7200);
  });

  it("keeps OFF apart from a mode that is not given", () => {
    expect(parse('{"mode":[]}').mode).toBe(0);
    expect(parse('{"mode":["OFF"]}').mode).toBe(0);
  });

  it("refuses text that is not a JSON object", () => {
    refuses('{"cache":', "the configuration is not JSON: line 1, column 10", "expected a value");
    refuses("[]", "the configuration is not a JSON object", "{");
  });

  it("refuses numbers out of their range or of the wrong type", () => {
    refuses('{"cache_size":-1}', "cache_size:", "0 (unlimited) to 2147483647");
    refuses('{"cache_size":2147483648}', "cache_size:", "2147483647");
    refuses('{"cache_size":1.5}', "cache_size:", "whole number");
    refuses('{"cache_size":"20480"}', "cache_size:", "whole number");
    refuses('{"timeout":0}', "timeout:", "1 to 2147483647");
    refuses('{"timeout":null}', "timeout:", "whole number");
    refuses('{"removed_seconds":0}', "removed_seconds:", "1 to 2147483647");
    refuses('{"ticket_lifetime":0}', "ticket_lifetime:", "1 to 2147483647");
    refuses('{"ticket_lifetime":"7d"}', "ticket_lifetime:", "whole number");
    refuses('{"max_memory_mib":0}', "max_memory_mib:", "1 to 4096");
    refuses('{"max_memory_mib":4097}', "max_memory_mib:", "1 to 4096");
  });

  it("refuses names of caches that are empty, long or strange", () => {
    refuses('{"cache":""}', "cache:", "1 to 64");
    refuses('{"cache":"a/b"}', "cache:", "A-Z a-z 0-9");
    refuses('{"cache":"' + "x".repeat(65) + '"}', "cache:", "1 to 64");
    refuses('{"cache":7}', "cache:", "name");
    expect(errorOf('{"cache":"' + "x".repeat(64) + '"}')).toBe("");
  });

  it("names the field that does not exist, and the one that may have been meant", () => {
    refuses('{"cachesize":1}', '"cachesize": no such field', "did you mean cache_size?");
    refuses('{"Timeout":1}', '"Timeout": no such field', "did you mean timeout?");
    refuses('{"zzzzzz":1}', '"zzzzzz": no such field', "the fields are cache, cache_size");
    refuses('{"admin":{"token":[]}}', 'admin."token": no such field', "did you mean admin.tokens?");
  });

  it("keeps its error on one line whatever the field is called", () => {
    refuses('{"a\\nb\\u001b":1}', '"a\\u000ab\\u001b"', "no such field");
  });

  it("gives access logs fields only if it is configured to", () => {
    expect(parse("{}").accessLog).toBe(false);
    expect(parse('{"access_log":true}').accessLog).toBe(true);
    expect(parse('{"access_log":false}').accessLog).toBe(false);
    refuses('{"access_log":"yes"}', "access_log:", "true or false");
    refuses('{"acces_log":true}', '"acces_log": no such field', "did you mean access_log?");
  });

  it("refuses modes that are unknown, contradict each other or are for clients", () => {
    refuses('{"mode":"SERVER"}', "mode:", "array");
    refuses('{"mode":[1]}', "mode:", "names of flags");
    refuses('{"mode":["server"]}', 'mode: "server" is not a flag', "SERVER");
    refuses('{"mode":["OFF","SERVER"]}', "mode: OFF", "alone");
    refuses('{"mode":["BOTH"]}', "mode: BOTH", "use SERVER");
  });
});

describe("the steering of a configuration", () => {
  it("is off, with sources as a guess, by default", () => {
    const config = parse("{}");
    expect(config.steering).toBe(SteeringMode.Off);
    expect(config.steeringBySource).toBe(BySource.Guess);
    expect(validateObserver(config)).toBe("");
  });

  it("has three values, and so has the use of sources", () => {
    expect(parse('{"steering":"off"}').steering).toBe(SteeringMode.Off);
    expect(parse('{"steering":"hash"}').steering).toBe(SteeringMode.Hash);
    expect(parse('{"steering":"exact"}').steering).toBe(SteeringMode.Exact);
    expect(parse('{"steering_by_source":true}').steeringBySource).toBe(BySource.Guess);
    expect(parse('{"steering_by_source":false}').steeringBySource).toBe(BySource.Never);
    expect(parse('{"steering_by_source":"always"}').steeringBySource).toBe(BySource.Always);
    refuses('{"steering":"on"}', "steering: ", '"off", "hash" or "exact"');
    refuses('{"steering":true}', "steering: ", '"off", "hash" or "exact"');
    refuses('{"steering_by_source":"never"}', "steering_by_source: ", 'true, false or "always"');
    expect(parse("{}").balanceFactor).toBe(0);
    expect(parse('{"steering_balance_factor":150}').balanceFactor).toBe(150);
    refuses('{"steering_balance_factor":100}', "steering_balance_factor: ", "101 to 100000");
    refuses('{"steering_balance_factor":1.5}', "steering_balance_factor: ", "101 to 100000");
  });

  it("needs two clusters to name hosts", () => {
    const config = parse('{"steering":"exact","cluster":"web","exact_cluster":"web-exact"}');
    expect(config.cluster).toBe("web");
    expect(config.exactCluster).toBe("web-exact");
    expect(validateObserver(config)).toBe("");
    const without = validateObserver(parse('{"steering":"exact","cluster":"web"}'));
    expect(without.startsWith("steering: ") && without.includes("exact_cluster")).toBeTruthy(without);
    expect(validateObserver(parse('{"steering":"exact","exact_cluster":"web"}'))).not.toBe("");
    expect(validateObserver(parse('{"steering":"hash"}'))).toBe("");
    refuses('{"cluster":""}', "cluster: ", "1 to 127");
    refuses('{"exact_cluster":"a b"}', "exact_cluster: ", "1 to 127");
    refuses('{"cluster":"' + "a".repeat(128) + '"}', "cluster: ", "1 to 127");
  });

  it("lists addresses, and nothing else, as upstreams", () => {
    const config = parse('{"upstreams":["10.0.0.7:443","[2001:db8::7]:65535","[::ffff:10.0.0.7]:1"]}');
    expect(config.error).toBe("");
    expect(config.upstreams.length).toBe(3);
    expect(config.upstreams[1]).toBe("[2001:db8::7]:65535");
    expect(parse('{"upstreams":["[2001:DB8:0:0::7]:443"]}').upstreams[0]).toBe(
      "[2001:db8::7]:443",
      "as Envoy spells it",
    );
    const wrong = [
      '"10.0.0.7"',
      '"10.0.0.7:"',
      '"10.0.0.7:0"',
      '"10.0.0.7:65536"',
      '"10.0.0.7:443x"',
      '"shop.example:443"',
      '"2001:db8::7:443"',
      '"[2001:db8::7:443"',
      '"[2001:db8::7]443"',
      '"[2001:db8::g]:443"',
      '"999.1.1.1:80"',
      '"10.0.0:443"',
      '"10.0.0.07:443"',
      '"[2001:db8::1::2]:443"',
      '"[10.0.0.7]:443"',
      '":443"',
      '""',
      "7",
    ];
    for (let i = 0; i < wrong.length; i++) {
      refuses('{"upstreams":["10.0.0.8:443",' + wrong[i] + "]}", "upstreams[1]: ", "10.0.0.7:443");
    }
    refuses('{"upstreams":"10.0.0.7:443"}', "upstreams: ", "array");
  });
});

describe("the receiver of events", () => {
  it("is a cluster and a path, both as headers carry them", () => {
    const config = parse('{"events":{"cluster":"audit","path":"/tls-sessions"}}');
    expect(config.error).toBe("");
    expect(config.events!.cluster).toBe("audit");
    expect(config.events!.path).toBe("/tls-sessions");
    refuses('{"events":{"cluster":"audit"}}', "events: ", "both fields");
    refuses('{"events":{"cluster":"two words","path":"/"}}', "events.cluster: ", "visible ASCII");
    refuses('{"events":{"cluster":"audit","path":"events"}}', "events.path: ", "begins with /");
    refuses('{"events":{"cluster":"audit","path":"/a b"}}', "events.path: ", "visible ASCII");
    refuses('{"events":{"cluster":"audit","pat":"/"}}', 'events."pat": ', "did you mean events.path?");
  });
});

describe("the tokens of a configuration", () => {
  it("come from the text and from the environment together", () => {
    const config = parse(
      '{"admin":{"tokens":["aaaaaaaaaaaaaaaa"],"tokens_env":["ADMIN_TOKEN"],"read_tokens_env":["ADMIN_TOKEN"]}}',
    );
    expect(config.error).toBe("");
    expect(config.admin!.tokens.join(" ")).toBe("aaaaaaaaaaaaaaaa from-the-environment");
    expect(config.admin!.readTokens.join(" ")).toBe("from-the-environment");
  });

  it("skip environment variables that are not set or empty", () => {
    const config = parse('{"admin":{"tokens_env":["EMPTY","ABSENT"]}}');
    expect(config.error).toBe("");
    expect(config.admin!.tokens.length).toBe(0);
  });

  it("are refused if a header could not carry them, without being shown", () => {
    refuses('{"admin":{"tokens":["ok-0123456789abc",""]}}', "admin.tokens[1]:", "visible ASCII");
    refuses('{"admin":{"tokens":[7]}}', "admin.tokens[0]:", "visible ASCII");
    refuses('{"admin":{"tokens":"t"}}', "admin.tokens:", "array");
    refuses('{"admin":{"read_tokens":["' + "x".repeat(4097) + '"]}}', "admin.read_tokens[0]:", "4096");
    refuses('{"admin":{"tokens_env":["BROKEN"]}}', 'admin.tokens_env[0]: the value of "BROKEN"', "visible ASCII");
    expect(errorOf('{"admin":{"tokens":["secret one"]}}').includes("secret")).toBeFalsy();
    expect(errorOf('{"admin":{"tokens_env":["BROKEN"]}}').includes("two words")).toBeFalsy();
  });

  it("are refused if they are short enough to guess, with a way to make one", () => {
    refuses('{"admin":{"tokens":["aaaaaaaa","aaaaaaa"]}}', "admin.tokens[1]: ", "openssl rand -hex 32");
    refuses('{"admin":{"read_tokens":["x"]}}', "admin.read_tokens[0]: ", "shorter than 8 characters");
    refuses(
      '{"admin":{"tokens_env":["SHORT"]}}',
      'admin.tokens_env[0]: the value of "SHORT" is shorter',
      "openssl rand",
    );
    expect(errorOf('{"admin":{"tokens_env":["SHORT"]}}').includes("letmein")).toBeFalsy();
  });

  it("that are missing are reported with their variables, and with the way to give them to the filter", () => {
    const one = validateAdmin(parse('{"admin":{"tokens_env":["ABSENT"],"read_tokens":[]}}'));
    expect(one.includes("ABSENT is not set, or empty")).toBeTruthy(one);
    expect(one.includes("vm_config.environment_variables.host_env_keys")).toBeTruthy(one);
    const both = validateAdmin(parse('{"admin":{"tokens_env":["ABSENT"],"read_tokens_env":["EMPTY"]}}'));
    expect(both.includes("ABSENT, EMPTY are not set, or empty")).toBeTruthy(both);
    expect(validateAdmin(parse('{"admin":{"tokens_env":["ABSENT","ADMIN_TOKEN"]}}'))).toBe("");
  });

  it("are refused if one is in both lists", () => {
    const texts = [
      '{"admin": {"tokens": ["one-token-0123"], "read_tokens": ["other-token-0123", "one-token-0123"]}}',
      '{"admin": {"tokens_env": ["ADMIN_TOKEN"], "read_tokens": ["from-the-environment"]}}',
    ];
    for (let i = 0; i < texts.length; i++) {
      const config = parse(texts[i]);
      expect(config.error).toBe("");
      const refusal = validateAdmin(config);
      expect(refusal.startsWith("admin: one token is in tokens and in read_tokens")).toBe(true, refusal);
      expect(refusal.includes("-0123") || refusal.includes("from-the")).toBe(false, refusal);
    }
    expect(validateAdmin(parse('{"admin": {"tokens": ["one-token-0123", "one-token-0123"]}}'))).toBe("");
  });

  it("that may change something are reported as missing if the environment lacks them", () => {
    const odd = oddTokens(parse('{"admin": {"tokens_env": ["UNSET"], "read_tokens": ["one-token-0123"]}}'));
    expect(odd.startsWith("admin: nobody may change anything")).toBe(true, odd);
    expect(odd.includes("UNSET is not set, or empty")).toBe(true, odd);
    const right = [
      '{"admin": {"read_tokens": ["one-token-0123"]}}',
      '{"admin": {"tokens_env": ["ADMIN_TOKEN"], "read_tokens_env": ["UNSET"]}}',
      '{"admin": {"tokens": ["one-token-0123"], "tokens_env": ["UNSET"], "read_tokens": ["two-tokens-0123"]}}',
      "{}",
    ];
    for (let i = 0; i < right.length; i++) expect(oddTokens(parse(right[i]))).toBe("", right[i]);
  });

  it("are refused if they are too many to compare each request with", () => {
    const many = '"tttttttttttttttt",'.repeat(64) + '"tttttttttttttttt"';
    refuses('{"admin":{"tokens":[' + many + "]}}", "admin.tokens[64]:", "more than 64");
  });

  it("are required for the admin API unless it is open on purpose", () => {
    expect(
      validateAdmin(parse("{}")).includes("set admin.tokens, admin.read_tokens or admin.allow_unauthenticated"),
    ).toBeTruthy();
    expect(validateAdmin(parse('{"admin":{}}')).includes("no token configured")).toBeTruthy();
    expect(validateAdmin(parse('{"admin":{"tokens_env":["ABSENT"]}}')).includes("no token configured")).toBeTruthy();
    expect(
      validateAdmin(parse('{"admin":{"allow_unauthenticated":false}}')).includes("no token configured"),
    ).toBeTruthy();
    expect(validateAdmin(parse('{"admin":{"allow_unauthenticated":true}}'))).toBe("");
    expect(validateAdmin(parse('{"admin":{"tokens":["aaaaaaaaaaaaaaaa"]}}'))).toBe("");
    expect(validateAdmin(parse('{"admin":{"read_tokens":["aaaaaaaaaaaaaaaa"]}}'))).toBe("");
  });
});

describe("fields of another filter", () => {
  it("are named with the filter that uses them", () => {
    const text = '{"cache": "a", "steering": "hash", "cluster": "b", "access_log": true, "admin": {}, "timeout": 5}';
    expect(unusedFields(parse(text), "observer")).toBe(
      "configuration of the observer filter: without effect here: admin (of the admin filter)" + MOVE,
    );
    expect(unusedFields(parse(text), "guard")).toBe(
      "configuration of the guard filter: without effect here: steering, cluster (of the observer), " +
        "admin (of the admin filter)" +
        MOVE,
    );
    expect(unusedFields(parse(text), "admin")).toBe(
      "configuration of the admin filter: without effect here: steering, cluster (of the observer), " +
        "access_log (of observer and guard)" +
        MOVE,
    );
  });

  it("are none where each filter has its own and what belongs to the cache", () => {
    const cache =
      '{"cache": "a", "cache_size": 7, "timeout": 7, "mode": ["SERVER"], "removed_seconds": 7, "ticket_lifetime": 7, ' +
      '"max_memory_mib": 7, "enforcement": "strict", "events": {"cluster": "a", "path": "/"}';
    expect(unusedFields(parse(cache + ', "admin": {}}'), "admin")).toBe("");
    expect(unusedFields(parse(cache + ', "access_log": true}'), "guard")).toBe("");
    expect(unusedFields(parse(cache + ', "access_log": true, "steering": "off", "refusal": {}}'), "observer")).toBe("");
    expect(unusedFields(parse(""), "guard")).toBe("");
  });
});
