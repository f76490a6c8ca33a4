import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { parse } from "yaml";
import { openapiFaults } from "./openapi_check.ts";

const TEXT = readFileSync(new URL("../../../docs/openapi.yaml", import.meta.url), "utf8");

test("docs/openapi.yaml has nothing that OpenAPI 3.1 does not know, and all that it demands", () => {
  assert.deepEqual(openapiFaults(parse(TEXT)), []);
});

const MISTAKES: [string, string | RegExp, string, RegExp][] = [
  [
    "a comma that splits a description",
    'description: "Of these, because the upstream was not the issuer."',
    "description: Of these, because the upstream was not the issuer.",
    /Statistics\/properties\/lost has "because the upstream was not the issuer\.", which no schema has/,
  ],
  [
    "a reference to what is not there",
    '"#/components/schemas/Count"',
    '"#/components/schemas/Coumt"',
    /Coumt, which is/,
  ],
  [
    "a response without a description",
    "description: The filter runs; with `for=enforcement`, so does an observer or guard.",
    "summary: The filter runs; with `for=enforcement`, so does an observer or guard.",
    /responses\/200 has no description/,
  ],
  ["two operations of one name", "operationId: getMode", "operationId: putMode", /operationId of another: putMode/],
  [
    "a type that there is not",
    "type: integer\n      minimum: 1",
    "type: whole\n      minimum: 1",
    /has the type whole/,
  ],
  ["a required field that is not described", "required: [status]", "required: [state]", /requires state/],
  ["a parameter of the path that is not described", "/v1/sessions/{id}:", "/v1/sessions/{name}:", /names name and/],
  [
    "a field that only a body can give",
    /- name: before\n\s+in: query/,
    "- name: until\n          in: query",
    /takes before in a body only/,
  ],
];
for (const [what, from, to, fault] of MISTAKES) {
  test(`${what} is found`, () => {
    const changed = TEXT.replace(from, to);
    assert.notEqual(changed, TEXT);
    const faults = openapiFaults(parse(changed));
    assert.ok(
      faults.some((text) => fault.test(text)),
      `found: ${faults.join("; ")}`,
    );
  });
}
