import { Config } from "../../../assembly/config/config";
import { parseConfig } from "../../../assembly/config/parse";
import { Environment } from "../../../assembly/ports/environment";
import { RemovalSet } from "../../../assembly/session/configured/removal_set";
import { fakeHash } from "../support/fake_entropy";
import { Text } from "../support/sessions";

class NoEnvironment extends Environment {
  lookup(name: string): string | null {
    return null;
  }
}

function parse(removed: string): Config {
  const bytes = String.UTF8.encode('{"removed": ' + removed + "}");
  return parseConfig(changetype<usize>(bytes), bytes.byteLength, new NoEnvironment());
}

function setOf(removed: string): RemovalSet {
  const config = parse(removed);
  expect(config.error).toBe("");
  const set = new RemovalSet(fakeHash());
  config.removed.since = 1;
  set.build([config.removed]);
  return set;
}

const KEY = "00112233445566778899AABBCCDDEEFF";

describe("what a configuration removes", () => {
  it("is empty by default", () => {
    const bytes = String.UTF8.encode("{}");
    const config = parseConfig(changetype<usize>(bytes), bytes.byteLength, new NoEnvironment());
    expect(config.removed.length).toBe(0);
    expect(parse("{}").removed.length).toBe(0);
    expect(parse('{"sessions": []}').removed.length).toBe(0);
  });

  it("is sessions, ticket keys and server names, in any order and either case", () => {
    const set = setOf(
      '{"server_names": ["Shop.example", "b\\u00fccher.example"], "sessions": ["C0FFEE", "00"], "ticket_keys": ["' +
        KEY +
        '"]}',
    );
    expect(set.sessions).toBe(2);
    expect(set.ticketKeys).toBe(1);
    expect(set.serverNames).toBe(2);
    const bytes: StaticArray<u8> = [0xc0, 0xff, 0xee];
    expect(set.removesSession(changetype<usize>(bytes), 3)).toBe(true);
    const name = new Text("shop.EXAMPLE");
    expect(set.revokedAt(name.start, name.length)).toBe(1);
  });

  it("is taken as a whole: a fault is told with its place", () => {
    expect(parse("[]").error).toBe(
      'removed: expected an object with sessions, ticket_keys or server_names, such as {"server_names": ["shop.example"]}',
    );
    expect(parse('{"session": []}').error.startsWith('removed."session": no such field; expected an object')).toBe(
      true,
    );
    expect(parse('{"sessions": "00"}').error).toBe(
      "removed.sessions: expected an array; each entry is a session ID, 2 to 64 hexadecimal digits",
    );
    const sessions = "expected a session ID, 2 to 64 hexadecimal digits";
    expect(parse('{"sessions": ["00", "0"]}').error).toBe("removed.sessions[1]: " + sessions);
    expect(parse('{"sessions": [""]}').error).toBe("removed.sessions[0]: " + sessions);
    expect(parse('{"sessions": ["' + "0".repeat(66) + '"]}').error).toBe("removed.sessions[0]: " + sessions);
    expect(parse('{"sessions": [7]}').error).toBe("removed.sessions[0]: " + sessions);
    expect(parse('{"ticket_keys": ["00"]}').error).toBe(
      "removed.ticket_keys[0]: expected the name of a ticket key, 32 hexadecimal digits",
    );
    const names = "expected a server name, 1 to 255 bytes";
    expect(parse('{"server_names": [""]}').error).toBe("removed.server_names[0]: " + names);
    expect(parse('{"server_names": ["' + "a".repeat(256) + '"]}').error).toBe("removed.server_names[0]: " + names);
    expect(parse('{"server_names": ["' + "a".repeat(255) + '"]}').error).toBe("");
  });
});
