import { startDemoUpstream } from "../../tools/demo_upstream.ts";
import { parse } from "yaml";
import { renderEnvoyConfig } from "../../tools/envoy_config.ts";
import { attempt, plugin } from "./attempt.ts";
import { visit } from "../e2e/tls_client.ts";
import { parseDocument } from "yaml";
const ups = [await startDemoUpstream({ name: "a", tickets: true })];
for (const role of ["observer", "admin", "guard"] as const) {
  const list = plugin(parseDocument(renderEnvoyConfig()), role).getIn([
    "vm_config",
    "capability_restriction_config",
    "allowed_capabilities",
  ]) as any;
  for (const name of list.items.map((p: any) => p.key.value)) {
    const { started, lines } = await attempt(
      ups.map((u) => u.address),
      {
        change: (d) =>
          plugin(d, role).deleteIn(["vm_config", "capability_restriction_config", "allowed_capabilities", name]),
        use: async ({ tlsPort, admin }) => {
          const a = await visit({ port: tlsPort, version: "TLSv1.2", timeoutSeconds: 3 }).then(
            () => "client ok",
            (e) => "client " + e.message,
          );
          const b = await Promise.race([
            admin("PUT", "/v1/sessions/c0ffee", { body: {} }).then(
              (x) => `${x.status} ${x.text.slice(0, 120)}`,
              String,
            ),
            new Promise<string>((r) => setTimeout(() => r("admin hangs"), 3000)),
          ]);
          return [a, b];
        },
      },
    );
    const seen = [...new Set(lines)].filter(
      (l) => /wasm log|restricted|client |admin hangs|^\d\d\d /i.test(l) && !/Envoy stopped/.test(l),
    );
    console.log(
      `## ${role} ${name} started=${started}\n` +
        seen
          .slice(0, 5)
          .map((l) => "   " + l.slice(0, 330))
          .join("\n"),
    );
  }
}
process.exit(0);
