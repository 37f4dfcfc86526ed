import { useState } from "react";

import type { Node } from "../../api/generated.ts";
import { useIndexer, useIndexerList } from "../../api/queries.ts";
import { Badge } from "../../ui/badge.tsx";
import { Choice } from "../../ui/choice.tsx";
import { Failure } from "../../ui/failure.tsx";
import { Bar } from "../../ui/figure.tsx";
import { count, exactVer, joules, percent, span, ver } from "../../ui/format.ts";
import { Address, ClassLink, IdLink } from "../../ui/links.tsx";
import { Card, Page } from "../../ui/page.tsx";
import { More, Table } from "../../ui/table.tsx";

const STATUSES = [
  ["active", "Active"],
  ["draining", "Draining"],
  ["unbonding", "Leaving"],
  ["all", "All"],
] as const;

/** All nodes, newest first. */
export default function NodesPage() {
  const [status, setStatus] = useState<(typeof STATUSES)[number][0]>("active");
  const nodes = useIndexerList("/v1/nodes", { limit: 100, ...(status !== "all" && { status }) });
  return (
    <Page title="Nodes" asOf={nodes.asOf}>
      <Card
        title="Nodes"
        source="Source: indexer, from NodeRegistry, Supply and Telemetry"
        actions={<Choice label="Status" options={STATUSES} value={status} onChange={setStatus} />}
      >
        {nodes.error && <Failure error={nodes.error} onRetry={() => void nodes.refetch()} />}
        <NodeTable rows={nodes.items} now={nodes.asOf?.time ?? 0} />
        <More query={nodes} />
      </Card>
    </Page>
  );
}

/** Whether a node may be given work, in a word. */
export function standingOf(node: Node): { status: string; meaning?: "warn" | "bad" } {
  if (node.status !== "active") return { status: node.status };
  if (node.throttled) return { status: "throttled", meaning: "bad" };
  return node.eligible ? { status: "active" } : { status: "kept out", meaning: "warn" };
}

/** Nodes as a table. */
export function NodeTable({ rows, now }: { rows: readonly Node[] | undefined; now: number }) {
  const classes = useIndexer("/v1/classes", {});
  const names = new Map(classes.data?.items.map(({ id, name }) => [id, name]));
  return (
    <Table
      label="Nodes"
      rows={rows}
      keyOf={({ id }) => id}
      expected={10}
      empty="There is no such node."
      columns={[
        { title: "Node", cell: ({ id }) => <IdLink kind="node" id={id} /> },
        { title: "Status", cell: (node) => <Badge {...standingOf(node)} /> },
        { title: "Class", cell: ({ classId }) => <ClassLink id={classId} name={names.get(classId)} /> },
        { title: "Ask, VER a unit", number: true, cell: ({ ask }) => <span title={exactVer(ask)}>{ver(ask)}</span> },
        {
          title: "In use, units",
          number: true,
          cell: ({ leasedUnits, capacity }) => `${count(leasedUnits)} / ${count(capacity)}`,
        },
        {
          title: "Use",
          cell: ({ leasedUnits, capacity }) => (
            <Bar
              share={(leasedUnits * 100) / Math.max(1, capacity)}
              label={`${count(leasedUnits)} of ${count(capacity)} units in use`}
            />
          ),
        },
        { title: "Load", number: true, cell: ({ load }) => percent(load / 100, 0) },
        { title: "Delivered", number: true, cell: ({ deliveredLeases }) => count(deliveredLeases) },
        { title: "Failures", number: true, cell: ({ failures }) => count(failures) },
        {
          title: "Earned, VER",
          number: true,
          cell: ({ earned }) => <span title={exactVer(earned)}>{ver(earned)}</span>,
        },
        { title: "Energy", number: true, cell: (node) => joules(node.joules) },
        { title: "Owner", cell: ({ owner }) => <Address value={owner} /> },
        {
          title: "Reported",
          number: true,
          cell: ({ reportedAt }) => (reportedAt === null ? "never" : `${span(now - reportedAt)} ago`),
        },
      ]}
    />
  );
}
