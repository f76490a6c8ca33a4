/**
 * A node:test reporter for programs: one JSON object at the end,
 * `{"passed":1,"failed":0,"skipped":0,"empty":[],"failures":[],"passes":[]}`. It counts tests, not suites. `empty` names the
 * files that hold no test at all, which node:test itself counts as passed. `failures` has the file of each failure and its
 * name behind those of its suites, `passes` the names of the tests that passed.
 * Plain JavaScript, because node:test loads its reporters before any TypeScript loader is in place.
 */
import { isAbsolute } from "node:path";

export default async function* count(events) {
  const counts = { passed: 0, failed: 0, skipped: 0, empty: [], failures: [], passes: [] };
  /** Names of the suites around what runs, by their depth. */
  const around = [];
  for await (const event of events) {
    if (event.type === "test:start") around.splice(event.data.nesting, Infinity, event.data.name);
    if (event.type !== "test:pass" && event.type !== "test:fail") continue;
    const { name, details, skip, todo } = event.data;
    const isSuite = details.type === "suite";
    const mayFail = skip !== undefined || todo !== undefined;
    const path = [...around.slice(0, event.data.nesting), name].join(" > ");
    if (event.type === "test:fail") {
      // A suite that failed because a test in it did is counted by that test.
      if (mayFail) counts.skipped++;
      else if (!isSuite || details.error.failureType !== "subtestsFailed") {
        counts.failed++;
        counts.failures.push({ file: event.data.file ?? "", name: path });
      }
    } else if (!isSuite) {
      if (mayFail) counts.skipped++;
      else if (isAbsolute(name) && name === event.data.file) counts.empty.push(name);
      else {
        counts.passed++;
        counts.passes.push(path);
      }
    }
  }
  yield JSON.stringify(counts);
}
