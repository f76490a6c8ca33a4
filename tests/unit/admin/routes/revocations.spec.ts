import { GivenSettings } from "../../../../assembly/session/settings/settings";
import { FakeClock } from "../../support/fake_clock";
import { FakeMetrics } from "../../support/fake_metrics";
import { FakeStore } from "../../support/fake_store";
import { Bench } from "../../support/sessions";
import { serverNamesOfOnePage } from "../../support/table_names";
import { Answer, Client, READ_TOKEN } from "../../support/admin_client";

const PATH: string = "/v1/revocations/shop.example";

describe("a revocation", () => {
  it("is added, then replaced, then removed, then not found", () => {
    const client = new Client();
    expect(client.call("GET", "/v1/revocations").bare).toBe('{"revocations":[]}');
    const added = client.call("PUT", PATH);
    expect(added.status).toBe(201);
    expect(added.bare).toBe(
      '{"result":1,"outcome":"added","revocation":{"sni":"shop.example","time":1790000000,"until":1790604800,"unseen":"by_name"}}',
    );
    client.bench.clock.advance(7);
    const replaced = client.send("PUT", PATH, "{}");
    expect(replaced.status).toBe(200);
    expect(replaced.bare).toBe(
      '{"result":1,"outcome":"replaced","revocation":{"sni":"shop.example","time":1790000007,"until":1790604807,"unseen":"by_name"}}',
    );
    expect(client.call("GET", "/v1/revocations").bare).toBe(
      '{"revocations":[{"sni":"shop.example","time":1790000007,"until":1790604807,"unseen":"by_name"}]}',
    );
    const removed = client.call("DELETE", PATH);
    expect(removed.status).toBe(200);
    expect(removed.bare).toBe('{"result":1,"outcome":"removed"}');
    expect(client.call("GET", "/v1/revocations").bare).toBe('{"revocations":[]}');
    const again = client.call("DELETE", PATH);
    expect(again.status).toBe(404);
    expect(again.bare).toBe('{"result":0,"outcome":"not_found"}');
    expect(again.header("content-type")).toBe("application/json");
    expect(client.call("PUT", PATH).status).toBe(201);
  });

  it("is shown after it was lifted only with lifted=true", () => {
    const client = new Client();
    client.call("PUT", PATH);
    client.bench.clock.advance(7);
    client.call("DELETE", PATH);
    const shown =
      '{"revocations":[{"sni":"shop.example","time":1790000000,"until":1790000007,"unseen":"by_name","lifted":1790000007}]}';
    expect(client.call("GET", "/v1/revocations?lifted=true").bare).toBe(shown);
    expect(client.call("GET", "/v1/revocations?lifted=false").bare).toBe('{"revocations":[]}');
    expect(client.call("GET", "/v1/revocations?lifted=1").status).toBe(400);
    expect(client.call("GET", "/v1/revocations?lifted").status).toBe(400);
    client.bench.clock.advance(604_800);
    client.call("PUT", "/v1/revocations/other.example");
    client.call("PUT", PATH);
    expect(client.call("GET", "/v1/revocations?lifted=true").bare.includes("lifted")).toBe(false);
  });

  it("does not depend on the case of the name, and shows it in lower case", () => {
    const client = new Client();
    expect(client.call("PUT", "/v1/revocations/Shop.EXAMPLE").member("revocation").member("sni")!.text).toBe(
      "shop.example",
    );
    expect(client.call("PUT", PATH).member("outcome").text).toBe("replaced");
    expect(client.call("GET", "/v1/revocations").bare).toBe(
      '{"revocations":[{"sni":"shop.example","time":1790000000,"until":1790604800,"unseen":"by_name"}]}',
    );
    expect(client.call("DELETE", "/v1/revocations/SHOP.example").status).toBe(200);
  });

  it("is in force for another worker", () => {
    const client = new Client();
    const other = new Client(client.bench.worker());
    client.call("PUT", PATH);
    expect(other.call("GET", "/v1/revocations").member("revocations").items.length).toBe(1);
    expect(other.call("DELETE", PATH).status).toBe(200);
  });

  it("takes no other field", () => {
    const client = new Client();
    const answer = client.send("PUT", PATH, '{"time":1}');
    expect(answer.status).toBe(400);
    expect(answer.detail).toBe('body: "time" is not a field; expected ticket_lifetime, unseen');
    expect(client.send("PUT", PATH, "[]").detail).toBe("body: expected a JSON object with ticket_lifetime, unseen");
    expect(client.call("GET", "/v1/revocations").bare).toBe('{"revocations":[]}');
  });

  it("ends by itself when all older tickets must have expired, by the lifetime of the call or of the configuration", () => {
    const given = new GivenSettings();
    given.ticketLifetime = 1000;
    const client = new Client(new Bench(new FakeStore(), new FakeClock(), new FakeMetrics(), given));
    expect(untilOf(client.call("PUT", "/v1/revocations/a.example"))).toBe(1790001000);
    expect(untilOf(client.send("PUT", "/v1/revocations/b.example", '{"ticket_lifetime":2000}'))).toBe(1790002000);
    expect(untilOf(client.send("PUT", "/v1/revocations/b.example", '{"ticket_lifetime":5}'))).toBe(1790002000);
    client.bench.clock.advance(1001);
    expect(client.call("GET", "/v1/revocations").bare).toBe(
      '{"revocations":[{"sni":"b.example","time":1790000000,"until":1790002000,"unseen":"by_name"}]}',
    );
    expect(client.call("DELETE", "/v1/revocations/a.example").status).toBe(404);
    const again = client.call("PUT", "/v1/revocations/a.example");
    expect(again.status).toBe(201, "what was over is not replaced");
    expect(untilOf(again)).toBe(1790002001);
  });

  it("keeps its effect on unseen sessions until a call changes it", () => {
    const client = new Client();
    expect(client.send("PUT", PATH, '{"unseen":"refuse"}').member("revocation").member("unseen")!.text).toBe("refuse");
    expect(client.call("PUT", PATH).member("revocation").member("unseen")!.text).toBe("refuse");
    expect(client.send("PUT", PATH, '{"unseen":"by_name"}').member("revocation").member("unseen")!.text).toBe(
      "by_name",
    );
  });

  it("is 422 if a value is of the wrong type or out of its range, and revokes nothing", () => {
    const client = new Client();
    const bodies = [
      '{"ticket_lifetime":0}',
      '{"ticket_lifetime":2147483648}',
      '{"ticket_lifetime":1.5}',
      '{"ticket_lifetime":"60"}',
      '{"ticket_lifetime":null}',
      '{"unseen":"never"}',
      '{"unseen":null}',
      '{"unseen":true}',
    ];
    for (let i = 0; i < bodies.length; i++) {
      const answer = client.send("PUT", PATH, bodies[i]);
      expect(answer.status).toBe(422, bodies[i]);
      expect(answer.detail.includes("expected")).toBe(true);
    }
    expect(client.call("GET", "/v1/revocations").bare).toBe('{"revocations":[]}');
    expect(client.send("PUT", PATH, '{"ticket_lifetime":2147483647}').status).toBe(201);
  });

  it("is 503 if there is no room for another one", () => {
    const client = new Client();
    const names = serverNamesOfOnePage(90);
    for (let i = 0; i < names.length; i++) client.call("PUT", "/v1/revocations/" + names[i]);
    const answer = client.call("PUT", "/v1/revocations/" + names[89]);
    expect(answer.status).toBe(503);
    expect(answer.header("retry-after")).toBe("1");
    expect(client.call("PUT", "/v1/revocations/" + names[0]).status).toBe(200);
  });

  it("is 503 if lifting it cannot be stored", () => {
    const client = new Client();
    client.call("PUT", PATH);
    client.bench.store.alwaysConflicts = true;
    expect(client.call("DELETE", PATH).status).toBe(503);
    client.bench.store.alwaysConflicts = false;
    expect(client.call("DELETE", PATH).status).toBe(200);
  });

  it("may not be made or lifted with a token that may only read", () => {
    const client = new Client();
    client.call("PUT", PATH);
    client.authorization = "Bearer " + READ_TOKEN;
    expect(client.call("PUT", "/v1/revocations/other.example").status).toBe(403);
    expect(client.call("DELETE", PATH).status).toBe(403);
    expect(client.call("GET", "/v1/revocations").member("revocations").items.length).toBe(1);
  });
});

describe("a server name in a path", () => {
  it("is percent-encoded, and a plus is a plus", () => {
    const client = new Client();
    const paths = ["a%2Fb", "b%C3%84cher", "a+b", "%20", "%22%5c", "%00", "%25"];
    const names = ["a/b", "b\u00c4cher", "a+b", " ", '"\\', "\u0000", "%"];
    for (let i = 0; i < paths.length; i++) {
      const answer = client.call("PUT", "/v1/revocations/" + paths[i]);
      expect(answer.status).toBe(201, paths[i]);
      expect(answer.member("revocation").member("sni")!.text).toBe(names[i]);
    }
    expect(client.call("GET", "/v1/revocations").member("revocations").items.length).toBe(paths.length);
    for (let i = 0; i < paths.length; i++) {
      expect(client.call("DELETE", "/v1/revocations/" + paths[i]).status).toBe(200, paths[i]);
    }
  });

  it("is 1 to 255 bytes of UTF-8", () => {
    const client = new Client();
    expect(client.call("PUT", "/v1/revocations/" + "a".repeat(255)).status).toBe(201);
    expect(client.call("PUT", "/v1/revocations/a" + "%C3%A9".repeat(127)).status).toBe(201);
    const wrong = ["a".repeat(256), "%C3%A9".repeat(128), "%", "a%4", "%zz", "%ff", "%C3%28", "%ED%A0%80", "\ud800"];
    for (let i = 0; i < wrong.length; i++) {
      expect(client.call("PUT", "/v1/revocations/" + wrong[i]).status).toBe(400, wrong[i]);
      expect(client.call("DELETE", "/v1/revocations/" + wrong[i]).status).toBe(400, wrong[i]);
    }
    expect(client.call("GET", "/v1/revocations").member("revocations").items.length).toBe(2);
  });
});

function untilOf(answer: Answer): u64 {
  return answer.member("revocation").member("until")!.number;
}
