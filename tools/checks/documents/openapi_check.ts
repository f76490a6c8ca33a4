/**
 * The faults of an OpenAPI 3.1 document: keys that the specification does not know in their place (OpenAPI 3.1.1, section
 * 4.8; JSON Schema 2020-12), keys that are missing, references that lead nowhere, and names that do not fit together.
 *
 * A comma in a value of a YAML flow mapping splits it and makes a key of the rest: that is what this finds first of all.
 */
type Node = Record<string, unknown>;

/** All faults, each with the place it is at. */
export function openapiFaults(document: unknown): string[] {
  const faults: string[] = [];
  new Walk(document, faults).object("", document, "document");
  return faults;
}

/** The keys of an object: the kind of each key's value, `*` for any other key, `!` in front of a required one. */
type Shape = Record<string, string>;

/** `any`, a kind of JSON, the name of a shape, or one of these: `[X]` a list of X, `{X}` a map of X. */
const SHAPES: Record<string, Shape> = {
  document: {
    "!openapi": "string",
    "!info": "info",
    servers: "[server]",
    "!paths": "{path}",
    components: "components",
    security: "[any]",
    tags: "[tag]",
    externalDocs: "any",
    jsonSchemaDialect: "string",
    webhooks: "{path}",
  },
  info: {
    "!title": "string",
    summary: "string",
    description: "string",
    termsOfService: "string",
    contact: "any",
    license: "license",
    "!version": "string",
  },
  license: { "!name": "string", identifier: "string", url: "string" },
  server: { "!url": "string", description: "string", variables: "any" },
  tag: { "!name": "string", description: "string", externalDocs: "any" },
  components: {
    schemas: "{schema}",
    responses: "{response}",
    parameters: "{parameter}",
    examples: "{example}",
    requestBodies: "{body}",
    headers: "{header}",
    securitySchemes: "{scheme}",
    links: "any",
    callbacks: "any",
    pathItems: "{path}",
  },
  path: {
    summary: "string",
    description: "string",
    parameters: "[parameter]",
    ...Object.fromEntries(["get", "put", "post", "delete", "head", "patch"].map((method) => [method, "operation"])),
  },
  operation: {
    tags: "[string]",
    summary: "string",
    description: "string",
    "!operationId": "string",
    parameters: "[parameter]",
    requestBody: "body",
    "!responses": "{response}",
    deprecated: "boolean",
    security: "[any]",
  },
  parameter: {
    "!name": "string",
    "!in": "string",
    description: "string",
    required: "boolean",
    deprecated: "boolean",
    style: "string",
    explode: "boolean",
    "!schema": "schema",
    example: "any",
    examples: "{example}",
  },
  body: { description: "string", "!content": "{media}", required: "boolean" },
  media: { "!schema": "schema", example: "any", examples: "{example}" },
  response: { "!description": "string", headers: "{header}", content: "{media}" },
  header: { description: "string", required: "boolean", "!schema": "schema" },
  example: { summary: "string", description: "string", "!value": "any" },
  scheme: { "!type": "string", description: "string", scheme: "string", bearerFormat: "string" },
  schema: {
    $ref: "string",
    type: "any",
    enum: "[any]",
    const: "any",
    title: "string",
    description: "string",
    default: "any",
    example: "any",
    examples: "[any]",
    deprecated: "boolean",
    format: "string",
    minimum: "number",
    maximum: "number",
    minLength: "number",
    maxLength: "number",
    pattern: "string",
    minItems: "number",
    maxItems: "number",
    uniqueItems: "boolean",
    items: "schema",
    properties: "{schema}",
    required: "[string]",
    additionalProperties: "any",
    minProperties: "number",
    anyOf: "[schema]",
    oneOf: "[schema]",
    allOf: "[schema]",
  },
};

const TYPES = ["null", "boolean", "object", "array", "number", "string", "integer"];
const METHODS = ["get", "put", "post", "delete", "head", "patch"];

class Walk {
  private readonly operations = new Set<string>();

  constructor(
    private readonly root: unknown,
    private readonly faults: string[],
  ) {}

  object(place: string, value: unknown, shape: string): void {
    if (!isNode(value)) return this.fault(place, `is no ${shape}`);
    const known = SHAPES[shape] ?? {};
    // Outside of schemas a reference stands alone, with a summary or a description at most.
    if (shape !== "schema" && "$ref" in value) {
      const extra = Object.keys(value).filter((key) => !["$ref", "summary", "description"].includes(key));
      for (const key of extra) this.fault(place, `has ${JSON.stringify(key)} beside a reference`);
      this.reference(place, value["$ref"]);
      return;
    }
    for (const [key, item] of Object.entries(value)) {
      const kind = known[key] ?? known[`!${key}`];
      if (kind === undefined) this.fault(place, `has ${JSON.stringify(key)}, which no ${shape} has`);
      else this.value(`${place}/${key}`, item, kind);
    }
    for (const key of Object.keys(known)) {
      if (key.startsWith("!") && !(key.slice(1) in value)) this.fault(place, `has no ${key.slice(1)}`);
    }
    if (shape === "schema") this.schema(place, value);
    if (shape === "operation") this.operation(place, value);
    if (shape === "document") this.paths(value);
  }

  private value(place: string, value: unknown, kind: string): void {
    if (kind === "any") return;
    if (kind.startsWith("[")) {
      if (!Array.isArray(value)) return this.fault(place, "is no list");
      value.forEach((item, i) => this.value(`${place}/${i}`, item, kind.slice(1, -1)));
    } else if (kind.startsWith("{")) {
      if (!isNode(value)) return this.fault(place, "is no map");
      for (const [key, item] of Object.entries(value)) this.value(`${place}/${key}`, item, kind.slice(1, -1));
    } else if (kind in SHAPES) {
      this.object(place, value, kind);
    } else if (typeof value !== kind) {
      this.fault(place, `is no ${kind}`);
    }
  }

  private reference(place: string, target: unknown): void {
    const steps = String(target).split("/").slice(1);
    let found: unknown = String(target).startsWith("#/") ? this.root : undefined;
    for (const step of steps) found = isNode(found) ? found[step] : undefined;
    if (found === undefined) this.fault(place, `refers to ${String(target)}, which is not there`);
  }

  private schema(place: string, schema: Node): void {
    if ("$ref" in schema) this.reference(place, schema["$ref"]);
    const types = [schema["type"] ?? []].flat();
    for (const type of types) if (!TYPES.includes(String(type))) this.fault(place, `has the type ${String(type)}`);
    const properties = isNode(schema["properties"]) ? schema["properties"] : {};
    for (const name of [schema["required"] ?? []].flat()) {
      if (!(String(name) in properties)) this.fault(place, `requires ${String(name)}, which is no property`);
    }
  }

  private operation(place: string, operation: Node): void {
    const id = String(operation["operationId"]);
    if (this.operations.has(id)) this.fault(place, `has the operationId of another: ${id}`);
    this.operations.add(id);
    for (const status of Object.keys(isNode(operation["responses"]) ? operation["responses"] : {})) {
      if (!/^[1-5]\d\d$/.test(status)) this.fault(place, `answers with ${status}`);
    }
    if (!("requestBody" in operation)) return;
    const inQuery = [operation["parameters"] ?? []].flat().map((parameter) => (parameter as Node)["name"]);
    for (const name of bodyFields(operation["requestBody"] as Node, this.root)) {
      if (!inQuery.includes(name)) this.fault(place, `takes ${name} in a body only: no query parameter has its name`);
    }
  }

  private paths(document: Node): void {
    for (const [path, item] of Object.entries((document["paths"] ?? {}) as Record<string, Node>)) {
      const place = `/paths/${path}`;
      if (!path.startsWith("/")) this.fault(place, "begins with no slash");
      for (const method of METHODS.filter((name) => name in item)) {
        const own = [item["parameters"] ?? [], (item[method] as Node)["parameters"] ?? []].flat() as Node[];
        const inPath = own.filter((parameter) => parameter["in"] === "path").map((parameter) => parameter["name"]);
        const named = [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name);
        if (String(named) !== String(inPath))
          this.fault(place, `names ${String(named)} and describes ${String(inPath)}`);
      }
    }
  }

  private fault(place: string, what: string): void {
    this.faults.push(`${place || "/"} ${what}`);
  }
}

/** The names of the fields that a JSON body may have. */
function bodyFields(body: Node, root: unknown): string[] {
  const media = (body["content"] as Node | undefined)?.["application/json"] as Node | undefined;
  const fields = (referred(media?.["schema"] as Node | undefined, root)?.["properties"] ?? {}) as Record<string, Node>;
  const isList = ({ items }: Node): boolean => isNode(items) && referred(items, root)?.["type"] === "object";
  // Lists of objects have no form in a query.
  return Object.values(fields).some(isList) ? [] : Object.keys(fields);
}

/** The schema that a reference means, or the schema itself. */
function referred(schema: Node | undefined, root: unknown): Node | undefined {
  const reference = /^#\/components\/schemas\/(\w+)$/.exec(String(schema?.["$ref"]))?.[1];
  if (reference === undefined) return schema;
  const components = (root as Node)["components"] as Node | undefined;
  return (components?.["schemas"] as Record<string, Node> | undefined)?.[reference];
}

function isNode(value: unknown): value is Node {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
