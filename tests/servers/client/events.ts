/**
 * A server's output, one event at a time: whole handshake messages, changes of cipher spec, application data. New keys apply
 * from the next record on. A fatal alert, or the end, is thrown as `Stopped`.
 */
import type { Protection } from "./protection.ts";
import { ALERT, APPLICATION_DATA, CHANGE_CIPHER_SPEC, HANDSHAKE, MessageReader, type TlsRecord } from "./records.ts";
import { Stopped, type Wire } from "./wire.ts";

export type ServerEvent =
  { kind: "message"; type: number; bytes: Buffer; body: Buffer } | { kind: "change" } | { kind: "data"; bytes: Buffer };

export class ServerEvents {
  private readonly messages = new MessageReader();
  private pending: TlsRecord | undefined;
  protection: Protection | undefined;
  /** TLS 1.3: a change of cipher spec is never under keys, and means nothing. */
  ignoresChanges = false;

  constructor(readonly wire: Wire) {}

  async next(): Promise<ServerEvent> {
    for (;;) {
      const bytes = this.messages.next();
      if (bytes !== undefined) return { kind: "message", type: bytes[0]!, bytes, body: bytes.subarray(4) };
      const { type, body } = this.opened(await this.record());
      if (type === HANDSHAKE) this.messages.push(body);
      else if (type === APPLICATION_DATA) return { kind: "data", bytes: body };
      else if (type === ALERT) this.alert(body);
      else if (type !== CHANGE_CIPHER_SPEC) throw new Stopped("broken", `a record of type ${type}`);
      else if (!this.ignoresChanges) return { kind: "change" };
    }
  }

  /** The next record as it came; `next` returns it again. */
  async peek(): Promise<TlsRecord> {
    this.pending ??= await this.wire.next();
    return this.pending;
  }

  /** Drops the peeked record. */
  drop(): void {
    this.pending = undefined;
  }

  async message(...types: number[]): Promise<{ type: number; bytes: Buffer; body: Buffer }> {
    const event = await this.next();
    if (event.kind !== "message" || !types.includes(event.type)) {
      const said = event.kind === "message" ? `message ${event.type}` : event.kind;
      throw new Stopped("broken", `${said} instead of message ${types.join(" or ")}`);
    }
    return event;
  }

  private async record(): Promise<TlsRecord> {
    const found = this.pending ?? (await this.wire.next());
    this.pending = undefined;
    return found;
  }

  private opened(record: TlsRecord): { type: number; body: Buffer } {
    if (this.protection === undefined || (this.ignoresChanges && record.type === CHANGE_CIPHER_SPEC)) return record;
    const opened = this.protection.open(record);
    if (opened !== undefined) return opened;
    // The filter, which answers in place of the server, sends alerts in clear.
    if (record.type === ALERT && record.body.length === 2) return record;
    throw new Stopped("broken", "a record that does not decrypt");
  }

  private alert(body: Buffer): void {
    const [level, description = -1] = body;
    if (description === 0) throw new Stopped("closed", "close_notify");
    if (level === 2 || this.ignoresChanges) throw new Stopped("refused", `alert ${description}`, description);
  }
}
