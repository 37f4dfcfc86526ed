import assert from "node:assert/strict";
import { test } from "node:test";

import { AbiCoder, encodeBytes32String, Interface } from "ethers";

import { abiOf } from "@verai/client/abi";
import { AUDIT_STATUSES, END_REASONS } from "@verai/client/enums";
import type { EventLog } from "@verai/client/event-logs";
import { encode, type Given } from "../testing/encode.ts";
import { apply, EVENTS, TOLD_EVENTS } from "./apply.ts";
import { Changes } from "./changes.ts";
import { EventDecoder, FOLLOWED } from "./events.ts";

const decoder = new EventDecoder(EVENTS);
const [ANN, BEN, KEEPER] = ["a", "b", "c"].map((digit) => `0x${digit.repeat(40)}`) as [string, string, string];
const DIGEST = `0x${"12".repeat(32)}`;
const VER = 10n ** 18n;

/** Rows that events bring, each at a block of its own unless it says which. */
function rowsOf(happened: readonly (readonly [name: string, args: Given, ...block: number[]])[]): Changes {
  const changes = new Changes();
  const events = happened.map(([name, args, block], i) => {
    const at = block ?? i + 1;
    const log = encode(at, name, args);
    const full: EventLog = { ...log, index: i, blockHash: `0x${String(at)}`, transaction: `0x${String(at)}` };
    return decoder.decode(full, 1_800_000_000 + at);
  });
  apply(events, changes);
  return changes;
}

const registered = (nodeId: number, owner: string) =>
  ["NodeRegistered", { nodeId, owner, operator: BEN, terms: { classId: 1, capacity: 4, ask: VER } }] as const;
const submitted = [
  "TaskSubmitted",
  { taskId: 1, owner: ANN, specDigest: DIGEST, units: 10, maxPrice: VER, escrow: 11n * VER },
] as const;
const granted = (leaseId: number, nodeId: number, more: Given = {}, block?: number): [string, Given, ...number[]] => [
  "LeaseGranted",
  { leaseId, taskId: 1, nodeId, start: 0, count: 4, priceMicroVer: 500_000, fence: 1, parent: 0, ...more },
  ...(block === undefined ? [] : [block]),
];

test("every event that is followed is decoded, and in tests encoded, as ethers does", () => {
  const coder = AbiCoder.defaultAbiCoder();
  let seen = 0;
  for (const contract of FOLLOWED) {
    const abi = new Interface(abiOf(contract));
    abi.forEachEvent((event) => {
      if (!EVENTS.has(event.name)) return;
      seen += 1;
      const values = event.inputs.map((input, i) =>
        sample(input.type, i, input.components ?? input.arrayChildren?.components),
      );
      const { topics, data } = abi.encodeEventLog(event, values);
      // What made-up histories are written with writes the same.
      const own = encode(1, event.name, Object.fromEntries(event.inputs.map(({ name }, i) => [name, values[i]])));
      const isSigned = event.inputs.some(({ type }) => type.startsWith("int"));
      if (!isSigned) assert.deepEqual([own.topics, own.data], [topics, data], event.name);
      const log = {
        address: ANN,
        topics: topics.map(String),
        data,
        block: 1,
        blockHash: "0x",
        index: 0,
        transaction: "",
      };
      const { name, args } = decoder.decode(log, 5);
      assert.equal(name, event.name);
      for (const [i, input] of event.inputs.entries()) {
        // Back into bytes: numbers, bigints and texts are compared by what they mean.
        const encoded = coder.encode([input], [args[input.name]]);
        assert.equal(encoded, coder.encode([input], [values[i]]), `${event.name}.${input.name}`);
      }
      if (event.inputs.length === 0) return;
      const short = { ...log, topics: log.topics.slice(0, 1), data: "0x" };
      assert.throws(() => decoder.decode(short, 5), RangeError, event.name);
    });
  }
  assert.ok(seen >= EVENTS.size);
});

/** A type, and those of its members. */
interface Part {
  readonly type: string;
  readonly components?: readonly Part[] | null;
}

function sample(type: string, i: number, parts?: readonly Part[] | null): unknown {
  if (type.endsWith("[]")) return [0, 1, 2].map((more) => sample(type.slice(0, -2), i + more, parts));
  if (parts) return parts.map((part, more) => sample(part.type, i + more, part.components));
  if (type === "address") return KEEPER;
  if (type === "bool") return i % 2 === 0;
  if (type === "bytes32") return DIGEST;
  if (type === "bytes") return `0x${"34".repeat(17 * (i + 1))}`;
  if (type === "string") return "<b>'; drop table nodes;--</b>";
  const bits = BigInt(/\d+/.exec(type)?.[0] ?? 8);
  return type.startsWith("int") ? -1n - BigInt(i) : (1n << bits) - 1n - BigInt(i);
}

test("units of a task always add up, through failure, reopening, refund and payment", () => {
  const rows = rowsOf([
    registered(1, ANN),
    submitted,
    ["UnitsLeased", { taskId: 1, units: 4 }],
    granted(1, 1),
    ["LeaseExpired", { leaseId: 1, taskId: 1, nodeId: 1, by: KEEPER, reason: 10 }],
    ["UnitsReopened", { taskId: 1, start: 0, count: 4, parentLease: 1 }],
    ["UnitsLeased", { taskId: 1, units: 8 }],
    granted(2, 1, { fence: 2, parent: 1 }),
    granted(3, 1, { start: 4 }),
    ["LeasePaid", { leaseId: 2, taskId: 1, nodeId: 1, amount: 2n * VER, fee: VER / 50n }],
    ["UnitsPaid", { taskId: 1, units: 4 }],
    ["RangeGivenUp", { leaseId: 3, taskId: 1, start: 4, count: 4 }],
    ["UnitsRefunded", { taskId: 1, units: 4, amount: 4n * VER }],
  ]);
  const task = rows.peek("tasks", 1);
  assert.ok(task);
  assert.deepEqual(
    [task.openUnits, task.leasedUnits, task.paidUnits, task.refundedUnits, task.failures, task.leases],
    [2, 0, 4, 4, 1, 3],
  );
  assert.deepEqual([task.paid, task.refunded], [2n * VER, 4n * VER]);
  const lease = rows.peek("leases", 1);
  assert.deepEqual([lease?.status, lease?.reason, lease?.parent, lease?.price], ["expired", "overdue", null, VER / 2n]);
  assert.equal(rows.peek("leases", 2)?.parent, 1);
  assert.equal(rows.peek("keepers", KEEPER)?.expired, 1);
  const node = rows.peek("nodes", 1);
  assert.deepEqual([node?.earned, node?.earnedMicro, node?.failures, node?.paidUnits], [2n * VER, 2_000_000, 1, 4]);
});

test("what an audit found wrong ends its lease, counts against its node, and leaves the checkpoint before it", () => {
  const posted = (sequence: number): [string, Given] => [
    "CheckpointTraced",
    { leaseId: 1, digest: DIGEST, codec: 0x70, progress: 1_000 * sequence, size: 9, sequence, traceRoot: DIGEST },
  ];
  const rows = rowsOf([
    registered(1, ANN),
    registered(2, ANN),
    submitted,
    ["UnitsLeased", { taskId: 1, units: 8 }],
    granted(1, 1),
    granted(2, 2, { start: 4 }),
    ...[1, 2, 3].map(posted),
    ["CheckpointsRolledBack", { leaseId: 1, sequence: 2 }],
    ["LeaseRevoked", { leaseId: 1, taskId: 1, nodeId: 1, reason: END_REASONS.indexOf("fraud") }],
    ["LeaseRevoked", { leaseId: 2, taskId: 1, nodeId: 2, reason: END_REASONS.indexOf("revoked") }],
  ]);
  const lease = rows.peek("leases", 1);
  assert.deepEqual(
    [lease?.status, lease?.reason, lease?.checkpoints, lease?.progress],
    ["rejected", "fraud", 2, 2_000],
  );
  assert.deepEqual([rows.peek("nodes", 1)?.failures, rows.peek("nodes", 1)?.leasedUnits], [1, 0]);
  assert.deepEqual([rows.peek("leases", 2)?.reason, rows.peek("nodes", 2)?.failures], ["revoked", 0]);
  assert.equal(rows.peek("tasks", 1)?.failures, 1);
});

test("an audit has its segment, who ran it again, and how it ended", () => {
  const link = (sequence: number, at: number) => [sequence, DIGEST, DIGEST, 1_000 * sequence, at, 0x70, 9];
  const of = { leaseId: 1, sequence: 1 };
  const opened = (sequence: number, before: unknown): [string, Given] => [
    "AuditOpened",
    { leaseId: 1, sequence, epochId: 3, segment: [1, DIGEST, before, link(sequence, 1_800_000_010 + sequence)] },
  ];
  const drawn = (nodeId: number, question: number): [string, Given] => [
    "VerifierDrawn",
    { ...of, nodeId, question, due: 9 },
  ];
  const rows = rowsOf([
    registered(1, ANN),
    submitted,
    granted(1, 1, {}, 3),
    opened(1, [0, `0x${"00".repeat(32)}`, `0x${"00".repeat(32)}`, 0, 0, 0, 0]),
    drawn(2, 0),
    drawn(3, 1),
    ["AnswerCommitted", { ...of, nodeId: 3, due: 9 }],
    ["TraceOpened", { ...of, answer: DIGEST, due: 9 }],
    ["PanelDrawn", { ...of, round: 0, lead: 0 }],
    ...[4, 5, 6, 7, 8].map((nodeId) => drawn(nodeId, 256)),
    ["AnswerCommitted", { ...of, nodeId: 4, due: 9 }],
    ["AuditEnded", { ...of, nodeId: 1, status: AUDIT_STATUSES.indexOf("fraud") }],
    opened(2, link(1, 1_800_000_011)),
    ["VerifierDrawn", { leaseId: 1, sequence: 2, nodeId: 2, question: 0, due: 9 }],
    ["AnswerCommitted", { leaseId: 1, sequence: 2, nodeId: 2, due: 9 }],
  ]);
  const [first, second] = [rows.peek("audits", 1, 1), rows.peek("audits", 1, 2)];
  assert.deepEqual(
    [first?.taskId, first?.nodeId, first?.epochId, first?.fromTime, first?.toTime, first?.status, first?.endedAt],
    [1, 1, 3, 1_800_000_003, 1_800_000_011, "fraud", 1_800_000_016],
  );
  assert.deepEqual([first?.verifiers, first?.panel], ["[2,3]", "[4,5,6,7,8]"]);
  assert.deepEqual(
    [second?.fromTime, second?.status, second?.endedAt, second?.verifiers],
    [1_800_000_011, "opening", null, "[2]"],
  );
});

test("what an audit takes from a stake is counted as slashed, once", () => {
  const amount = 3n * VER;
  const rows = rowsOf([
    registered(1, ANN),
    ["StakeLocked", { nodeId: 1, from: ANN, amount: 10n * VER }],
    ["FeeHeld", { nodeId: 1, taskId: 1, amount }],
    ["AuditSlashed", { nodeId: 1, taskId: 1, amount }],
    ["StakeSlashed", { nodeId: 1, amount: VER }],
  ]);
  const node = rows.peek("nodes", 1);
  assert.deepEqual([node?.stake, node?.slashed, node?.charged], [6n * VER, 4n * VER, 0n]);
  assert.equal(
    [...rows.all("nodeDays")].reduce((sum, { slashed }) => sum + slashed, 0n),
    4n * VER,
  );
  assert.ok(
    [...rows.all("events")].some(({ name }) => name === "AuditSlashed"),
    "it is told",
  );
});

test("a node's part of what an audit costs leaves its stake, and is neither lost nor charged", () => {
  const rows = rowsOf([
    registered(1, ANN),
    ["StakeLocked", { nodeId: 1, from: ANN, amount: 10n * VER }],
    ["StakePaid", { nodeId: 1, to: ANN, amount: VER }],
  ]);
  const node = rows.peek("nodes", 1);
  assert.deepEqual([node?.stake, node?.slashed, node?.charged], [9n * VER, 0n, 0n]);
});

test("a round's leases are those of its transaction, a batch's those that it drew", () => {
  const rows = rowsOf([
    registered(1, ANN),
    submitted,
    granted(1, 1, {}, 50),
    ["RangeDrawn", { batchId: 7, orphanId: 9, leaseId: 1, nodeId: 1, start: 0, count: 4 }, 50],
    ["ClassCleared", { roundId: 4, classId: 1, clearing: 1_024 * 500_000 + 1, units: 8 }, 51],
    ["RoundSettled", { roundId: 4, keeper: KEEPER, leases: 2, units: 8, unitsOpen: 2 }, 51],
    granted(2, 1, {}, 51),
    granted(3, 1, {}, 51),
    ["RoundSettled", { roundId: 5, keeper: KEEPER, leases: 0, units: 0, unitsOpen: 2 }, 52],
  ]);
  assert.deepEqual(
    [1, 2, 3].map((id) => [rows.peek("leases", id)?.roundId, rows.peek("leases", id)?.batchId]),
    [
      [null, 7],
      [4, null],
      [4, null],
    ],
  );
  // Clearing prices are micro-VER x 1024: their wei are whole.
  assert.equal(rows.peek("roundClasses", 4, 1)?.clearing, VER / 2n + 976_562_500n);
  assert.equal(rows.peek("networkPeriods", "day", 1_800_000_000 - (1_800_000_000 % 86_400))?.rounds, 2);
});

test("a move has its cause, and ends as a move", () => {
  const rows = rowsOf([
    registered(1, ANN),
    submitted,
    granted(1, 1),
    ["Moved", { leaseId: 1, fromNode: 1, units: 2, cause: 1 }],
    ["LeaseMoving", { leaseId: 1, units: 2, due: 1_800_000_500 }],
    ["LeaseReleased", { leaseId: 1, taskId: 1, nodeId: 1, reason: 9 }],
    granted(2, 1, { parent: 1, count: 2 }),
    ["LeaseMoving", { leaseId: 2, units: 1, due: 1_800_000_500 }],
    ["MoveDropped", { leaseId: 2, units: 1 }],
    ["LeaseReleased", { leaseId: 2, taskId: 1, nodeId: 1, reason: 3 }],
  ]);
  const lease = rows.peek("leases", 1);
  assert.deepEqual([lease?.moveCause, lease?.reason, lease?.movingUnits], ["power", "moved", 2]);
  assert.equal(rows.peek("leases", 2)?.reason, "ownerBack");
  const node = rows.peek("nodes", 1);
  assert.deepEqual([node?.moves, node?.returns, node?.leasedUnits], [1, 1, 0]);
});

test("names and endpoints are kept as they are, but for NUL", () => {
  const bad = "\u0000<img src=x onerror=alert(1)>'); DROP TABLE nodes;--";
  const rows = rowsOf([
    ["ClassAdded", { classId: 0, name: encodeBytes32String("<script>'\"--"), tickSize: 1 }],
    registered(1, ANN),
    ["ProfileSet", { nodeId: 1, profile: { energySource: 2, powerThreshold: 1, powerMax: 2, endpoint: bad } }],
  ]);
  assert.equal(rows.peek("classes", 0)?.name, "<script>'\"--");
  assert.equal(rows.peek("nodes", 1)?.endpoint, bad.replace("\u0000", "\ufffd"));
  assert.ok(!JSON.stringify([...rows.all("events")]).includes("\\u0000"));
});

test("what is told one by one is what people look at", () => {
  assert.ok(TOLD_EVENTS.includes("LeaseExpired") && !TOLD_EVENTS.includes("LeaseRenewed"));
});
