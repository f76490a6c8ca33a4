import { Rush } from "../../../assembly/work/rush";

const TENTH: u64 = 100_000_000;

describe("a rush", () => {
  it("is on for the tenth of a second after one with more than 64 handshakes", () => {
    const rush = new Rush();
    rush.tick(10 * TENTH);
    handshakes(rush, 65);
    expect(rush.isOn).toBe(false, "a burst shorter than a tick is calm");
    rush.tick(11 * TENTH);
    expect(rush.isOn).toBe(true);
    handshakes(rush, 64);
    rush.tick(12 * TENTH);
    expect(rush.isOn).toBe(false);
  });

  it("goes by time, however fast ticks come", () => {
    const rush = new Rush();
    rush.tick(10 * TENTH);
    for (let i: u64 = 1; i <= 20; i++) {
      handshakes(rush, 4);
      rush.tick(10 * TENTH + (i * TENTH) / 20);
    }
    expect(rush.isOn).toBe(true);
  });

  it("goes by the rate: a hundred handshakes in a whole second are calm", () => {
    const rush = new Rush();
    rush.tick(10 * TENTH);
    handshakes(rush, 100);
    rush.tick(20 * TENTH);
    expect(rush.isOn).toBe(false);
  });

  it("ends when the clock is set back", () => {
    const rush = new Rush();
    rush.tick(10 * TENTH);
    handshakes(rush, 65);
    rush.tick(11 * TENTH);
    rush.tick(5 * TENTH);
    expect(rush.isOn).toBe(false);
  });
});

function handshakes(rush: Rush, count: i32): void {
  for (let i = 0; i < count; i++) rush.countNext();
}
