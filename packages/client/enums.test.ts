import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";

import {
  ADMISSIONS,
  ENERGY_METHODS,
  ENERGY_SCOPES,
  ENERGY_SOURCES,
  LEASE_STATUSES,
  MOVE_CAUSES,
  NODE_STATUSES,
  numberOf,
  PARAMETERS,
  REPORT_REFUSALS,
  ROUND_STATUSES,
  TASK_STATUSES,
  enumName,
} from "./enums.ts";

/** Members of an enumeration in a Solidity interface. */
function members(file: string, name: string): string[] {
  const source = readFileSync(new URL(`../../contracts/interfaces/${file}.sol`, import.meta.url), "utf8");
  const body = new RegExp(`enum ${name} \\{([^}]*)\\}`).exec(source)?.[1] ?? "";
  return body
    .replace(/\/\/.*$/gm, "")
    .split(",")
    .map((member) => member.trim())
    .filter((member) => member !== "")
    .map((member) => member.charAt(0).toLowerCase() + member.slice(1));
}

test("words stand in the order of the contracts' enumerations", () => {
  assert.deepEqual([...NODE_STATUSES], members("ISupply", "NodeStatus"));
  assert.deepEqual([...ENERGY_SOURCES], members("INodeRegistry", "EnergySource"));
  assert.deepEqual([...TASK_STATUSES], members("ITaskRegistry", "TaskStatus"));
  assert.deepEqual([...ADMISSIONS], members("ITaskRegistry", "Admission"));
  assert.deepEqual([...LEASE_STATUSES], members("ILeaseRegistry", "LeaseStatus"));
  assert.deepEqual([...ROUND_STATUSES], members("IRoundManager", "RoundStatus"));
  assert.deepEqual([...ENERGY_METHODS], members("ITelemetry", "Method"));
  assert.deepEqual([...REPORT_REFUSALS], members("ITelemetry", "Refusal"));
  assert.deepEqual([...ENERGY_SCOPES], members("IEnergyLedger", "Scope"));
  assert.deepEqual([...MOVE_CAUSES], members("IBalancer", "Cause"));
  assert.deepEqual([...PARAMETERS], members("IParameters", "Param"));
});

test("numbers become words and back", () => {
  assert.equal(enumName(LEASE_STATUSES, 2n), "delivered");
  assert.equal(numberOf(LEASE_STATUSES, "delivered"), 2);
  assert.throws(() => enumName(ROUND_STATUSES, 5), /5 where one of none, seeding/);
});
