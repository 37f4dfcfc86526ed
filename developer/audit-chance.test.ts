import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { test } from "node:test";

import { parseSpec, type TaskSpec } from "@verai/executor/spec";
import { auditChanceOf, auditsText } from "./audit-chance.ts";
import { requestOf, termsOf } from "./task-request.ts";

const example = async (name: string): Promise<TaskSpec> =>
  parseSpec(new Uint8Array(await readFile(new URL(`../docs/examples/${name}.json`, import.meta.url))));

test("a program that the protocol vouches for is audited for nothing more than the fee, unless its developer says otherwise", async () => {
  const spec = await example("digits");
  assert.equal(auditChanceOf(undefined, spec, 200), 133);
  assert.equal(auditChanceOf(undefined, spec, 0), 0, "no fee, no audits");
  assert.equal(auditChanceOf(0, spec, 200), 0);
  assert.equal(auditChanceOf(500, spec, 200), 500);
});

test("other programs are audited only where their developers say that they are reproducible", async () => {
  const spec = await example("python");
  assert.equal(auditChanceOf(undefined, spec, 200), 0);
  assert.equal(auditChanceOf(100, spec, 200), 100);
});

test("what is confidential is not audited by default: verifiers would be given its key", async () => {
  const spec = await example("digits");
  assert.equal(auditChanceOf(undefined, { ...spec, confidential: true }, 200), 0);
  assert.equal(auditChanceOf(undefined, undefined, 200), 0, "sealed already");
});

test("people are told what is asked for, and why nothing is", () => {
  assert.match(auditsText(133, undefined), /1\.33 % at least/);
  assert.match(auditsText(0, 0), /as asked for/);
  assert.match(auditsText(0, undefined), /checkpoint\.everySteps/);
});

test("what is remembered of a submission are the terms as they were given, whatever the default comes to", () => {
  const terms = { units: 1, maxPrice: "0.01", classes: {}, checkpointInterval: 60, replicas: 1, within: 3600 };
  assert.equal("auditChance" in termsOf(requestOf(terms, [])), false, "as earlier records have it");
  assert.equal(termsOf(requestOf({ ...terms, auditChance: 0 }, [])).auditChance, 0);
  assert.equal(termsOf(requestOf({ ...terms, auditChance: 100 }, [])).auditChance, 100);
});
