import { useState } from "react";

import { useIndexerList } from "../../api/queries.ts";
import { Badge } from "../../ui/badge.tsx";
import { Choice } from "../../ui/choice.tsx";
import { count, span } from "../../ui/format.ts";
import { Address, IdLink } from "../../ui/links.tsx";
import { Card, Page } from "../../ui/page.tsx";
import { Failure } from "../../ui/failure.tsx";
import { More, Table } from "../../ui/table.tsx";

const STATUSES = [
  ["all", "All"],
  ["settled", "Settled"],
  ["aborted", "Aborted"],
] as const;

/** All rounds, newest first. */
export default function RoundsPage() {
  const [status, setStatus] = useState<(typeof STATUSES)[number][0]>("all");
  const rounds = useIndexerList("/v1/rounds", status === "all" ? {} : { status });
  const now = rounds.asOf?.time ?? 0;
  return (
    <Page title="Rounds" asOf={rounds.asOf}>
      <Card
        title="Rounds of allocation"
        source="Source: indexer, from RoundManager"
        actions={<Choice label="Status" options={STATUSES} value={status} onChange={setStatus} />}
      >
        {rounds.error && <Failure error={rounds.error} onRetry={() => void rounds.refetch()} />}
        <Table
          label="Rounds"
          rows={rounds.items}
          keyOf={({ id }) => id}
          expected={10}
          empty="There is no such round."
          columns={[
            { title: "Round", cell: ({ id }) => <IdLink kind="round" id={id} /> },
            { title: "Status", cell: (each) => <Badge status={each.status} /> },
            { title: "Tasks", number: true, cell: ({ tasks }) => count(tasks) },
            { title: "Leases", number: true, cell: ({ leases }) => count(leases) },
            { title: "Units leased", number: true, cell: ({ units }) => count(units) },
            { title: "Units open", number: true, cell: ({ unitsOpen }) => count(unitsOpen) },
            { title: "Keeper", cell: ({ keeper }) => <Address value={keeper} /> },
            {
              title: "Took",
              number: true,
              cell: ({ openedAt, endedAt }) => (endedAt === null ? "–" : span(endedAt - openedAt)),
            },
            { title: "Opened", number: true, cell: ({ openedAt }) => `${span(now - openedAt)} ago` },
          ]}
        />
        <More query={rounds} />
      </Card>
    </Page>
  );
}
