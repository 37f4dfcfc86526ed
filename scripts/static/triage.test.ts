import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";

import { type Finding, findingsOf } from "./slither.ts";
import { judge, receiversOf, type Triage } from "./triage.ts";

const finding: Finding = {
  check: "reentrancy-no-eth",
  impact: "Medium",
  where: "Vault.pay(uint256)",
  place: "contracts/core/vault/Vault.sol:1",
  text: "Reentrancy in Vault.pay",
  calls: ["fee = VAULT.holdFee(id,Math.min(a,b))", "_free(id)"],
};
const empty: Triage = { receivers: {}, aboutCalls: [], kinds: [], findings: {} };

test("receivers are read off the source of calls", () => {
  assert.deepEqual(receiversOf("slashed = SUPPLY.slash(held.nodeId,_penalty(leaseId,held))"), ["SUPPLY"]);
  assert.deepEqual(receiversOf("INodeReports(_modules.telemetry).silent(held.nodeId)"), ["_modules.telemetry"]);
  assert.deepEqual(receiversOf("(ok,data) = calls[i].target.staticcall(calls[i].data)"), ["calls[i].target"]);
  assert.deepEqual(receiversOf("operator.staticcall{gas: MOST}(abi.encodeCall(I.x,(a)))"), ["operator", "abi"]);
  assert.deepEqual(receiversOf("units += TASKS.open(VAULT.of(1))"), ["TASKS", "VAULT"]);
  assert.deepEqual(receiversOf("_free(held.nodeId,units)"), []);
});

test("a finding about calls is argued only if every receiver is", () => {
  const some: Triage = { ...empty, aboutCalls: [finding.check], receivers: { VAULT: "ours" } };
  assert.equal(judge([finding], some).open[0]?.why, "calls Math");
  const all: Triage = { ...some, receivers: { VAULT: "ours", Math: "a library" } };
  assert.deepEqual(judge([finding], all), { open: [], stale: [] });
  assert.equal(judge([{ ...finding, calls: [] }], all).open[0]?.why, "names no call");
});

test("a finding of another kind is open until it, or its kind, is argued", () => {
  const other = { ...finding, check: "timestamp", text: "uses a timestamp" };
  assert.equal(judge([other], empty).open[0]?.why, "not argued");
  assert.deepEqual(judge([other], { ...empty, kinds: [{ check: "timestamp", why: "" }] }).open, []);
  assert.equal(judge([other], { ...empty, kinds: [{ check: "timestamp", text: "block", why: "" }] }).open.length, 1);
  assert.deepEqual(judge([other], { ...empty, findings: { "timestamp Vault.pay(uint256)": "" } }).open, []);
});

test("arguments that argue nothing are told", () => {
  const { stale } = judge([], {
    receivers: { GONE: "" },
    aboutCalls: [],
    kinds: [{ check: "timestamp", why: "" }],
    findings: { "assembly A.b()": "" },
  });
  assert.deepEqual(stale, ["GONE", "timestamp", "assembly A.b()"]);
});

test("every argument says something", () => {
  const triage = JSON.parse(readFileSync(new URL("triage.json", import.meta.url), "utf8")) as Triage;
  const said = [
    ...Object.values(triage.receivers),
    ...triage.kinds.map(({ why }) => why),
    ...Object.values(triage.findings),
  ];
  assert.ok(said.length > 20, String(said.length));
  assert.deepEqual(
    said.filter((why) => why.length < 20),
    [],
  );
});

test("a report's elements become a place and calls", () => {
  const mapping = { filename_relative: "contracts/A.sol", lines: [7, 8] };
  const contract = { type: "contract", name: "A", source_mapping: mapping };
  const [found] = findingsOf({
    success: true,
    error: null,
    results: {
      detectors: [
        {
          check: "reentrancy-events",
          impact: "Low",
          description: "Reentrancy in A.b():\n\tExternal calls:",
          elements: [
            {
              type: "function",
              name: "b",
              source_mapping: mapping,
              type_specific_fields: { parent: contract, signature: "b()" },
            },
            {
              type: "node",
              name: "C.d()",
              source_mapping: mapping,
              additional_fields: { underlying_type: "external_calls_sending_eth" },
            },
            {
              type: "node",
              name: "x = 1",
              source_mapping: mapping,
              additional_fields: { underlying_type: "variables_written" },
            },
          ],
        },
      ],
    },
  });
  assert.deepEqual(found, {
    check: "reentrancy-events",
    impact: "Low",
    where: "A.b()",
    place: "contracts/A.sol:7",
    text: "Reentrancy in A.b(): External calls:",
    calls: ["C.d()"],
  });
});
