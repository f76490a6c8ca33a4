import { TICKET_READER_SIZE, TicketReader } from "../../../../assembly/tls/ticket/new_session_ticket";
import { ParseError } from "../../../../assembly/tls/wire/parse_error";
import { Bytes, hexOf } from "../../support/hello_bytes";

const place = memory.data(TICKET_READER_SIZE, 8);

function fresh(): TicketReader {
  memory.fill(place, 0, TICKET_READER_SIZE);
  return changetype<TicketReader>(place);
}

function body(lifetimeSeconds: u32, ticket: Bytes): Bytes {
  return new Bytes().u32(lifetimeSeconds).vector16(ticket);
}

describe("a NewSessionTicket", () => {
  it("shows the ticket's hash, key name and lifetime hint, in pieces of any size", () => {
    const message = body(86400, Bytes.counting(64));
    for (let size = 1; size <= message.length; size++) {
      const reader = fresh();
      expect<i32>(reader.start(message.length)).toBe(ParseError.None);
      for (let at = 0; at < message.length; at += size) {
        expect(reader.ticket.present).toBe(false);
        expect<i32>(reader.push(message.at + at, min(size, message.length - at))).toBe(ParseError.None);
      }
      expect(reader.ticket.length).toBe(64);
      expect(reader.lifetimeHintSeconds).toBe(86400);
      expect(hexOf(reader.ticket.key, 16)).toBe("000102030405060708090a0b0c0d0e0f");
      expect(hexOf(reader.ticket.hash, 32)).toBe("fdeab9acf3710362bd2658cdc9a29e8f9c757fcf9811603a8c447cd1d9151108");
    }
  });

  it("issues nothing where the ticket is empty", () => {
    const reader = fresh();
    const message = body(7, new Bytes());
    expect<i32>(reader.start(message.length)).toBe(ParseError.None);
    expect<i32>(reader.push(message.at, message.length)).toBe(ParseError.None);
    expect(reader.ticket.present).toBe(false);
  });

  it("has no key name where the ticket is shorter than 16 bytes", () => {
    const reader = fresh();
    const message = body(7, Bytes.counting(15));
    reader.start(message.length);
    reader.push(message.at, message.length);
    expect(reader.ticket.present).toBe(true);
    expect(reader.ticket.key).toBe(0);
  });

  it("is malformed where the lengths of ticket and message do not agree", () => {
    expect<i32>(fresh().start(5)).toBe(ParseError.NewSessionTicket);
    const message = body(7, Bytes.counting(20));
    const long = fresh();
    long.start(message.length + 1);
    expect<i32>(long.push(message.at, message.length)).toBe(ParseError.NewSessionTicket);
    const short = fresh();
    short.start(message.length - 1);
    expect<i32>(short.push(message.at, message.length - 1)).toBe(ParseError.NewSessionTicket);
  });

  it("takes the place of the one before", () => {
    const reader = fresh();
    const first = body(7, Bytes.counting(20));
    reader.start(first.length);
    reader.push(first.at, first.length);
    const second = body(8, Bytes.counting(64));
    reader.start(second.length);
    expect(reader.ticket.present).toBe(false);
    reader.push(second.at, second.length);
    expect(reader.lifetimeHintSeconds).toBe(8);
    expect(hexOf(reader.ticket.hash, 32)).toBe("fdeab9acf3710362bd2658cdc9a29e8f9c757fcf9811603a8c447cd1d9151108");
  });
});
