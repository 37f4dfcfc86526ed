import assert from "node:assert/strict";
import { test } from "node:test";

import { Wallet } from "ethers";

import type { Node, ReportState } from "@verai/client/entities";
import type { ReportFacts } from "@verai/client/report-refusal";
import { refusalOf } from "@verai/client/report-refusal";
import { firstSequence, type Report, REPORT_TYPES, reportDomain, type SignedReport } from "@verai/client/report";
import type { ReportRefusal } from "@verai/client/enums";
import { planBatch } from "./report-batch.ts";
import { gasOf, ReportInbox } from "./inbox.ts";
import { parseReport } from "./message.ts";
import { nodeReportSteps } from "./reports-plan.ts";

const operator = new Wallet(`0x${"11".repeat(32)}`);
const telemetry = "0x5FbDB2315678afecb367f032d93F642f64180aa3";
const report: Report = {
  nodeId: 7,
  sequence: 3,
  period: 60,
  load: 4321,
  latency: 12,
  joules: 6000,
  renewableJoules: 1500,
  method: 3,
  version: 1,
  idleUnitSeconds: 120,
  shares: [
    { leaseId: 5, joules: 2000 },
    { leaseId: 9, joules: 1000 },
  ],
};
const facts: ReportFacts = {
  inMarket: true,
  sequence: 2,
  keyNumber: 0,
  operator: operator.address,
  coveredUntil: 1000,
  now: 1060,
  capacity: 4,
  powerMax: 150,
  chainId: 31337n,
  telemetry,
};

async function sign(changed: Partial<Report> = {}, signer = operator): Promise<SignedReport> {
  const whole = { ...report, ...changed };
  return { report: whole, signature: await signer.signTypedData(reportDomain(31337n, telemetry), REPORT_TYPES, whole) };
}

test("each thing that is impossible is refused with its own reason, before any gas is paid", async () => {
  const cases: [ReportRefusal | undefined, Partial<Report>, Partial<ReportFacts>][] = [
    [undefined, {}, {}],
    ["notInMarket", {}, { inMarket: false }],
    ["sequenceNotGrowing", {}, { sequence: 3 }],
    // The operator key was changed: the new key's reports begin a sequence of their own, whatever the old one has signed.
    ["sequenceNotGrowing", {}, { keyNumber: 1 }],
    ["sequenceNotGrowing", { sequence: firstSequence(2) + 1 }, { keyNumber: 1 }],
    [undefined, { sequence: firstSequence(1) + 1 }, { keyNumber: 1, sequence: firstSequence(1) - 1 }],
    ["badSignature", {}, { operator: telemetry }],
    ["badSignature", {}, { chainId: 8453n }],
    ["badSignature", {}, { telemetry: operator.address }],
    ["periodInvalid", { period: 0 }, {}],
    ["periodInvalid", {}, { now: 1059 }],
    ["loadTooHigh", { load: 10_001 }, {}],
    ["unknownMethod", { method: 0 }, {}],
    ["unknownMethod", { method: 4 }, {}],
    ["powerAboveMaximum", { joules: 9001 }, {}],
    [undefined, { joules: 9000 }, {}],
    ["renewableAboveTotal", { renewableJoules: 6001 }, {}],
    ["idleAboveWork", { idleUnitSeconds: 241 }, {}],
    ["sharesOutOfOrder", { shares: [...report.shares].reverse() }, {}],
    [
      "sharesOutOfOrder",
      {
        shares: [
          { leaseId: 5, joules: 1 },
          { leaseId: 5, joules: 1 },
        ],
      },
      {},
    ],
    ["sharesAboveTotal", { shares: [{ leaseId: 5, joules: 6001 }] }, {}],
    ["tooManyShares", { shares: Array.from({ length: 65 }, (_, i) => ({ leaseId: i + 1, joules: 1 })) }, {}],
  ];
  for (const [reason, changed, against] of cases) {
    assert.equal(refusalOf(await sign(changed), { ...facts, ...against }), reason, JSON.stringify(changed));
  }
  assert.equal(refusalOf(await sign(), undefined), "unknownNode");
  assert.equal(refusalOf({ report, signature: "0x12" }, facts), "badSignature");
  const other = { ...(await sign()), report: { ...report, joules: 5999 } };
  assert.equal(refusalOf(other, facts), "badSignature");
});

test("the inbox keeps each report once, a few of each node, and lets go of what is over", async () => {
  const inbox = new ReportInbox();
  const signed = await Promise.all(Array.from({ length: 10 }, (_, i) => sign({ sequence: 12 - i })));
  assert.ok(inbox.add(signed[0]!, 5) && inbox.add(signed[0]!, 6));
  assert.equal(inbox.size, 1);
  assert.deepEqual(
    signed.map((each) => inbox.add(each, 7)),
    [...Array.from({ length: 8 }, () => true), false, false],
  );
  assert.deepEqual(
    inbox.of(7).map((each) => each.signed.report.sequence),
    [5, 6, 7, 8, 9, 10, 11, 12],
  );
  assert.equal(inbox.of(7).at(-1)?.at, 5);
  inbox.settle((each) => each.report.sequence <= 11);
  assert.equal(inbox.size, 1);
  inbox.settle(() => true);
  assert.deepEqual([inbox.size, inbox.nodes()], [0, []]);
});

test("a batch holds what is good, each node's in order, and waits for company but not for long", async () => {
  const inbox = new ReportInbox();
  const bounds = { reports: 10, gas: 10 ** 7, waitMs: 5_000 };
  const plan = (now: number, most = bounds) =>
    planBatch(inbox, (id) => ([7, 8].includes(id) ? facts : undefined), most, now);
  const small = { joules: 500, renewableJoules: 0, idleUnitSeconds: 0, shares: [{ leaseId: 5, joules: 500 }] };
  inbox.add(await sign({ sequence: 4, period: 20, ...small }), 1_000);
  inbox.add(await sign({ sequence: 3, period: 40, ...small }), 2_000);
  inbox.add(await sign({ sequence: 5, period: 10, ...small }), 3_000);
  inbox.add(await sign({ nodeId: 8, sequence: 9, joules: 10 ** 6 }), 1_000);
  inbox.add(await sign({ nodeId: 9 }), 1_000);
  const waiting = plan(5_900);
  assert.deepEqual(waiting.post, []);
  assert.deepEqual(
    waiting.refused.map(({ reason }) => reason),
    ["powerAboveMaximum", "unknownNode"],
  );
  // The third of node 7 covers more than the time that has passed: it waits.
  const due = plan(6_000);
  assert.deepEqual(
    due.post.map((each) => each.report.sequence),
    [3, 4],
  );
  assert.equal(due.oldestMs, 5_000);
  assert.deepEqual(plan(3_000, { ...bounds, reports: 1 }).post.length, 1);
  assert.deepEqual(plan(3_000, { ...bounds, gas: 1.5 * gasOf({ ...report, ...small }, false) }).post.length, 1);
});

test("only what has the shape of a report is one", async () => {
  const good = await sign();
  assert.deepEqual(parseReport(JSON.parse(JSON.stringify(good))), good);
  for (const bad of [
    undefined,
    "report",
    { ...good, extra: 1 },
    { ...good, signature: "0xzz" },
    { ...good, report: { ...report, load: -1 } },
    { ...good, report: { ...report, load: 0.5 } },
    { ...good, report: { ...report, joules: 2 ** 40 } },
    { ...good, report: { ...report, shares: [{ leaseId: 1 }] } },
    { ...good, report: { ...report, extra: 1 } },
  ]) {
    assert.equal(parseReport(bad), undefined);
  }
});

const node = (changes: Partial<Node> = {}): Node =>
  ({ id: 7, status: "active", powerThreshold: 100, eligible: true, ...changes }) as Node;
const reportState = (changes: Partial<ReportState> = {}): ReportState =>
  ({
    nodeId: 7,
    sequence: 5,
    watts: 90,
    previousWatts: 90,
    throttled: false,
    counted: true,
    ...changes,
  }) as ReportState;

test("a node is throttled after two reports above its threshold, freed by one within it, and lapses when silent", () => {
  const kinds = (changes: Partial<ReportState>, about: Partial<Node> = {}, silent: number[] = []) =>
    nodeReportSteps([node(about)], new Map([[7, reportState(changes)]]), new Set(silent)).map(({ kind }) => kind);
  assert.deepEqual(kinds({}), []);
  assert.deepEqual(kinds({ watts: 101 }), []);
  assert.deepEqual(kinds({ watts: 101, previousWatts: 100 }), []);
  assert.deepEqual(kinds({ watts: 101, previousWatts: 101 }), ["throttle"]);
  assert.deepEqual(kinds({ watts: 101, previousWatts: 101 }, { powerThreshold: 0 }), []);
  assert.deepEqual(kinds({ watts: 101, throttled: true }), []);
  assert.deepEqual(kinds({ watts: 100, throttled: true }), ["unthrottle"]);
  assert.deepEqual(kinds({ watts: 500, throttled: true }, { powerThreshold: 0 }), ["unthrottle"]);
  assert.deepEqual(kinds({}, {}, [7]), ["lapse"]);
  assert.deepEqual(kinds({ counted: false }, { eligible: false }, [7]), []);
  assert.deepEqual(kinds({ counted: false }, { status: "withdrawn" }, [7]), []);
  assert.deepEqual(kinds({ sequence: 0, watts: 0, counted: false }), []);
  const [step] = nodeReportSteps([node()], new Map([[7, reportState({ watts: 150, previousWatts: 120 })]]), new Set());
  assert.match(step?.why ?? "", /120 W and 150 W .* threshold of 100 W/);
});
