import assert from "node:assert/strict";
import { test } from "node:test";
import { freePorts } from "./free_ports.ts";

test("no port is given twice, however often one asks", async () => {
  const ports: number[] = [];
  for (let i = 0; i < 40; i++) ports.push(...(await freePorts(50)));
  assert.equal(ports.length, 2000);
  assert.equal(new Set(ports).size, 2000);
});
