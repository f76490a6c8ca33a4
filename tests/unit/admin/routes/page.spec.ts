import { PAGE_ETAG, PAGE_LENGTH } from "../../../../assembly/admin/generated/page.generated";
import { Answer, Client, TOKEN } from "../../support/admin_client";

const BROWSER: string = "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,*/*;q=0.8";

function browser(): Client {
  const client = new Client();
  client.authorization = "";
  client.accept = BROWSER;
  client.acceptEncoding = "gzip, deflate";
  return client;
}

function expectPage(answer: Answer): void {
  expect(answer.status).toBe(200);
  expect(answer.header("content-type")).toBe("text/html; charset=utf-8");
  expect(answer.header("content-encoding")).toBe("gzip");
  expect(answer.length).toBe(PAGE_LENGTH);
  const bytes = answer.bytes(2);
  // RFC 1952 2.3.1
  expect(bytes[0]).toBe(0x1f);
  expect(bytes[1]).toBe(0x8b);
}

describe("the page", () => {
  it("is compressed, and needs no token", () => {
    expectPage(browser().call("GET", "/"));
    expect(browser().call("HEAD", "/").status).toBe(200);
  });

  it("is sent to a caller that names no coding, for that accepts any", () => {
    const client = browser();
    client.acceptEncoding = "";
    expectPage(client.call("GET", "/"));
    client.accept = "*/*";
    expectPage(client.call("GET", "/"));
  });

  it("is 406 for a caller that excludes gzip", () => {
    const client = browser();
    client.acceptEncoding = "br, deflate";
    const answer = client.call("GET", "/");
    expect(answer.status).toBe(406);
    expect(answer.header("content-type")).toBe("application/problem+json");
    expect(answer.detail).toBe("this page is sent compressed: accept the coding gzip, as curl --compressed does");
    expect(answer.header("vary")).toBe("accept, accept-encoding");
  });

  it("is not there for a program, with a token or without", () => {
    const client = browser();
    const others = ["", "application/json", "text/html;q=0, */*", "text/plain"];
    for (let i = 0; i < others.length; i++) {
      client.accept = others[i];
      client.authorization = "";
      expect(client.call("GET", "/").status).toBe(401, others[i]);
      client.authorization = "Bearer " + TOKEN;
      expect(client.call("GET", "/").status).toBe(404, others[i]);
    }
  });

  it("allows its own script and style alone, and calls to its own origin", () => {
    const policy = browser().call("GET", "/").header("content-security-policy");
    expect(policy.startsWith("default-src 'none'; script-src 'sha256-")).toBeTruthy(policy);
    expect(policy.includes("connect-src 'self'")).toBeTruthy(policy);
    expect(policy.includes("frame-ancestors 'none'")).toBeTruthy(policy);
    expect(policy.includes("unsafe")).toBeFalsy(policy);
    expect(policy.includes("http")).toBeFalsy(policy);
  });

  it("is not sent again to a browser that has it", () => {
    const client = browser();
    const first = client.call("GET", "/");
    expect(first.header("etag")).toBe(PAGE_ETAG);
    expect(first.header("cache-control")).toBe("no-cache");
    client.ifNoneMatch = "W/" + PAGE_ETAG;
    const again = client.call("GET", "/");
    expect(again.status).toBe(304);
    expect(again.length).toBe(0);
    expect(again.header("etag")).toBe(PAGE_ETAG);
    client.ifNoneMatch = '"another"';
    expectPage(client.call("GET", "/"));
  });

  it("has no query and no other method", () => {
    const client = browser();
    expect(client.call("GET", "/?token=x").status).toBe(400);
    expect(client.call("POST", "/").status).toBe(405);
    expect(client.call("POST", "/").header("allow")).toBe("GET, HEAD");
    expect(client.call("GET", "/index.html").status).toBe(401);
  });
});
