/**
 * Resources of Kubernetes, Istio and Envoy Gateway under deploy/ against the schemas of their kinds, as strictly as an API server that
 * refuses unknown fields (tests/fixtures/makers/deployment_schemas.ts).
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import Ajv from "ajv";
import { PROJECT_FOLDER } from "../../project.ts";
import type { Node } from "./parts/yaml_tree.ts";

/** One line for each thing that is wrong with the resources of a file. */
export function resourceFaults(file: string, resources: Node[]): string[] {
  return resources.flatMap((resource) => {
    const kind = `${String(resource.apiVersion)} ${String(resource.kind)}`;
    if (!(kind in SCHEMAS)) return [`${file}: there is no schema of ${kind}`];
    const judge = AJV.compile({ $ref: `${ID}#/${encodeURIComponent(kind.replaceAll("/", "~1"))}` });
    if (judge(resource) === true) return [];
    return (judge.errors ?? []).map(({ dataPath, message, params }) => {
      const { additionalProperty: unknown } = params as { additionalProperty?: string };
      return `${file}: ${kind}${dataPath}: ${unknown === undefined ? message : `has no field ${unknown}`}`;
    });
  });
}

const ID = "deployment_schemas";
const SCHEMAS = JSON.parse(
  readFileSync(join(PROJECT_FOLDER, "tests", "fixtures", "deployment_schemas.json"), "utf8"),
) as Record<string, object>;
const AJV = new Ajv({ allErrors: true });
AJV.addSchema({ $id: ID, ...SCHEMAS });
