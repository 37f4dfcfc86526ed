import type { Event } from "../api/generated.ts";
import { useIndexerList, type ListPath } from "../api/queries.ts";
import { Failure } from "./failure.tsx";
import { exactVer, foreign, span } from "./format.ts";
import { IdLink, Transaction } from "./links.tsx";
import { Card } from "./page.tsx";
import { More, Table } from "./table.tsx";

/** What an event says, for people. */
const WORDS: Readonly<Record<string, string>> = {
  TaskSubmitted: "submitted",
  TaskParked: "left the queue: nothing could serve it",
  TaskClosing: "is being closed",
  TaskEnded: "ended",
  PriceRaised: "maximum price raised",
  UnitsReopened: "units wait for a round again",
  UnitsRefunded: "units refunded",
  LeaseGranted: "lease granted",
  LeaseExpired: "lease ended: its node failed, or the deadline came",
  LeaseReleased: "given back by its node",
  LeaseRevoked: "ended by an audit",
  AuditsAskedFor: "asks for audits",
  AuditOpened: "segment drawn for an audit",
  VerifierDrawn: "verifier drawn for an audit",
  AuditEnded: "audit ended",
  AuditSlashed: "stake taken by an audit",
  TaskAuditsEnded: "has no audits any longer: its program is not reproducible",
  CheckpointsRolledBack: "goes back to the checkpoint before the work that was wrong",
  LeaseMoving: "told to move to another node",
  LeasePaid: "result accepted and paid",
  LeaseDisputed: "result disputed",
  LeaseNotRenewed: "checkpoint without headway: not renewed",
  DisputeRuled: "dispute ruled",
  ResultDelivered: "result delivered",
  RangeDrawn: "range drawn for a new node",
  RangeReturned: "range goes back to the queue",
  RangeOrphaned: "range waits to be drawn for",
  RangeGivenUp: "range given up: it failed too often",
  Moved: "moved for its node’s load or power",
  MoveDropped: "move dropped",
  WorkPaid: "work paid",
  ReleaseCharged: "fee for giving back",
  ReleaseFeesDistributed: "release fees settled",
  NodeRegistered: "registered",
  NodeDraining: "drains: takes no new work",
  NodeResumed: "takes work again",
  NodeUnbonding: "leaves the market",
  NodeWithdrawn: "has withdrawn its stake",
  NodeSlashed: "stake slashed",
  NodeThrottled: "throttled for its power",
  NodeUnthrottled: "no longer throttled",
  NodeLapsed: "left out: no reports",
  StakeAdded: "stake added",
  TermsSet: "terms changed",
  ProfileSet: "profile changed",
  OperatorSet: "operator key changed",
  OwnerBarred: "owner barred for a time",
};

const CODES: Readonly<Record<string, readonly string[]>> = {
  why: ["", "nothing open", "deadline too near", "deposit too low", "no supply"],
  cause: ["load", "power"],
};

/** What an event adds to its words. Only numbers of known fields; the rest is in the event's data. */
function detailOf({ name, data }: Event): string {
  const parts: string[] = [];
  const { units, count, start, amount, fee, why, cause } = data;
  if (typeof start === "number" && typeof count === "number")
    parts.push(count === 1 ? `unit ${String(start)}` : `units ${String(start)}–${String(start + count - 1)}`);
  else if (typeof units === "number") parts.push(`${String(units)} units`);
  if (typeof amount === "string" && /^\d{1,78}$/.test(amount)) parts.push(exactVer(amount));
  if (name === "ReleaseCharged" && typeof fee === "string" && /^\d{1,78}$/.test(fee)) parts.push(exactVer(fee));
  if (name === "TaskParked" && typeof why === "number") parts.push(CODES["why"]?.[why] ?? "");
  if (typeof cause === "number") parts.push(CODES["cause"]?.[cause] ?? "");
  return parts.filter((part) => part !== "").join(", ");
}

type EventPath = Extract<ListPath, `${string}/events`>;

/** What happened to something, newest first. */
export function Events({ page, id }: { page: Exclude<EventPath, "/v1/events">; id: number }) {
  const query = useIndexerList(page, { id, limit: 50 });
  const now = query.asOf?.time ?? 0;
  return (
    <Card title="What happened" source="Source: indexer, from the contracts’ events">
      {query.error && <Failure error={query.error} onRetry={() => void query.refetch()} />}
      <Table
        label="What happened"
        rows={query.items}
        keyOf={({ block, logIndex }) => `${String(block)}-${String(logIndex)}`}
        empty="Nothing has happened yet."
        columns={[
          { title: "When", cell: ({ time }) => `${span(now - time)} ago` },
          {
            title: "What",
            cell: (event) => (
              <>
                {WORDS[event.name] ?? foreign(event.name, 40)} <span className="soft">{detailOf(event)}</span>
              </>
            ),
          },
          { title: "Lease", cell: ({ leaseId }) => <IdLink kind="lease" id={leaseId} /> },
          { title: "Task", cell: ({ taskId }) => <IdLink kind="task" id={taskId} /> },
          { title: "Node", cell: ({ nodeId }) => <IdLink kind="node" id={nodeId} /> },
          { title: "Block", number: true, cell: ({ block }) => String(block) },
          { title: "Transaction", cell: ({ transaction }) => <Transaction hash={transaction} /> },
        ]}
      />
      <More query={query} />
    </Card>
  );
}
