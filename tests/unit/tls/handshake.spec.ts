import { Bytes } from "../support/hello_bytes";
import {
  ClientHelloBuilder,
  ServerHelloBuilder,
  applicationData,
  changeCipherSpec,
  clientKeyExchange,
  newSessionTicket,
  record,
  sealedHandshake,
  serverKeyExchange,
} from "../support/hello_builder";
import { Watch } from "../support/hello_watch";

describe("a handshake", () => {
  it("completes a full TLS 1.2 handshake", () => {
    const w = new Watch();
    w.client(new ClientHelloBuilder().sni("shop.example").ticket(new Bytes()).record());
    w.server(
      record(0x16, new ServerHelloBuilder().sessionId(Bytes.counting(32)).message().append(serverKeyExchange())),
    );
    w.client(record(0x16, clientKeyExchange()).append(changeCipherSpec()).append(sealedHandshake()));
    w.server(
      record(0x16, newSessionTicket(300, Bytes.counting(176)))
        .append(changeCipherSpec())
        .append(sealedHandshake()),
    );
    expect(w.events).toBe("ClientHello ServerHello Complete");
    w.free();
  });
  it("completes TLS 1.3", () => {
    const w = new Watch();
    w.client(
      new ClientHelloBuilder()
        .sni("shop.example")
        .versions(Bytes.of("0304 0303"))
        .psk([Bytes.counting(40)])
        .record(),
    );
    w.server(new ServerHelloBuilder().tls13().psk(0).record());
    w.client(applicationData(53));
    expect(w.events).toBe("ClientHello ServerHello Complete");
    w.free();
  });
});
