import { cipherName, cipherOf } from "../../../../assembly/admin/fields/cipher_suites";
import { CIPHER_SUITE_NAMES, CIPHER_SUITE_VALUES } from "../../../../assembly/admin/generated/cipher_suites.generated";

describe("a cipher suite", () => {
  it("has the name of the IANA registry", () => {
    // RFC 8446 B.4, RFC 5289 3, RFC 5246 A.5, RFC 7905 2
    expect(cipherName(0x1301)).toBe("TLS_AES_128_GCM_SHA256");
    expect(cipherName(0xc02c)).toBe("TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384");
    expect(cipherName(0x002f)).toBe("TLS_RSA_WITH_AES_128_CBC_SHA");
    expect(cipherName(0xcca8)).toBe("TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256");
  });

  it("without a name is shown as its value", () => {
    expect(cipherName(0x0a0a)).toBe("0x0a0a");
    expect(cipherName(0xffff)).toBe("0xffff");
    expect(cipherName(0xd004)).toBe("0xd004");
  });

  it("is found by its name or its value in either case", () => {
    expect(cipherOf("TLS_AES_128_GCM_SHA256")).toBe(0x1301);
    expect(cipherOf("0x1301")).toBe(0x1301);
    expect(cipherOf("0xC02c")).toBe(0xc02c);
    expect(cipherOf("0Xffff")).toBe(0xffff);
    expect(cipherOf("0x0000")).toBe(0);
  });

  it("is found by the name or value that is shown for it, for all suites", () => {
    expect(CIPHER_SUITE_NAMES.length).toBe(CIPHER_SUITE_VALUES.length);
    expect(CIPHER_SUITE_NAMES.length).toBeGreaterThan(340);
    for (let i = 0; i < CIPHER_SUITE_VALUES.length; i++) {
      expect(cipherOf(cipherName(CIPHER_SUITE_VALUES[i]))).toBe(CIPHER_SUITE_VALUES[i]);
    }
  });

  it("is not found by anything else", () => {
    const texts = [
      "",
      "0x",
      "0x130",
      "0x13011",
      "1301",
      "0x13g1",
      "x1301",
      "tls_aes_128_gcm_sha256",
      "AES128-SHA",
      "0x130é",
    ];
    for (let i = 0; i < texts.length; i++) expect(cipherOf(texts[i])).toBe(-1, texts[i]);
  });
});
