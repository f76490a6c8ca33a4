/** Whether a caller sees that nobody carries a change out. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { enforcedBy, warningsOf } from "./enforced.ts";

describe("an answer", () => {
  it("that nobody enforces is a warning: the proxy's, or one of the client", () => {
    const nobody = { enforced_by: { observer: 0, guard: 0 } };
    assert.equal(enforcedBy(nobody), ", enforced by nobody");
    assert.match(warningsOf(nobody).join(), /nothing is refused; see tls-sessions filters/);
    assert.deepEqual(warningsOf({ ...nobody, warning: "no observer" }), ["no observer"]);
  });

  it("that somebody enforces says who", () => {
    const both = { enforced_by: { observer: 2, guard: 1 } };
    assert.equal(enforcedBy(both), ", enforced by 2 observers and 1 guard");
    assert.deepEqual(warningsOf(both), []);
  });

  it("of another call says nothing of it", () => {
    assert.equal(enforcedBy({}), "");
    assert.deepEqual(warningsOf({}), []);
  });
});
