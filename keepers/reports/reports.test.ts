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
  load: 4321,
  latency: 12,
  watts: 100,
  renewable: false,
};
const facts: ReportFacts = {
  inMarket: true,
  sequence: 2,
  keyNumber: 0,
  operator: operator.address,
  fee: 0,
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
    ["loadTooHigh", { load: 10_001 }, {}],
    ["powerAboveMaximum", { watts: 151 }, {}],
    ["powerAboveMaximum", { watts: 80_001 }, { powerMax: 10 ** 6 }],
    [undefined, { watts: 150 }, {}],
  ];
  for (const [reason, changed, against] of cases) {
    assert.equal(refusalOf(await sign(changed), { ...facts, ...against }), reason, JSON.stringify(changed));
  }
  assert.equal(refusalOf(await sign(), undefined), "unknownNode");
  assert.equal(refusalOf({ report, signature: "0x12" }, facts), "badSignature");
  const other = { ...(await sign()), report: { ...report, watts: 99 } };
  assert.equal(refusalOf(other, facts), "badSignature");
});

test("the inbox keeps the newest report of each node, and lets go of what is over", async () => {
  const inbox = new ReportInbox();
  const [third, fifth, other] = [await sign(), await sign({ sequence: 5 }), await sign({ nodeId: 8 })];
  assert.ok(inbox.add(third, 5) && inbox.add(third, 6) && inbox.has(third));
  assert.ok(inbox.add(fifth, 7) && inbox.add(await sign({ sequence: 4 }), 8) && inbox.add(other, 9));
  assert.deepEqual(
    inbox.waiting().map(({ signed, at }) => [signed.report.nodeId, signed.report.sequence, at]),
    // It has waited since the node's first.
    [
      [7, 5, 5],
      [8, 3, 9],
    ],
  );
  assert.ok(inbox.has(fifth) && !inbox.has(third));
  inbox.settle(({ report: { sequence } }) => sequence <= 4);
  assert.equal(inbox.size, 1);
  inbox.settle(() => true);
  assert.deepEqual(inbox.waiting(), []);
});

test("a batch holds what is good, and waits for company but not for long", async () => {
  const inbox = new ReportInbox();
  const bounds = { reports: 10, gas: 10 ** 7, waitMs: 5_000 };
  const plan = (now: number, most = bounds) => planBatch(inbox, (id) => (id === 9 ? undefined : facts), most, now);
  inbox.add(await sign({ nodeId: 6 }), 1_000);
  inbox.add(await sign({ nodeId: 7 }), 2_000);
  inbox.add(await sign({ nodeId: 8, watts: 10 ** 6 }), 1_000);
  inbox.add(await sign({ nodeId: 9 }), 1_000);
  const waiting = plan(5_900);
  assert.deepEqual(waiting.post, []);
  assert.deepEqual(
    waiting.refused.map(({ reason }) => reason),
    ["powerAboveMaximum", "unknownNode"],
  );
  const due = plan(6_000);
  assert.deepEqual(
    due.post.map((each) => each.report.nodeId),
    [6, 7],
  );
  assert.equal(due.oldestMs, 5_000);
  assert.deepEqual(plan(3_000, { ...bounds, reports: 1 }).post.length, 1);
  assert.deepEqual(plan(3_000, { ...bounds, gas: 1.5 * gasOf(false) }).post.length, 1);
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
    { ...good, report: { ...report, watts: 2 ** 32 } },
    { ...good, report: { ...report, renewable: 1 } },
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
