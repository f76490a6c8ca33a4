import { startDemoUpstream } from "../../tools/demo_upstream.ts";
import { attempt } from "./attempt.ts";
import { MISTAKES } from "./mistakes.ts";
const ups = [
  await startDemoUpstream({ name: "a", tickets: true }),
  await startDemoUpstream({ name: "b", tickets: true }),
];
for (const m of MISTAKES) {
  if (process.argv[2] && !m.what.includes(process.argv[2])) continue;
  console.log(`\n### ${m.group}: ${m.what}`);
  try {
    const { started, lines } = await attempt(
      ups.map((u) => u.address),
      m,
    );
    console.log(`started=${started} (expected ${m.starts})`);
    const at = lines.findIndex((l) => l.startsWith("statically linked") || /initializing epoch/.test(l));
    const seen = new Set(
      lines.filter(
        (l, i) =>
          ((i < at || at < 0 || !/^ +\w|registered|^HTTP header map|^ +(request|response)|regex/.test(l)) &&
            !/initializing epoch|statically linked|envoy\.\w+.*: |loading|lds:|cm init|starting|all (clusters|dep)|base id|cert|runtime|admin address|stats|tracing|dispatch|secret|exiting|caught|shutting|accesslog|There is no config/i.test(
              l,
            )) ||
          /wasm|error|fail|client:|deprec|\{/i.test(l),
      ),
    );
    for (const l of [...seen].filter((l) => !/^\s+envoy|^  /.test(l)).slice(0, 14))
      console.log("  | " + l.slice(0, 460));
  } catch (e) {
    console.log("THREW " + String((e as Error).stack).slice(0, 400));
  }
}
for (const u of ups) await u.close();
process.exit(0);
