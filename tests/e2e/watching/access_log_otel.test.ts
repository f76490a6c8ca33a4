/** deploy/watching/access_log_otel.yaml in a real Envoy: a collector gets a record for each connection, with what became of its session. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { createServer, type Http2Server } from "node:http2";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { describe, it } from "node:test";
import { parse } from "yaml";
import { WATCHING_FOLDER } from "../../../tools/checks/deployment/watching_files.ts";
import { startDemoUpstream } from "../../../tools/demo/upstream.ts";
import { eventually, startStack } from "../../support/stack.ts";
import { visit } from "../../support/tls_client.ts";

interface Example {
  access_log: unknown[];
  clusters: [{ load_assignment: { endpoints: [{ lb_endpoints: unknown[] }] } }];
}

describe("the access log over OpenTelemetry", () => {
  it("tells a collector what became of each session", async () => {
    const example = parse(readFileSync(join(WATCHING_FOLDER, "access_log_otel.yaml"), "utf8")) as Example;
    const collector = await startCollector();
    const [cluster] = example.clusters;
    cluster.load_assignment.endpoints[0].lb_endpoints = [
      { endpoint: { address: { socket_address: { address: "127.0.0.1", port_value: collector.port } } } },
    ];
    const upstream = await startDemoUpstream({ name: "alpha", tickets: true });
    const stack = await startStack({
      upstreams: [upstream.address],
      change: (configuration) => {
        const filters = ["static_resources", "listeners", 0, "filter_chains", 0, "filters"];
        const settings = [...filters, 0, "typed_config", "config", "configuration", "value"];
        const given = JSON.parse(configuration.getIn(settings) as string) as object;
        configuration.setIn(settings, JSON.stringify({ ...given, access_log: true }));
        configuration.setIn(
          [...filters, 1, "typed_config", "access_log"],
          configuration.createNode(example.access_log),
        );
        configuration.addIn(["static_resources", "clusters"], configuration.createNode(cluster));
      },
    });
    try {
      const first = await visit({ port: stack.tlsPort, version: "TLSv1.2" });
      await visit({ port: stack.tlsPort, version: "TLSv1.2", session: first.session });
      await eventually("both connections are told", () => {
        const told = collector.received();
        for (const text of [
          "tls.session.outcome",
          "full",
          "resumed",
          "ticket",
          first.id,
          "TLSv1.2",
          upstream.address,
        ]) {
          assert.ok(told.includes(text), `no ${text} in ${JSON.stringify(told)}`);
        }
      });
    } finally {
      await stack.stop();
      await upstream.close();
      await collector.close();
    }
  });
});

/** Takes OTLP over gRPC, and keeps its bytes: strings stand in protobuf as they are. */
async function startCollector(): Promise<{ port: number; received(): string; close(): Promise<void> }> {
  let bytes = "";
  const server: Http2Server = createServer();
  server.on("stream", (stream, headers) => {
    const path = String(headers[":path"]);
    stream.on("data", (chunk: Buffer) => (bytes += chunk.toString("latin1")));
    stream.on("end", () => {
      assert.equal(path, "/opentelemetry.proto.collector.logs.v1.LogsService/Export");
      stream.respond({ ":status": 200, "content-type": "application/grpc" }, { waitForTrailers: true });
      stream.on("wantTrailers", () => stream.sendTrailers({ "grpc-status": "0" }));
      // An empty ExportLogsServiceResponse.
      stream.end(Buffer.alloc(5));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    port: (server.address() as AddressInfo).port,
    received: () => bytes,
    close: () => new Promise((resolve) => server.close(() => resolve())),
  };
}
