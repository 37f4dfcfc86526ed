import type { Audit } from "../../api/generated.ts";
import { Badge } from "../../ui/badge.tsx";
import { counted, foreign, span } from "../../ui/format.ts";
import { IdLink } from "../../ui/links.tsx";
import { Table } from "../../ui/table.tsx";

interface Outcome {
  readonly sign: string;
  readonly words: string;
  readonly meaning: "good" | "warn" | "bad";
}

/** How audits stand, or ended, by their status. */
const OUTCOMES: Readonly<Record<string, Outcome>> = {
  verifying: { sign: "…", words: "a verifier runs it again", meaning: "warn" },
  opening: { sign: "…", words: "its node has to open its trace", meaning: "warn" },
  revealing: { sign: "…", words: "the verifier has to reveal", meaning: "warn" },
  voting: { sign: "…", words: "a panel decides", meaning: "warn" },
  passed: { sign: "✓", words: "passed: the same result", meaning: "good" },
  fraud: { sign: "✗", words: "convicted: the work was wrong", meaning: "bad" },
  mismatch: { sign: "✗", words: "wrong, by a program that only its developer vouches for", meaning: "bad" },
  unavailable: { sign: "✗", words: "convicted: its states could not be had", meaning: "bad" },
  refused: { sign: "✗", words: "convicted: its trace was not opened", meaning: "bad" },
  undecided: { sign: "?", words: "undecided: the program is not reproducible", meaning: "warn" },
  unverified: { sign: "?", words: "nobody verified it", meaning: "warn" },
};

function outcomeOf({ status }: Audit): Outcome {
  return OUTCOMES[status] ?? { sign: "?", words: foreign(status, 40), meaning: "warn" };
}

/** What audits of a lease add to its description. */
export function auditWords(audits: readonly Audit[]): string {
  if (audits.length === 0) return "";
  const each = audits.map((audit) => `the one up to checkpoint ${String(audit.sequence)}: ${outcomeOf(audit).words}`);
  return `, ${counted(audits.length, "segment")} audited: ${each.join("; ")}`;
}

/** Segments of a lease that were drawn, over its bar, each with how its audit stands. */
export function AuditMarks({
  audits,
  x,
  top,
  bottom,
}: {
  audits: readonly Audit[];
  x: (time: number) => number;
  top: number;
  bottom: number;
}) {
  return audits.map((audit) => {
    const { sign, words, meaning } = outcomeOf(audit);
    const [left, right] = [x(audit.fromTime), x(audit.toTime)];
    const width = Math.max(6, right - left);
    return (
      <g key={audit.sequence} className={`audit ${meaning}`} data-testid="audit-mark">
        <title>{`Audit of the segment up to checkpoint ${String(audit.sequence)}: ${words}`}</title>
        <rect x={left} width={width} y={top - 1} height={Math.max(3, bottom - top + 2)} rx={2} />
        <text x={left + width / 2} y={(top + bottom) / 2 + 4} textAnchor="middle">
          {sign}
        </text>
      </g>
    );
  });
}

/** Audits of a task, newest first: what was drawn, who ran it again, what came of it. */
export function AuditTable({ audits, now }: { audits: readonly Audit[] | undefined; now: number }) {
  return (
    <Table
      label="Audits of the task"
      rows={audits}
      keyOf={({ leaseId, sequence }) => `${String(leaseId)}-${String(sequence)}`}
      empty="No segment of its work has been drawn."
      columns={[
        { title: "Lease", cell: ({ leaseId }) => <IdLink kind="lease" id={leaseId} /> },
        { title: "Node", cell: ({ nodeId }) => <IdLink kind="node" id={nodeId} /> },
        {
          title: "Segment",
          cell: ({ sequence, fromTime, toTime }) => `up to checkpoint ${String(sequence)}, ${span(toTime - fromTime)}`,
        },
        {
          title: "How it stands",
          cell: (audit) => {
            const { words, meaning } = outcomeOf(audit);
            return (
              <>
                <Badge status={audit.status} meaning={meaning} /> {words}
              </>
            );
          },
        },
        { title: "Verifiers", cell: ({ verifiers }) => <Nodes ids={verifiers} /> },
        { title: "Panel", cell: ({ panel }) => <Nodes ids={panel} /> },
        {
          title: "Took",
          number: true,
          cell: ({ openedAt, endedAt }) =>
            endedAt === null ? `${span(now - openedAt)} so far` : span(endedAt - openedAt),
        },
      ]}
    />
  );
}

/** Members that are shown of a panel that took many rounds. */
const MOST = 15;

function Nodes({ ids }: { ids: readonly number[] }) {
  if (ids.length === 0) return "–";
  return (
    <>
      {ids.slice(0, MOST).map((id, i) => (
        <span key={i}>
          {i > 0 && ", "}
          <IdLink kind="node" id={id} />
        </span>
      ))}
      {ids.length > MOST && ` and ${String(ids.length - MOST)} more`}
    </>
  );
}
