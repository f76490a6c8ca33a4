import { OFFERS_SIZE, Offers, TICKET_OWNER, Unsure } from "../../../../assembly/tls/hello/offers";
import { Bytes, hashOf } from "../../support/hello_bytes";
import { unsureName } from "../../support/hello_watch";

const offers = changetype<Offers>(memory.data(OFFERS_SIZE, 8));
const ticket = Bytes.counting(64);

/** Offers a session ID. */
function offerId(id: Bytes): void {
  memory.copy(offers.sessionIdPlace, id.at, id.length);
  offers.sessionIdLength = id.length;
}

describe("offers", () => {
  it("are nothing after they were cleared, but for what stays unsure", () => {
    memory.fill(changetype<usize>(offers), 0xff, OFFERS_SIZE);
    offers.clear(Unsure.PSK);
    expect(unsureName(offers.unsure)).toBe("psk");
    expect(offers.sniLength).toBe(-1);
    expect(offers.sessionIdLength).toBe(0);
    expect(offers.ticket.present).toBe(false);
    expect(offers.pskCount).toBe(0);
    expect(offers.furtherCount).toBe(0);
    expect(offers.tls13 || offers.earlyData || offers.encryptedHello).toBe(false);
    offers.clear(0);
    expect(unsureName(offers.unsure)).toBe("nothing");
  });

  it("have no name where it is unsure", () => {
    offers.clear(0);
    offers.readSniLength = 5;
    expect(offers.sniLength).toBe(5);
    offers.unsure = Unsure.LEGACY | Unsure.PSK;
    expect(offers.sniLength).toBe(5);
    offers.unsure = Unsure.NAME;
    expect(offers.sniLength).toBe(-1);
    offers.clear(0);
    offers.readSniLength = 5;
    offers.dropName();
    expect(offers.sniLength).toBe(-1);
    expect(unsureName(offers.unsure)).toBe("name");
  });

  it("keep four further identities apart, with what each is of", () => {
    offers.clear(0);
    for (let i = 0; i < 4; i++) {
      const further = offers.addFurther(i - 1);
      if (further) further.read(ticket.at, 20 + i);
    }
    expect(offers.furtherCount).toBe(4);
    for (let i = 0; i < 4; i++) {
      expect(offers.ownerOf(i)).toBe(i - 1);
      expect(offers.further(i).length).toBe(20 + i);
    }
    expect(unsureName(offers.unsure)).toBe("nothing");
  });

  it("make unsure what a fifth would be of", () => {
    offers.clear(0);
    for (let i = 0; i < 4; i++) offers.addFurther(TICKET_OWNER);
    expect(offers.addFurther(2) === null).toBe(true);
    expect(unsureName(offers.unsure)).toBe("psk");
    expect(offers.addFurther(TICKET_OWNER) === null).toBe(true);
    expect(unsureName(offers.unsure)).toBe("legacy psk");
    expect(offers.furtherCount).toBe(4);
  });

  it("see a session ID that is made up from the ticket, whole and of that one alone", () => {
    offers.clear(0);
    const made = Bytes.of(hashOf(ticket));
    offerId(made);
    expect(offers.idIsOfTicket).toBe(false);
    offers.ticket.read(ticket.at, 64);
    expect(offers.idIsOfTicket).toBe(true);
    offerId(made.slice(0, 31));
    expect(offers.idIsOfTicket).toBe(false);
    offerId(Bytes.of(hashOf(ticket)).overwrite(31, made.byte(31) ^ 1));
    expect(offers.idIsOfTicket).toBe(false);
    offerId(made);
    offers.ticket.read(ticket.at, 63);
    expect(offers.idIsOfTicket).toBe(false);
  });
});
