import { enterConnection, rememberedProperty, rememberProperty } from "../../../assembly/host/connection_properties";

const PATH: usize = 4096;
const OTHER_PATH: usize = 8192;
const NEXT_PATH: usize = PATH + 32;
const VALUE: usize = memory.data<u8>([0x31, 0x32, 0x37, 0x2e, 0x30, 0x2e, 0x30, 0x2e, 0x31]);
const LENGTH: i32 = 9;
const INTO: usize = memory.data(64);

describe("what was read of a connection", () => {
  it("is remembered for that connection and that property alone", () => {
    enterConnection(7);
    expect(rememberedProperty(PATH, INTO, 64)).toBe(-1, "before it was read");
    rememberProperty(PATH, VALUE, LENGTH);
    expect(rememberedProperty(OTHER_PATH, INTO, 64)).toBe(-1, "another property");
    enterConnection(8);
    expect(rememberedProperty(PATH, INTO, 64)).toBe(-1, "another connection");
    enterConnection(7);
    expect(rememberedProperty(PATH, INTO, 64)).toBe(LENGTH);
    expect(memory.compare(INTO, VALUE, LENGTH)).toBe(0);
    enterConnection(0);
  });

  it("is remembered beside another property of the same connection", () => {
    enterConnection(7);
    rememberProperty(PATH, VALUE, LENGTH);
    rememberProperty(NEXT_PATH, VALUE, LENGTH - 1);
    expect(rememberedProperty(PATH, INTO, 64)).toBe(LENGTH);
    expect(rememberedProperty(NEXT_PATH, INTO, 64)).toBe(LENGTH - 1);
    enterConnection(0);
  });

  it("is forgotten when a connection comes that has the same place", () => {
    enterConnection(7);
    rememberProperty(PATH, VALUE, LENGTH);
    enterConnection(7 + 256);
    expect(rememberedProperty(PATH, INTO, 64)).toBe(-1);
    rememberProperty(PATH, VALUE, LENGTH);
    enterConnection(7);
    expect(rememberedProperty(PATH, INTO, 64)).toBe(-1);
    enterConnection(0);
  });

  it("is not given where it is longer than the room, nor kept where it is longer than a place", () => {
    enterConnection(9);
    rememberProperty(PATH, VALUE, LENGTH);
    expect(rememberedProperty(PATH, INTO, LENGTH - 1)).toBe(-1);
    expect(rememberedProperty(PATH, INTO, LENGTH)).toBe(LENGTH);
    enterConnection(10);
    rememberProperty(PATH, INTO, 53);
    expect(rememberedProperty(PATH, INTO, 64)).toBe(-1);
    rememberProperty(PATH, INTO, 52);
    expect(rememberedProperty(PATH, INTO, 64)).toBe(52);
    enterConnection(0);
  });

  it("is nothing outside of a connection's calls", () => {
    enterConnection(0);
    rememberProperty(PATH, VALUE, LENGTH);
    expect(rememberedProperty(PATH, INTO, 64)).toBe(-1);
  });
});
