/** The smaller run of `npm run demo:affinity`, of which docs/evidence/steering.md has the full one: each row is a test. */
import assert from "node:assert/strict";
import { it } from "node:test";
import { THIS_FILTER, THIS_FILTER_EXACT } from "../../../tools/demo/affinity/balancers.ts";
import { measureAffinity } from "../../../tools/demo/affinity/run.ts";

for (const column of [THIS_FILTER, THIS_FILTER_EXACT]) {
  it(`reaches the targets of docs/evidence/steering.md, by ${column.steering}`, async (t) => {
    const lines: string[] = [];
    const rows = await measureAffinity({
      attempts: 120,
      newConnections: 400,
      isSmall: true,
      columns: [column],
      progress: (line) => lines.push(line),
    });
    assert.equal(lines.length, rows.length);
    assert.ok(rows.length >= 14, `${rows.length} rows`);
    for (const row of rows) {
      await t.test(row.title, () => assert.deepEqual(row.missed, [], [...row.cells.values()].join("; ")));
    }
  });
}
