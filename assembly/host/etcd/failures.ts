/** Failed calls: those that were not counted yet, and the words of the last one. */
export class Failures {
  /** Of the last one: when, a `JournalCall`, gRPC's status, the store's words. */
  at: u64 = 0;
  call: u8 = 0;
  status: i32 = 0;
  text: string = "";
  /** Of the one that `take` took. */
  takenCall: u8 = 0;
  takenStatus: i32 = 0;

  /** Calls and statuses in turn, as a ring. */
  private readonly waiting: StaticArray<i32> = new StaticArray<i32>(2 * CAPACITY);
  private first: i32 = 0;
  private count: i32 = 0;

  add(nowNanoseconds: u64, call: u8, status: i32, text: string): void {
    this.at = nowNanoseconds;
    this.call = call;
    this.status = status;
    this.text = printable(text);
    // Failures come some times a second, and are taken each tick: it is full only if nobody counts.
    if (this.count == CAPACITY) return;
    const place = ((this.first + this.count) % CAPACITY) * 2;
    this.waiting[place] = <i32>call;
    this.waiting[place + 1] = status;
    this.count++;
  }

  /** Better words for the last one. */
  explain(text: string): void {
    if (text.length > 0) this.text = printable(text);
  }

  /** Takes the earliest one that nobody took; false if there is none. */
  take(): bool {
    if (this.count == 0) return false;
    this.takenCall = <u8>this.waiting[2 * this.first];
    this.takenStatus = this.waiting[2 * this.first + 1];
    this.first = (this.first + 1) % CAPACITY;
    this.count--;
    return true;
  }
}

/** Cuts a text to MAX_TEXT_LENGTH characters, and puts a question mark for each that is not printable ASCII. */
function printable(text: string): string {
  let out = "";
  const length = min(text.length, MAX_TEXT_LENGTH);
  for (let i = 0; i < length; i++) {
    const code = text.charCodeAt(i);
    out += code >= 0x20 && code < 0x7f ? String.fromCharCode(code) : "?";
  }
  return out;
}

const CAPACITY: i32 = 64;
const MAX_TEXT_LENGTH: i32 = 200;
