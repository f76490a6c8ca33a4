/** Unit tests of the AssemblyScript sources: tests/unit mirrors assembly/. UNIT_SPECS names some of them, with blanks between. */
export default {
  entries: process.env.UNIT_SPECS?.split(" ") ?? ["tests/unit/**/*.spec.ts"],
  include: [],
  disclude: [/node_modules/],
  async instantiate(memory, createImports, instantiate, binary) {
    return instantiate(binary, createImports({ env: { memory } }));
  },
  outputBinary: false,
};
