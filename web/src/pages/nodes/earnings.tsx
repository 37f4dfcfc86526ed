import { useQuery } from "@tanstack/react-query";
import { useMemo, useState } from "react";

import { ask } from "../../api/client.ts";
import type { Node, NodeDay } from "../../api/generated.ts";
import { useConfig } from "../../config.ts";
import { Choice } from "../../ui/choice.tsx";
import { Failure } from "../../ui/failure.tsx";
import { count, joules, ver } from "../../ui/format.ts";
import { LazyChart } from "../../ui/lazy-chart.tsx";
import { Card } from "../../ui/page.tsx";
import { csvOf, hoursOf, type NodeEvent, type Stretch } from "./money.ts";

const DAY = 86_400;
/** Pages of a node's days or events that are read at most. */
const MOST_PAGES = 10;

type Span = "day" | "month" | "all";
const SPANS = [
  ["day", "24 hours"],
  ["month", "30 days"],
  ["all", "Since it joined"],
] as const;

/** What a node earned and spent, as a chart and as a file. */
export function Earnings({ node, now }: { node: Node; now: number }) {
  const [chosen, setChosen] = useState<Span>("month");
  const { indexerUrl } = useConfig();
  const hour = now - (now % 3600);
  const query = useQuery({
    queryKey: ["indexer", "earnings", node.id, chosen, chosen === "day" ? hour : now - (now % DAY)],
    queryFn: async ({ signal }) =>
      chosen === "day"
        ? lastDay(indexerUrl, node.id, now, signal)
        : days(indexerUrl, node.id, chosen === "month" ? now - 30 * DAY : 0, signal),
  });
  const stretches = query.data;
  const chart = useMemo(() => {
    const all = stretches ?? [];
    return {
      times: all.map(({ start }) => start),
      series: [
        { label: "Earned", kind: "bars" as const, values: all.map(({ earned }) => Number(earned) / 1e18) },
        { label: "Spent", kind: "bars" as const, values: all.map(({ spent }) => Number(spent) / 1e18) },
      ],
    };
  }, [stretches]);
  const sum = (of: (stretch: Stretch) => bigint) => (stretches ?? []).reduce((total, each) => total + of(each), 0n);
  return (
    <Card
      title="Earnings and spending"
      source="Spent: slashed from its stake, and fees for giving back. Source: indexer"
      actions={<Choice label="Span" options={SPANS} value={chosen} onChange={setChosen} />}
    >
      {query.error && <Failure error={query.error} onRetry={() => void query.refetch()} />}
      <p className="row">
        <span>
          Earned <strong>{ver(sum(({ earned }) => earned))} VER</strong>, spent{" "}
          <strong>{ver(sum(({ spent }) => spent))} VER</strong>
          {chosen !== "day" &&
            `, ${joules((stretches ?? []).reduce((total, each) => total + (each.joules ?? 0), 0))} in ${count(stretches?.length ?? 0)} days`}
        </span>
        <button
          type="button"
          disabled={!stretches}
          onClick={() => {
            save(`node-${String(node.id)}-${chosen}.csv`, csvOf(stretches ?? []));
          }}
        >
          Save as CSV
        </button>
      </p>
      {stretches?.length === 0 ? (
        <p className="empty" style={{ minHeight: "258px" }}>
          Nothing was earned or spent in this time.
        </p>
      ) : (
        <LazyChart
          times={chart.times}
          series={chart.series}
          unit="VER"
          height={200}
          label={`Earnings and spending of node ${String(node.id)}`}
        />
      )}
    </Card>
  );
}

async function days(indexerUrl: string, id: number, from: number, signal: AbortSignal): Promise<Stretch[]> {
  const found: NodeDay[] = [];
  let cursor: string | undefined;
  for (let i = 0; i < MOST_PAGES; i++) {
    const page = await ask(
      indexerUrl,
      "/v1/nodes/{id}/days",
      { id, from, limit: 200, order: "asc", ...(cursor !== undefined && { cursor }) },
      signal,
    );
    found.push(...page.items);
    if (page.next === null) break;
    cursor = page.next;
  }
  return found.map(({ start, earned, slashed, charged, joules: used }) => ({
    start,
    earned: BigInt(earned),
    spent: BigInt(slashed) + BigInt(charged),
    joules: used,
  }));
}

/** By the hour, from what happened to the node: days do not tell when within them. */
async function lastDay(indexerUrl: string, id: number, now: number, signal: AbortSignal): Promise<Stretch[]> {
  const found: NodeEvent[] = [];
  let cursor: string | undefined;
  for (let i = 0; i < MOST_PAGES; i++) {
    const page = await ask(
      indexerUrl,
      "/v1/nodes/{id}/events",
      { id, limit: 200, ...(cursor !== undefined && { cursor }) },
      signal,
    );
    found.push(...page.items.filter(({ time }) => time >= now - DAY));
    // The newest come first.
    if (page.next === null || (page.items.at(-1)?.time ?? 0) < now - DAY) break;
    cursor = page.next;
  }
  return hoursOf(found);
}

/** Hands a text to the reader as a file. */
function save(name: string, text: string): void {
  const url = URL.createObjectURL(new Blob([text], { type: "text/csv" }));
  const link = document.createElement("a");
  link.href = url;
  link.download = name;
  link.click();
  setTimeout(() => {
    URL.revokeObjectURL(url);
  }, 1000);
}
