import { useQueries } from "@tanstack/react-query";

import { ask } from "../../api/client.ts";
import type { Audit, Checkpoint, Lease, Task } from "../../api/generated.ts";
import { useConfig } from "../../config.ts";
import { bytes, count, percent, span } from "../../ui/format.ts";
import { pathOf } from "../../ui/links.tsx";
import { AuditMarks, auditWords } from "./audits.tsx";

const WIDTH = 1120;
const LEFT = 64;
const RIGHT = 16;
const TOP = 26;
/** Lanes that are drawn; the units of a larger task share them. */
const MOST_LANES = 48;
/** Leases whose checkpoints are asked for. */
const MOST_ASKED = 40;
/** Checkpoints of a lease that are drawn. */
const MOST_MARKS = 100;

const ENDS: Readonly<Record<string, readonly [sign: string, words: string]>> = {
  paid: ["✓", "paid"],
  failed: ["✗", "its node failed"],
  deadline: ["✗", "the deadline came"],
  moved: ["↷", "moved to another node"],
  returned: ["↩", "given back by its node"],
  rejected: ["✗", "its result was rejected"],
};

/** The units of a task as lanes over time: who ran them, their checkpoints, what was audited, and how each lease ended. */
export function Lanes({
  task,
  leases,
  audits,
  now,
}: {
  task: Task;
  leases: readonly Lease[];
  audits: readonly Audit[];
  now: number;
}) {
  const { indexerUrl } = useConfig();
  const asked = leases.filter(({ checkpoints }) => checkpoints > 0).slice(-MOST_ASKED);
  const checkpoints = useQueries({
    queries: asked.map(({ id, checkpoints: known }) => ({
      queryKey: ["indexer", "checkpoints", id, known],
      staleTime: Infinity,
      queryFn: async ({ signal }: { signal: AbortSignal }) =>
        (await ask(indexerUrl, "/v1/leases/{id}/checkpoints", { id, order: "desc", limit: MOST_MARKS }, signal)).items,
    })),
    combine: (all) => new Map(all.map(({ data }, i) => [asked[i]?.id ?? 0, data ?? []])),
  });
  if (leases.length === 0)
    return <p className="empty">No unit has been leased yet: lanes begin with the first round that takes the task.</p>;
  const lanes = Math.min(task.units, MOST_LANES);
  const perLane = task.units / lanes;
  const laneHeight = lanes > 24 ? 16 : 24;
  const height = TOP + lanes * laneHeight + 30;
  const from = task.submittedAt;
  const length = Math.max(1, now - from);
  const x = (time: number) => LEFT + (Math.min(Math.max(0, time - from), length) / length) * (WIDTH - LEFT - RIGHT);
  const y = (unit: number) => TOP + (unit / perLane) * laneHeight;
  const nodes = [...new Set(leases.map(({ nodeId }) => nodeId))];
  return (
    <figure>
      <div className="scroll" tabIndex={0} role="region" aria-label="Units over time">
        <svg
          className="lanes"
          viewBox={`0 0 ${String(WIDTH)} ${String(height)}`}
          role="group"
          aria-label={`${count(leases.length)} leases of ${count(task.units)} units over ${span(length)}`}
        >
          {Array.from({ length: 6 }, (_, i) => from + (length * i) / 5).map((time, i) => (
            <g key={i}>
              <line className="grid" x1={x(time)} x2={x(time)} y1={TOP - 6} y2={height - 24} />
              <text
                className="tick"
                x={x(time)}
                y={height - 8}
                textAnchor={i === 0 ? "start" : i === 5 ? "end" : "middle"}
              >
                {i === 0 ? "submitted" : `+${span(time - from)}`}
              </text>
            </g>
          ))}
          {Array.from({ length: lanes }, (_, lane) => (
            <text
              key={lane}
              className="tick"
              x={LEFT - 10}
              y={TOP + lane * laneHeight + laneHeight / 2 + 4}
              textAnchor="end"
            >
              {perLane === 1 ? `unit ${String(lane)}` : `#${String(Math.floor(lane * perLane))}`}
            </text>
          ))}
          {leases.map((lease) => (
            <LeaseBar
              key={lease.id}
              lease={lease}
              colour={nodes.indexOf(lease.nodeId) % 6}
              x={x}
              y={y}
              now={now}
              checkpoints={checkpoints.get(lease.id) ?? []}
              audits={audits.filter(({ leaseId }) => leaseId === lease.id)}
            />
          ))}
        </svg>
      </div>
      <p className="legend small">
        {nodes.slice(0, 12).map((nodeId, i) => (
          <span key={nodeId} className="nowrap">
            <span className={`key node-${String(i % 6)}`} /> node {String(nodeId)}
          </span>
        ))}
        <span className="nowrap">&nbsp;│ checkpoint</span> <span className="nowrap">✓ paid</span>{" "}
        <span className="nowrap">✗ failed</span>{" "}
        {audits.length > 0 && <span className="nowrap">framed: a segment that was audited</span>}{" "}
        <span className="nowrap">↷ moved</span> <span className="nowrap">↩ given back</span>{" "}
        <span className="nowrap">hatched: ended without a result</span>
      </p>
    </figure>
  );
}

function LeaseBar({
  lease: {
    id,
    nodeId,
    start,
    count: units,
    grantedAt,
    endedAt,
    deliveredAt,
    reason,
    status,
    moveCause,
    progress,
    checkpoints: known,
  },
  colour,
  x,
  y,
  now,
  checkpoints,
  audits,
}: {
  lease: Lease;
  colour: number;
  x: (time: number) => number;
  y: (unit: number) => number;
  now: number;
  checkpoints: readonly Checkpoint[];
  audits: readonly Audit[];
}) {
  const until = deliveredAt ?? endedAt ?? now;
  const [top, bottom] = [y(start) + 2, y(start + units) - 2];
  const lost = ["released", "expired", "rejected"].includes(status);
  const [sign, words] = ENDS[reason ?? ""] ?? (status === "delivered" ? ["●", "delivered"] : ["", status]);
  const label = `Lease ${String(id)}: ${units === 1 ? `unit ${String(start)}` : `units ${String(start)} to ${String(start + units - 1)}`} on node ${String(nodeId)} for ${span(until - grantedAt)}, ${words}${moveCause === null ? "" : ` for ${moveCause}`}, ${percent(progress / 100 / units, 0)} done, ${count(known)} checkpoints${auditWords(audits)}`;
  return (
    <a href={`#${pathOf("lease", id)}`} aria-label={label}>
      <title>{label}</title>
      <rect
        className={`lease node-${String(colour)}${lost ? " lost" : ""}`}
        x={x(grantedAt)}
        width={Math.max(3, x(until) - x(grantedAt))}
        y={top}
        height={Math.max(2, bottom - top)}
        rx={3}
      />
      {checkpoints.map(({ sequence, time, size }) => (
        <line key={sequence} className="checkpoint" x1={x(time)} x2={x(time)} y1={top + 2} y2={bottom - 2}>
          <title>{`Checkpoint ${String(sequence)}, ${bytes(size)}`}</title>
        </line>
      ))}
      <AuditMarks audits={audits} x={x} top={top} bottom={bottom} />
      {sign !== "" && (
        <text className={`sign ${lost ? "lost" : ""}`} x={x(until) - 4} y={(top + bottom) / 2 + 5} textAnchor="end">
          {sign}
        </text>
      )}
    </a>
  );
}
