/** The smaller run of `npm run demo:refusal`: removals that race handshakes let none resume, and disturb nobody else. */
import assert from "node:assert/strict";
import { it } from "node:test";
import { measureRefusal } from "../../../tools/demo/refusal/run.ts";

const ATTEMPTS = 360;

for (const steering of ["hash", "off"] as const) {
  it(`no removed session resumes, with steering ${steering}, while others are removed, and no bystander is disturbed`, async () => {
    const { removed, bystanders, complaints } = await measureRefusal({
      attempts: ATTEMPTS,
      steering,
      progress: () => undefined,
    });
    assert.deepEqual(complaints, []);
    for (const [kind, { alert, full }] of removed) {
      const seen = steering === "off" ? alert : full;
      assert.ok(seen >= ATTEMPTS / 6, `${seen} attempts on removed sessions of the kind ${kind}`);
      assert.equal(
        alert + full,
        seen,
        "where there is another server, nobody sees an alert; where there is none, everybody",
      );
    }
    for (const [kind, { resumed }] of bystanders) assert.ok(resumed >= ATTEMPTS / 6, `${resumed} of the kind ${kind}`);
  });
}
