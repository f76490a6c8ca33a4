/** Mutations of a hello's fields in front of the extensions, of its lengths and of its end. */
import { EXT } from "../client/hello.ts";
import { uint16 } from "../client/records.ts";
import { bytesOf, hex, numberOf, type Operation } from "./step.ts";

export const HELLO_OPERATIONS: Operation[] = [
  {
    name: "hello.version",
    weight: 3,
    make: (random) => ({
      version: random.pick([0x0303, 0x0302, 0x0301, 0x0300, 0x0304, 0x0305, 0x03ff, 0x0400, 0x0403, 0x7f1c, 0xffff, 0]),
    }),
    apply: ({ hello }, step) => {
      hello.version = numberOf(step, "version");
    },
  },
  {
    name: "hello.session_id",
    weight: 4,
    // Not for a resumption by ID: another ID would leave nothing to resume.
    bases: ["ticket", "psk", "retry", "early", "full12", "full13"],
    firstOnly: true,
    make: (random) => ({ id: hex(random.bytes(random.pick([0, 1, 2, 16, 31, 32, 33, 48, 64, 255]))) }),
    apply: ({ hello }, step) => {
      hello.sessionId = bytesOf(step, "id");
    },
  },
  {
    name: "hello.session_id_appended",
    weight: 2,
    make: (random) => ({ bytes: hex(random.bytes(random.pick([1, 2, 16, 32]))) }),
    apply: ({ hello }, step) => {
      hello.sessionId = Buffer.concat([hello.sessionId, bytesOf(step, "bytes")]);
    },
  },
  {
    name: "hello.session_id_cut",
    weight: 0.5,
    make: (random) => ({ bytes: random.pick([1, 2, 16]) }),
    apply: ({ hello }, step) => {
      hello.sessionId = hello.sessionId.subarray(0, Math.max(0, hello.sessionId.length - numberOf(step, "bytes")));
    },
  },
  {
    name: "hello.suites",
    weight: 4,
    make: (random) => {
      const suites = random.pick([
        "0a0a",
        "fafa",
        "00ff",
        "5600",
        "1301",
        "13031302",
        "00",
        "c0",
        "0000",
        "c02b",
        "ccddee",
      ]);
      return { suites, front: random.below(2) === 0 };
    },
    apply: ({ hello }, step) => {
      const more = bytesOf(step, "suites");
      hello.suites = Buffer.concat(step.front === true ? [more, hello.suites] : [hello.suites, more]);
    },
  },
  {
    name: "hello.many_suites",
    weight: 1,
    make: (random) => ({ count: random.pick([50, 200, 1000, 20_000]) }),
    apply: ({ hello }, step) => {
      const many = Array.from({ length: numberOf(step, "count") }, (_, index) => uint16(0x2000 + (index & 0xfff)));
      hello.suites = Buffer.concat([hello.suites, ...many]);
    },
  },
  {
    name: "hello.huge",
    weight: 0.5,
    // About 128 kB, the most that most servers accept.
    make: (random) => ({
      suites: random.pick([10_000, 32_000, 32_700]),
      padding: random.pick([20_000, 60_000, 64_500]),
    }),
    apply: ({ extensions, hello }, step) => {
      const many = Array.from({ length: numberOf(step, "suites") }, (_, index) => uint16(0x2000 + (index & 0xfff)));
      hello.suites = Buffer.concat([hello.suites, ...many]);
      extensions.unshift({ type: EXT.padding, body: Buffer.alloc(numberOf(step, "padding")) });
    },
  },
  {
    name: "hello.compression",
    weight: 3,
    make: (random) => ({
      methods: random.pick(["", "0001", "0100", "01", "000000", "0040", "00".repeat(255), "01ff00"]),
    }),
    apply: ({ hello }, step) => {
      hello.compression = bytesOf(step, "methods");
    },
  },
  {
    name: "hello.trailing",
    weight: 3,
    make: (random) => ({ bytes: hex(random.bytes(random.pick([1, 2, 3, 4, 5, 40]))) }),
    apply: ({ hello }, step) => {
      hello.trailing = bytesOf(step, "bytes");
    },
  },
  {
    name: "hello.block_length",
    weight: 2,
    make: (random) => ({ off: random.pick([-5, -4, -2, -1, 1, 2, 4, 40, 1000]) }),
    apply: ({ hello }, step) => {
      hello.blockLengthOff = numberOf(step, "off");
    },
  },
  {
    name: "hello.message_length",
    weight: 0.7,
    make: (random) => ({ off: random.pick([-5, -1, 1, 5]) }),
    apply: ({ hello }, step) => {
      hello.messageLengthOff = numberOf(step, "off");
    },
  },
  {
    name: "hello.no_block",
    weight: 2,
    bases: ["id", "full12"],
    make: () => ({}),
    apply: ({ hello }) => {
      hello.extensions = undefined;
      // TLS_EMPTY_RENEGOTIATION_INFO_SCSV, in place of the extension renegotiation_info (RFC 5746 3.3).
      hello.suites = Buffer.concat([hello.suites, Buffer.from("00ff", "hex")]);
    },
  },
];
