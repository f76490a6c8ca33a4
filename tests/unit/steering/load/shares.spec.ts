import { Moved } from "../../../../assembly/steering/load/moved";
import { Shares } from "../../../../assembly/steering/load/shares";

describe("shares", () => {
  it("count what was sent to each upstream", () => {
    const shares = new Shares();
    for (let i = 0; i < 5; i++) shares.note(1, 4);
    shares.note(253, 4);
    shares.note(-1, 4);
    shares.note(254, 4);
    expect(shares.of(1)).toBe(5);
    expect(shares.of(253)).toBe(1);
    expect(shares.of(-1)).toBe(0);
    expect(shares.total).toBe(6);
    shares.reset();
    expect(shares.of(1) + shares.total).toBe(0);
  });

  it("forget by and by", () => {
    const shares = new Shares();
    for (let i = 0; i < 200; i++) shares.note(0, 2);
    for (let i = 0; i < 2000; i++) shares.note(1, 2);
    expect(shares.of(0)).toBe(0);
    expect(shares.total <= 128).toBe(true, shares.total.toString());
    expect(shares.of(1)).toBe(shares.total);
  });

  it("exceed a bound in per cent of the mean, once there is anything to tell", () => {
    const shares = new Shares();
    for (let i = 0; i < 3; i++) shares.note(0, 2);
    expect(shares.exceeds(0, 2, 150)).toBe(false, "too few");
    for (let i = 0; i < 5; i++) shares.note(1, 2);
    expect(shares.exceeds(1, 2, 150)).toBe(false, "6 of 9");
    shares.note(1, 2);
    expect(shares.exceeds(1, 2, 130)).toBe(true, "7 of 10");
    expect(shares.exceeds(0, 2, 130)).toBe(false);
    expect(shares.exceeds(1, 1, 101)).toBe(false, "there is no other");
  });
});

describe("sessions that were moved", () => {
  it("are known by their hash, the latest of two that share a place", () => {
    const moved = new Moved();
    expect(moved.has(6)).toBe(false);
    moved.add(6);
    expect(moved.has(6)).toBe(true);
    expect(moved.has(6 + 2048)).toBe(false);
    moved.add(6 + 2048);
    expect(moved.has(6)).toBe(false);
    moved.clear();
    expect(moved.has(6 + 2048)).toBe(false);
  });
});
