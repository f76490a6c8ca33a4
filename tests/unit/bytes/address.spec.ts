import { canonicalAddress } from "../../../assembly/bytes/address";

describe("the address of an upstream", () => {
  it("stays as it is in Envoy's spelling", () => {
    const addresses = [
      "10.0.0.7:443",
      "0.0.0.0:1",
      "255.255.255.255:65535",
      "[2001:db8::1]:443",
      "[::]:80",
      "[::1]:80",
      "[1::]:80",
      "[1:2:3:4:5:6:7:8]:80",
      "[::ffff:10.0.0.7]:443",
      "[1:0:2:3:4:5:6:7]:80",
      "[fe80::1:0:0:1]:80",
    ];
    for (let i = 0; i < addresses.length; i++) expect(canonicalAddress(addresses[i])).toBe(addresses[i]);
  });

  it("is brought into Envoy's spelling", () => {
    expect(canonicalAddress("[2001:DB8:0:0:0:0:0:1]:443")).toBe("[2001:db8::1]:443");
    expect(canonicalAddress("[2001:0db8::0001]:443")).toBe("[2001:db8::1]:443");
    expect(canonicalAddress("[0:0:0:0:0:0:0:0]:1")).toBe("[::]:1");
    expect(canonicalAddress("[1:0:0:2:0:0:0:3]:1")).toBe("[1:0:0:2::3]:1");
    expect(canonicalAddress("[1:0:0:2:3:0:0:4]:1")).toBe("[1::2:3:0:0:4]:1");
    expect(canonicalAddress("[::FFFF:a00:7]:443")).toBe("[::ffff:10.0.0.7]:443");
    expect(canonicalAddress("[64:ff9b::192.0.2.1]:1")).toBe("[64:ff9b::c000:201]:1");
    expect(canonicalAddress("[1::0]:1")).toBe("[1::]:1");
  });

  it("is refused if it is malformed", () => {
    const texts = [
      "",
      ":",
      ":443",
      "10.0.0.7",
      "10.0.0.7:",
      "10.0.0.7:0",
      "10.0.0.7:65536",
      "10.0.0.7:0443",
      "10.0.0.7:+443",
      "10.0.0.7:443 ",
      " 10.0.0.7:443",
      "10.0.0:443",
      "10.0.0.0.7:443",
      "10.0.0.256:443",
      "10.0.0.07:443",
      "10.0.0.:443",
      "shop.example:443",
      "::1:443",
      "[::1]",
      "[::1]443",
      "[]:443",
      "[:]:443",
      "[:::]:443",
      "[1::2::3]:443",
      "[1:2:3:4:5:6:7]:443",
      "[1:2:3:4:5:6:7:8:9]:443",
      "[1:2:3:4:5:6:7::8]:443x",
      "[1:2:3:4:5:6:7:8::]:443",
      "[12345::]:443",
      "[g::]:443",
      "[:1::2]:443",
      "[1::2:]:443",
      "[fe80::1%eth0]:443",
      "[1.2.3.4::]:443",
      "[::1.2.3.4:5]:443",
      "[::1.2.3]:443",
      "[::1",
      "[10.0.0.7]:443",
      "1".repeat(65) + ":443",
    ];
    for (let i = 0; i < texts.length; i++) expect(canonicalAddress(texts[i])).toBe("", texts[i]);
  });
});
