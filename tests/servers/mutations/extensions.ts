/** Mutations of extensions, known and unknown to servers: presence, order, number, lengths and bodies. */
import { EXT, type Extension } from "../client/hello.ts";
import { serverNameBody } from "../client/plan.ts";
import { uint16, vector } from "../client/records.ts";
import { Random } from "../../support/random.ts";
import { bytesOf, hex, numberOf, type Operation, type Step, type Target } from "./step.ts";

const KNOWN = [0, 10, 11, 13, 23, 35, 41, 42, 43, 45, 51, 0xff01];
const GREASE = [0x0a0a, 0x1a1a, 0xfafa];
/** Types that only some servers know, and types that none knows. */
const STRANGE = [
  1, 5, 9, 14, 15, 17, 18, 19, 20, 22, 24, 27, 28, 34, 46, 47, 49, 50, 57, 99, 0x3374, 0x4469, 0x7777, 0xffff,
];

/** Type and body. */
const ADDED: readonly (readonly [number, string])[] = [
  [EXT.earlyData, ""],
  [EXT.earlyData, "00"],
  [EXT.earlyData, "00000000"],
  [EXT.psk, ""],
  [EXT.psk, "00"],
  [EXT.psk, "0000"],
  [EXT.psk, "00000000"],
  [EXT.psk, "0006000000000000000100"],
  [EXT.psk, "000700016100000000000201ff"],
  [EXT.psk, "ffff"],
  [EXT.versions, "020303"],
  [EXT.versions, "0403030302"],
  [EXT.versions, "0403040303"],
  [EXT.versions, "0403030304"],
  [EXT.versions, "06fafa03030301"],
  [EXT.versions, "03030300"],
  [EXT.versions, "0203030000"],
  [EXT.versions, "00"],
  [EXT.versions, ""],
  [EXT.versions, "0203"],
  [EXT.versions, "020301"],
  [EXT.versions, "027f1c"],
  [EXT.pskModes, "0100"],
  [EXT.pskModes, "00"],
  [EXT.pskModes, ""],
  [EXT.pskModes, "03000102"],
  [EXT.keyShare, ""],
  [EXT.keyShare, "0000"],
  [EXT.keyShare, "ffff"],
  [EXT.ticket, ""],
  [EXT.cookie, "000161"],
  [EXT.cookie, ""],
  [EXT.alpn, "000908687474702f312e31"],
  [EXT.alpn, "0003026832"],
  [EXT.alpn, ""],
  [EXT.alpn, "0000"],
  [EXT.padding, ""],
  [EXT.padding, "01"],
  [EXT.padding, "00".repeat(100)],
  [15, "01"],
  [15, ""],
  [5, "0100000000"],
  [5, "00"],
  [22, ""],
  [1, "01"],
  [EXT.ech, "00" + "0001000100" + "0020" + "11".repeat(32) + "00a0" + "22".repeat(160)],
  [EXT.ech, "01"],
  [EXT.ech, ""],
  [27, "020002"],
  [28, "4001"],
  [13172, ""],
];

const NAMES = [
  "other.example",
  "SHOP.EXAMPLE",
  "a",
  "127.0.0.1",
  "shop.example.",
  "\u0000",
  "x".repeat(255),
  "x".repeat(300),
];

export const EXTENSION_OPERATIONS: Operation[] = [
  {
    name: "extension.remove",
    weight: 5,
    make: (random) => ({ type: random.pick(KNOWN) }),
    apply: (target, step) => {
      replace(
        target,
        target.extensions.filter(({ type }) => type !== step.type),
      );
    },
  },
  {
    name: "extension.add",
    weight: 9,
    make: (random) => {
      const [type, body] = random.pick(ADDED);
      return { type, body, at: random.below(1001) };
    },
    apply: (target, step) => addAt(target, { type: numberOf(step, "type"), body: bytesOf(step, "body") }, step),
  },
  {
    name: "extension.unknown",
    weight: 6,
    make: (random) => ({
      type: random.pick(random.below(2) === 0 ? GREASE : STRANGE),
      body: hex(random.bytes(random.pick([0, 0, 1, 2, 5, 40]))),
      times: random.pick([1, 1, 2, 2, 3, 70]),
      at: random.below(1001),
    }),
    apply: (target, step) => {
      for (let i = numberOf(step, "times"); i > 0; i--) {
        addAt(target, { type: numberOf(step, "type"), body: bytesOf(step, "body") }, step);
      }
    },
  },
  {
    name: "extension.duplicate",
    weight: 5,
    make: (random) => ({ type: random.pick(KNOWN), at: random.below(1001) }),
    apply: (target, step) => {
      const found = target.extensions.find(({ type }) => type === step.type);
      if (found !== undefined) addAt(target, { ...found }, step);
    },
  },
  {
    name: "extension.move",
    weight: 4,
    make: (random) => ({ type: random.pick([...KNOWN, 41, 35]), at: random.below(1001) }),
    apply: (target, step) => {
      const found = target.extensions.find(({ type }) => type === step.type);
      if (found === undefined) return;
      replace(
        target,
        target.extensions.filter((one) => one !== found),
      );
      addAt(target, found, step);
    },
  },
  {
    name: "extension.shuffle",
    weight: 3,
    make: (random) => ({ seed: random.below(1_000_000), keepsLast: random.below(3) > 0 }),
    apply: (target, step) => {
      const random = new Random(numberOf(step, "seed"));
      const last = step.keepsLast === true ? target.extensions.filter(({ type }) => type === EXT.psk) : [];
      const rest = target.extensions.filter((one) => !last.includes(one));
      for (let i = rest.length - 1; i > 0; i--) {
        const other = random.below(i + 1);
        [rest[i], rest[other]] = [rest[other]!, rest[i]!];
      }
      replace(target, [...rest, ...last]);
    },
  },
  {
    name: "extension.body",
    weight: 4,
    make: (random) => ({
      type: random.pick(KNOWN),
      body: random.pick(["", "00", "0000", "000000", "ff", "0001", "0100", "ffff00"]),
    }),
    apply: ({ extensions }, step) => {
      for (const one of extensions.filter(({ type }) => type === step.type)) {
        // For pre_shared_key, these bytes follow the binders.
        one.body = bytesOf(step, "body");
      }
    },
  },
  {
    name: "extension.append",
    weight: 5,
    make: (random) => ({ type: random.pick(KNOWN), bytes: hex(random.bytes(random.pick([1, 1, 2, 3, 16]))) }),
    apply: ({ extensions }, step) => {
      for (const one of extensions.filter(({ type }) => type === step.type)) {
        one.body = Buffer.concat([one.body, bytesOf(step, "bytes")]);
      }
    },
  },
  {
    name: "extension.truncate",
    weight: 2,
    make: (random) => ({ type: random.pick(KNOWN), bytes: random.pick([1, 1, 2, 3]) }),
    apply: ({ extensions }, step) => {
      for (const one of extensions.filter(({ type }) => type === step.type)) {
        one.body = one.body.subarray(0, Math.max(0, one.body.length - numberOf(step, "bytes")));
      }
    },
  },
  {
    name: "extension.length",
    weight: 2,
    make: (random) => ({ type: random.pick(KNOWN), off: random.pick([-4, -1, 1, 2, 4, 100]) }),
    apply: ({ extensions }, step) => {
      for (const one of extensions.filter(({ type }) => type === step.type)) one.lengthOff = numberOf(step, "off");
    },
  },
  {
    name: "extension.padding",
    weight: 1.5,
    make: (random) => ({
      length: random.pick([200, 500, 1500, 5000, 12_000, 16_000, 20_000, 33_000, 60_000]),
      times: random.pick([1, 1, 1, 2]),
      at: random.below(1001),
      type: random.pick([EXT.padding, EXT.padding, 0x7777]),
    }),
    apply: (target, step) => {
      for (let i = numberOf(step, "times"); i > 0; i--) {
        addAt(target, { type: numberOf(step, "type"), body: Buffer.alloc(numberOf(step, "length")) }, step);
      }
    },
  },
  {
    name: "name.change",
    weight: 3,
    make: (random) => ({ name: random.pick(NAMES) }),
    apply: (target, step) => setNames(target, serverNameBody(String(step.name))),
  },
  {
    name: "name.shape",
    weight: 5,
    make: (random) => ({ shape: random.below(SHAPES.length) }),
    apply: (target, step) => setNames(target, SHAPES[numberOf(step, "shape") % SHAPES.length]!(target.plan.serverName)),
  },
  {
    name: "name.twice",
    weight: 2,
    make: (random) => ({ name: random.pick(NAMES), at: random.below(1001) }),
    apply: (target, step) => addAt(target, { type: EXT.serverName, body: serverNameBody(String(step.name)) }, step),
  },
  {
    name: "share.unwanted",
    weight: 4,
    bases: ["retry"],
    firstOnly: true,
    // GREASE, P-521, X448, MLKEM768, ffdhe2048, and a group that does not exist.
    make: (random) => ({
      group: random.pick([0x2a2a, 0x0019, 0x001e, 0x0201, 0x0100, 0x4242]),
      length: random.pick([1, 56, 133, 1184]),
    }),
    apply: ({ extensions }, step) => {
      const share = Buffer.concat([
        uint16(numberOf(step, "group")),
        vector(2, Buffer.alloc(numberOf(step, "length"), 4)),
      ]);
      for (const one of extensions.filter(({ type }) => type === EXT.keyShare)) one.body = vector(2, share);
    },
  },
  {
    name: "extension.blank",
    weight: 1,
    // Keeps only the extensions that a resumption needs.
    make: () => ({}),
    apply: (target) => {
      const kept: number[] = [EXT.psk, EXT.ticket, EXT.keyShare, EXT.versions, EXT.pskModes, EXT.extendedMaster];
      replace(
        target,
        target.extensions.filter(({ type }) => kept.includes(type)),
      );
    },
  },
];

function named(type: number, name: string): Buffer {
  return Buffer.concat([Buffer.from([type]), vector(2, Buffer.from(name, "latin1"))]);
}

const SHAPES: ((name: string) => Buffer)[] = [
  () => Buffer.alloc(0),
  () => uint16(0),
  () => serverNameBody(""),
  (name) => vector(2, named(1, name)),
  (name) => vector(2, Buffer.concat([named(0, name), named(0, "other.example")])),
  (name) => vector(2, Buffer.concat([named(0, "other.example"), named(0, name)])),
  (name) => vector(2, Buffer.concat([named(7, "x"), named(0, name)])),
  (name) => vector(2, Buffer.concat([named(0, name), named(7, "x")])),
  (name) => Buffer.concat([serverNameBody(name), Buffer.from([0])]),
  (name) => Buffer.concat([serverNameBody(name), serverNameBody(name)]),
  (name) => serverNameBody(`${name}\u0000`),
  (name) => serverNameBody(`${name}.`),
  (name) => serverNameBody(name.toUpperCase()),
  (name) => serverNameBody(` ${name}`),
  (name) => serverNameBody(`\u00fc.${name}`),
  (name) => Buffer.concat([uint16(name.length + 1), named(0, name)]),
  (name) => Buffer.concat([uint16(name.length + 5), named(0, name)]),
];

function setNames(target: Target, body: Buffer): void {
  const found = target.extensions.find(({ type }) => type === EXT.serverName);
  if (found === undefined) target.extensions.unshift({ type: EXT.serverName, body });
  else found.body = body;
}

function addAt({ extensions }: Target, extension: Extension, step: Step): void {
  extensions.splice(Math.floor((numberOf(step, "at") * extensions.length) / 1000), 0, extension);
}

function replace({ extensions }: Target, by: Extension[]): void {
  extensions.splice(0, extensions.length, ...by);
}
