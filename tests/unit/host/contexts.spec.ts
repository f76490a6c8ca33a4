import { addContext, findContext, removeContext } from "../../../assembly/host/contexts";
import { FINISHED, Root } from "../../../assembly/host/roots";

class NoFilter extends Root {
  configure(text: usize, length: i32): bool {
    return true;
  }

  tick(): void {}

  free(): void {}
}

describe("the table of contexts", () => {
  it("finds what was added, with its own state, and nothing else", () => {
    const root = new NoFilter();
    addContext(7, root);
    expect(findContext(7)!.state).toBe(FINISHED);
    findContext(7)!.state = 1234;
    addContext(7, root);
    expect(findContext(7)!.state).toBe(1234, "a context that exists is not made again");
    expect(findContext(8) == null).toBe(true);
    expect(findContext(0) == null).toBe(true);
    removeContext(7);
    expect(findContext(7) == null).toBe(true);
    removeContext(7);
  });

  it("agrees with a map over 100,000 random steps, growing and shrinking", () => {
    const root = new NoFilter();
    const model = new Map<u32, u32>();
    let random: u32 = 42;
    let disagreements = 0;
    for (let step: u32 = 1; step <= 100_000; step++) {
      random = random * 1664525 + 1013904223;
      const id = ((random >> 8) % 3000) + 1;
      if (model.has(id)) {
        const context = findContext(id);
        if (!context || context.state != <usize>model.get(id)) disagreements++;
        removeContext(id);
        model.delete(id);
      } else {
        if (findContext(id)) disagreements++;
        addContext(id, root);
        findContext(id)!.state = step;
        model.set(id, step);
      }
    }
    const ids = model.keys();
    for (let i = 0; i < ids.length; i++) {
      const context = findContext(ids[i]);
      if (!context || context.state != <usize>model.get(ids[i])) disagreements++;
      removeContext(ids[i]);
      if (findContext(ids[i])) disagreements++;
    }
    expect(disagreements).toBe(0);
  });
});
