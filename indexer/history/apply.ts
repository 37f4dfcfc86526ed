import { auditReducers } from "./audits.ts";
import type { Changes } from "./changes.ts";
import type { Reducer } from "./context.ts";
import type { ChainEvent, Value } from "./events.ts";
import { leaseReducers } from "./leases.ts";
import { nodeReducers } from "./nodes.ts";
import { roundReducers } from "./rounds.ts";
import { taskReducers } from "./tasks.ts";

const REDUCERS: Readonly<Record<string, Reducer>> = {
  ...taskReducers,
  ...leaseReducers,
  ...nodeReducers,
  ...roundReducers,
  ...auditReducers,
};

/** Events that are only told. */
const TOLD = [
  "RangeOrphaned",
  "RangeReturned",
  "NodeSlashed",
  "OwnerBarred",
  "StakeAdded",
  "NodeLapsed",
  "BountyShort",
  "ReleaseFeesDistributed",
  "AuditsAskedFor",
  "TaskAuditsEnded",
  "ParameterSet",
  "IntakePausedSet",
];

/** Events that change rows but are too many, or too dull, to be told one by one. */
const UNTOLD = new Set([
  "LeaseRenewed",
  "CheckpointPosted",
  "CheckpointTraced",
  "CheckpointReplicated",
  "TaskQueued",
  "UnitsLeased",
  "UnitsPaid",
  "FeeCollected",
  "FeeHeld",
  "NodeEligibilitySet",
  "StakeLocked",
  "StakeReleased",
  "StakePaid",
  "StakeSlashed",
  "Reported",
  "EnergyReported",
  "ReportRefused",
  "ClassCleared",
  "SeedStored",
  "BountyPaid",
  "TaskEnergyRecorded",
  "LeaseCredited",
  "ClassAdded",
  "AnswerCommitted",
  "TraceOpened",
  "PanelDrawn",
]);

/** Events that history is made of. */
export const EVENTS: ReadonlySet<string> = new Set([...Object.keys(REDUCERS), ...TOLD]);

/** Events that are told one by one. */
export const TOLD_EVENTS: readonly string[] = [...EVENTS].filter((name) => !UNTOLD.has(name)).sort();

/**
 * Takes events into rows, in order. Pure but for the rows it is given; O(events).
 *
 * @param changes Holds every row that the events change and the database has.
 */
export function apply(events: readonly ChainEvent[], changes: Changes): void {
  let settled = { roundId: 0, left: 0 };
  let before: ChainEvent | undefined;
  for (const event of events) {
    if (event.block !== before?.block || event.transaction !== before.transaction) settled = { roundId: 0, left: 0 };
    before = event;
    REDUCERS[event.name]?.({ changes, event, args: event.args, settled });
    if (!UNTOLD.has(event.name)) tell(event, changes);
  }
}

function tell({ name, block, logIndex, time, transaction, args }: ChainEvent, changes: Changes): void {
  const leaseId = id(args["leaseId"] ?? args["orphanId"]);
  const lease = leaseId === null ? undefined : changes.peek("leases", leaseId);
  const account = ["owner", "opener", "keeper", "by", "to"]
    .map((each) => args[each])
    .find((each) => typeof each === "string");
  const row = changes.row("events", {}, block, logIndex);
  row.block = block;
  row.logIndex = logIndex;
  row.time = time;
  row.name = name;
  row.taskId = id(args["taskId"]) ?? lease?.taskId ?? null;
  row.leaseId = leaseId;
  row.nodeId = id(args["nodeId"] ?? args["fromNode"]) ?? lease?.nodeId ?? null;
  row.account = account ?? null;
  row.transaction = transaction;
  row.data = dataOf(args);
}

function id(value: Value | undefined): number | null {
  return typeof value === "number" ? value : null;
}

/** Arguments as JSON that every database takes: large numbers as text, no NUL. */
function dataOf(args: ChainEvent["args"]): string {
  return JSON.stringify(args, (_, value: unknown) =>
    typeof value === "bigint" ? value.toString() : typeof value === "string" ? value.replaceAll("\0", "\ufffd") : value,
  );
}
