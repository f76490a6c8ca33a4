/** Mutations of a session's handles: several at once, junk beside the handle on trial, bytes behind it. */
import { EXT, type Extension } from "../client/hello.ts";
import { ageOf } from "../client/plan.ts";
import type { Random } from "../../support/random.ts";
import { bytesOf, hex, IN_TLS12, numberOf, type Operation, type Step, type Target, WITH_PSK } from "./step.ts";

export const HANDLE_OPERATIONS: Operation[] = [
  {
    name: "ticket.junk",
    weight: 6,
    bases: IN_TLS12,
    make: (random) => ({
      ticket: hex(random.bytes(random.pick([1, 4, 16, 32, 48, 160, 192, 600]))),
      last: random.below(2) === 0,
    }),
    apply: (target, step) => putTicket(target, bytesOf(step, "ticket"), step.last === true),
  },
  {
    name: "ticket.other",
    weight: 4,
    bases: IN_TLS12,
    make: (random) => ({ last: random.below(2) === 0 }),
    apply: (target, step) => {
      const other = target.others.find(({ ticket }) => ticket.length > 0);
      if (other !== undefined) putTicket(target, other.ticket, step.last === true);
    },
  },
  {
    name: "ticket.again",
    weight: 2,
    bases: ["id", "both", "ticket"],
    make: (random) => ({ last: random.below(2) === 0 }),
    apply: (target, step) => {
      if (target.trial !== undefined && target.trial.ticket.length > 0) {
        putTicket(target, target.trial.ticket, step.last === true);
      }
    },
  },
  {
    name: "ticket.append",
    weight: 5,
    bases: ["ticket", "both"],
    make: (random) => ({ bytes: hex(random.bytes(random.pick([1, 1, 2, 16, 200]))) }),
    apply: ({ extensions }, step) => {
      for (const one of extensions.filter(({ type }) => type === EXT.ticket)) {
        one.body = Buffer.concat([one.body, bytesOf(step, "bytes")]);
      }
    },
  },
  {
    name: "id.other",
    weight: 3,
    bases: ["ticket", "both"],
    make: () => ({}),
    apply: ({ hello, others }) => {
      const other = others.find(({ id }) => id.length > 0);
      if (other !== undefined) hello.sessionId = other.id;
    },
  },
  {
    name: "id.own",
    weight: 2,
    bases: ["ticket"],
    make: () => ({}),
    apply: ({ hello, trial }) => {
      if (trial !== undefined && trial.id.length > 0) hello.sessionId = trial.id;
    },
  },
  {
    name: "psk.junk_in_front",
    weight: 5,
    bases: WITH_PSK,
    make: (random) => makeJunk(random),
    apply: (target, step) => offer(target, (own) => own.unshift(...junk(step))),
  },
  {
    name: "psk.junk_behind",
    weight: 3,
    bases: WITH_PSK,
    make: (random) => makeJunk(random),
    apply: (target, step) => offer(target, (own) => own.push(...junk(step))),
  },
  {
    name: "psk.other",
    weight: 3,
    bases: WITH_PSK,
    make: (random) => ({ front: random.below(2) === 0 }),
    apply: (target, step) => {
      const other = target.others.find(({ ticket }) => ticket.length > 0);
      if (other === undefined) return;
      const one = { identity: other.ticket, age: ageOf(other), session: other };
      offer(target, (own) => (step.front === true ? own.unshift(one) : own.push(one)));
    },
  },
  {
    name: "psk.twice",
    weight: 2,
    bases: WITH_PSK,
    make: () => ({}),
    apply: (target) => offer(target, (own) => own.push(...own.map((one) => ({ ...one })))),
  },
  {
    name: "psk.append",
    weight: 4,
    bases: WITH_PSK,
    make: (random) => ({ bytes: hex(random.bytes(random.pick([1, 1, 2, 16, 200]))) }),
    apply: (target, step) =>
      offer(target, (own) => {
        for (const one of own) one.identity = Buffer.concat([one.identity, bytesOf(step, "bytes")]);
      }),
  },
  {
    name: "psk.age",
    weight: 1,
    bases: WITH_PSK,
    make: (random) => ({ age: random.pick([0, 1, 0xffffffff, 1_000_000]) }),
    apply: (target, step) =>
      offer(target, (own) => {
        for (const one of own) one.age = numberOf(step, "age");
      }),
  },
  {
    name: "psk.trailing",
    weight: 2,
    bases: WITH_PSK,
    make: (random) => ({ bytes: hex(random.bytes(random.pick([1, 2, 3]))) }),
    apply: ({ extensions }, step) => {
      for (const one of extensions.filter(({ psks }) => psks !== undefined)) one.body = bytesOf(step, "bytes");
    },
  },
  {
    name: "psk.second_extension",
    weight: 2,
    bases: WITH_PSK,
    make: (random) => ({ body: random.pick(["", "00", "0000", "00000000"]), front: random.below(2) === 0 }),
    apply: ({ extensions }, step) => {
      const one: Extension = { type: EXT.psk, body: bytesOf(step, "body") };
      if (step.front === true) extensions.unshift(one);
      else extensions.push(one);
    },
  },
  {
    name: "psk.modes",
    weight: 2,
    bases: WITH_PSK,
    make: (random) => ({ body: random.pick(["020001", "020100", "03010a0b", "0101ff", "020101", "0100"]) }),
    apply: ({ extensions }, step) => {
      for (const one of extensions.filter(({ type }) => type === EXT.pskModes)) one.body = bytesOf(step, "body");
    },
  },
];

function makeJunk(random: Random): Omit<Step, "op"> {
  return { count: random.pick([1, 1, 2, 3, 4, 5, 6, 8, 12, 30]), length: random.pick([0, 1, 16, 32, 160, 192]) };
}

function junk(step: Step): { identity: Buffer; age: number }[] {
  const length = numberOf(step, "length");
  return Array.from({ length: numberOf(step, "count") }, (_, index) => ({
    identity: Buffer.alloc(length, index + 1),
    age: 0,
  }));
}

function offer({ extensions }: Target, change: (own: NonNullable<Extension["psks"]>) => void): void {
  for (const { psks } of extensions) if (psks !== undefined) change(psks);
}

/** Adds the ticket in a second extension if the hello offers a ticket already. */
function putTicket({ base, extensions }: Target, ticket: Buffer, last: boolean): void {
  const found = extensions.find(({ type }) => type === EXT.ticket);
  if (found !== undefined && base !== "ticket" && base !== "both") found.body = ticket;
  else if (last) extensions.push({ type: EXT.ticket, body: ticket });
  else extensions.unshift({ type: EXT.ticket, body: ticket });
}
