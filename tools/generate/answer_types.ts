/**
 * Makes tools/client/answers.generated.ts from docs/openapi.yaml: a type for each schema, and the answer and path of
 * each operation.
 *
 *   npx tsx tools/generate/answer_types.ts           writes the file
 *   npx tsx tools/generate/answer_types.ts --check   exits 1 if the file is not what would be written
 *
 * A schema that it cannot express is an error, so a type is never wider than the document.
 */
import { readFileSync } from "node:fs";
import { format } from "prettier";
import { parse } from "yaml";
import { publish } from "./generated_file.ts";

const SOURCE = "docs/openapi.yaml";
const TARGET = "tools/client/answers.generated.ts";

interface Schema {
  $ref?: string;
  type?: string | string[];
  const?: unknown;
  enum?: unknown[];
  anyOf?: Schema[];
  oneOf?: Schema[];
  items?: Schema;
  properties?: Record<string, Schema>;
  required?: string[];
  additionalProperties?: boolean | Schema;
}

interface Operation {
  /** Method and path, as in `GET /v1/stats`. */
  call: string;
  operationId: string;
  responses: Record<string, { content?: Record<string, { schema: Schema }> }>;
}

interface Document {
  paths: Record<string, Record<string, Operation>>;
  components: { schemas: Record<string, Schema> };
}

const document = parse(readFileSync(new URL(`../../${SOURCE}`, import.meta.url), "utf8")) as Document;
const schemas = Object.entries(document.components.schemas).map(
  ([name, schema]) => `export type ${name} = ${typeOf(schema, name)};\n`,
);

publish(
  TARGET,
  await format(
    `/**
 * The answers of the admin API.
 * Generated from ${SOURCE} by tools/generate/answer_types.ts.
 */

${schemas.join("\n")}
/** The answers, by operationId: JSON, or the text of lines of JSON. */
export interface Answers {
${operations()
  .map((operation) => `  ${operation.operationId}: ${answersOf(operation)};`)
  .join("\n")}
}

/** Method and path of each operation. */
export const CALLS = {
${operations()
  .map(({ operationId, call }) => `  ${operationId}: ${JSON.stringify(call)},`)
  .join("\n")}
} as const;
`,
    { parser: "typescript", printWidth: 120 },
  ),
);

function operations(): Operation[] {
  return Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods)
      .filter(([, { operationId }]) => typeof operationId === "string")
      .map(([method, operation]) => ({ ...operation, call: `${method.toUpperCase()} ${path}` }))
      // The page is for browsers.
      .filter((operation) => answersOf(operation) !== ""),
  );
}

/** Also of a failure that is not a problem (RFC 9457), as of a DELETE that finds nothing. */
function answersOf({ operationId, responses }: Operation): string {
  const types = Object.values(responses)
    .map(({ content }) => content?.["application/json"]?.schema ?? content?.["application/x-ndjson"]?.schema)
    .filter((schema) => schema !== undefined)
    .map((schema) => typeOf(schema, operationId));
  return [...new Set(types)].join(" | ");
}

function typeOf(schema: Schema, place: string): string {
  if (schema.$ref !== undefined) return schema.$ref.replace("#/components/schemas/", "");
  if ("const" in schema) return literal(schema.const);
  if (schema.enum !== undefined) return schema.enum.map((value) => JSON.stringify(value)).join(" | ");
  const union = schema.anyOf ?? schema.oneOf;
  if (union !== undefined) return union.map((part) => typeOf(part, place)).join(" | ");
  if (schema.type === undefined) return "unknown";
  return [schema.type]
    .flat()
    .map((type) => typeNamed(type, schema, place))
    .join(" | ");
}

function typeNamed(type: string, schema: Schema, place: string): string {
  if (type === "string" || type === "boolean" || type === "null") return type;
  if (type === "integer" || type === "number") return "number";
  if (type === "array" && schema.items !== undefined) return `(${typeOf(schema.items, place)})[]`;
  if (type === "object") return objectType(schema, place);
  throw new Error(`${SOURCE}: ${place} has the type ${type}, which has no form in TypeScript here`);
}

function objectType({ properties, required = [], additionalProperties }: Schema, place: string): string {
  if (properties === undefined) {
    return typeof additionalProperties === "object"
      ? `Record<string, ${typeOf(additionalProperties, place)}>`
      : "Record<string, unknown>";
  }
  const members = Object.entries(properties).map(([name, property]) => {
    const mark = required.includes(name) ? "" : "?";
    return `${JSON.stringify(name)}${mark}: ${typeOf(property, `${place}.${name}`)}`;
  });
  return `{ ${members.join("; ")} }`;
}

function literal(value: unknown): string {
  return Array.isArray(value) ? `[${value.map(literal).join(", ")}]` : JSON.stringify(value);
}
