import { useState } from "react";

import { useIndexerList } from "../../api/queries.ts";
import { Badge } from "../../ui/badge.tsx";
import { Choice } from "../../ui/choice.tsx";
import { Failure } from "../../ui/failure.tsx";
import { count, exactVer, span, ver } from "../../ui/format.ts";
import { Address, IdLink } from "../../ui/links.tsx";
import { Card, Page } from "../../ui/page.tsx";
import { More, Table } from "../../ui/table.tsx";
import { UnitsBar } from "./units-bar.tsx";

const STATUSES = [
  ["all", "All"],
  ["open", "In the market"],
  ["closing", "Closing"],
  ["ended", "Ended"],
] as const;

/** All tasks, newest first. */
export default function TasksPage() {
  const [status, setStatus] = useState<(typeof STATUSES)[number][0]>("all");
  const tasks = useIndexerList("/v1/tasks", status === "all" ? {} : { status });
  const now = tasks.asOf?.time ?? 0;
  return (
    <Page title="Tasks" asOf={tasks.asOf}>
      <Card
        title="Tasks"
        source="Source: indexer, from TaskRegistry"
        actions={<Choice label="Status" options={STATUSES} value={status} onChange={setStatus} />}
      >
        {tasks.error && <Failure error={tasks.error} onRetry={() => void tasks.refetch()} />}
        <Table
          label="Tasks"
          rows={tasks.items}
          keyOf={({ id }) => id}
          expected={10}
          empty="There is no such task."
          columns={[
            { title: "Task", cell: ({ id }) => <IdLink kind="task" id={id} /> },
            {
              title: "Status",
              cell: (task) => (
                <Badge
                  status={task.status === "open" && task.waits !== null ? "parked" : task.status}
                  meaning={task.waits !== null ? "warn" : undefined}
                />
              ),
            },
            { title: "Units", number: true, cell: ({ units }) => count(units) },
            { title: "How they stand", cell: (task) => <UnitsBar task={task} /> },
            {
              title: "At most, VER a unit",
              number: true,
              cell: ({ maxPrice }) => <span title={exactVer(maxPrice)}>{ver(maxPrice)}</span>,
            },
            { title: "Paid, VER", number: true, cell: ({ paid }) => <span title={exactVer(paid)}>{ver(paid)}</span> },
            { title: "Failures", number: true, cell: ({ failures }) => count(failures) },
            { title: "Developer", cell: ({ owner }) => <Address value={owner} /> },
            { title: "Submitted", number: true, cell: ({ submittedAt }) => `${span(now - submittedAt)} ago` },
          ]}
        />
        <More query={tasks} />
      </Card>
    </Page>
  );
}
