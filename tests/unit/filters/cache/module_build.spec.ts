import { moduleBuild } from "../../../../assembly/filters/cache/module_build";

describe("the build of a module", () => {
  it("is an empty text if nobody has written it into the module, as here", () => {
    expect(moduleBuild()).toBe("");
  });
});
