import { useMemo, useState } from "react";

import type { NetworkPeriod } from "../../api/generated.ts";
import type { useIndexer } from "../../api/queries.ts";
import { Choice } from "../../ui/choice.tsx";
import { LazyChart } from "../../ui/lazy-chart.tsx";
import { Card } from "../../ui/page.tsx";

type What = "units" | "tasks" | "energy";
const WHATS = [
  ["units", "Units"],
  ["tasks", "Tasks"],
  ["energy", "Energy"],
] as const;

/** Tasks, units and energy by the hour of the last week. */
export function Activity({ hours }: { hours: ReturnType<typeof useIndexer<"/v1/network/history">> }) {
  const [what, setWhat] = useState<What>("units");
  const items = hours.data?.items;
  const chart = useMemo(() => {
    const sorted = [...(items ?? [])].sort((a, b) => a.start - b.start);
    const line = (label: string, value: (each: NetworkPeriod) => number) => ({
      label,
      kind: "bars" as const,
      values: sorted.map(value),
    });
    const series = {
      units: [line("Granted", ({ grantedUnits }) => grantedUnits), line("Paid", ({ paidUnits }) => paidUnits)],
      tasks: [line("Submitted", ({ tasks }) => tasks)],
      energy: [
        line("All energy", ({ joules }) => joules / 3.6e6),
        line("Renewable", ({ renewableJoules }) => renewableJoules / 3.6e6),
      ],
    }[what];
    return {
      times: sorted.map(({ start }) => start),
      series,
      unit: { units: "units", tasks: "tasks", energy: "kWh" }[what],
    };
  }, [items, what]);
  return (
    <Card
      title="By the hour"
      source="Last seven days, UTC. Source: indexer"
      actions={<Choice label="What is drawn" options={WHATS} value={what} onChange={setWhat} />}
    >
      {items?.length === 0 ? (
        <p className="empty" style={{ minHeight: "258px" }}>
          Nothing has happened yet.
        </p>
      ) : (
        <LazyChart
          times={chart.times}
          series={chart.series}
          unit={chart.unit}
          height={200}
          label={`${what} by the hour`}
        />
      )}
    </Card>
  );
}
