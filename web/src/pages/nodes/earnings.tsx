import { useQuery } from "@tanstack/react-query";
import { useMemo, useState } from "react";

import { formatVer } from "@verai/protocol/money/ver";
import { ask } from "../../api/client.ts";
import type { Node, NodeDay } from "../../api/generated.ts";
import { useConfig } from "../../config.ts";
import { Choice } from "../../ui/choice.tsx";
import { Failure } from "../../ui/failure.tsx";
import { count, joules, ver } from "../../ui/format.ts";
import { LazyChart } from "../../ui/lazy-chart.tsx";
import { Card } from "../../ui/page.tsx";

const DAY = 86_400;
/** Pages of a node's days or events that are read at most. */
const MOST_PAGES = 10;

type Span = "day" | "month" | "all";
const SPANS = [
  ["day", "24 hours"],
  ["month", "30 days"],
  ["all", "Since it joined"],
] as const;

/** Money and energy of a stretch of time: an hour of the last day, or a day. */
interface Stretch {
  readonly start: number;
  readonly earned: bigint;
  readonly spent: bigint;
  /** Not known by the hour. */
  readonly joules: number | null;
}

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
  const hours = new Map<number, { earned: bigint; spent: bigint }>();
  let cursor: string | undefined;
  pages: for (let i = 0; i < MOST_PAGES; i++) {
    const page = await ask(
      indexerUrl,
      "/v1/nodes/{id}/events",
      { id, limit: 200, ...(cursor !== undefined && { cursor }) },
      signal,
    );
    for (const { name, time, data } of page.items) {
      if (time < now - DAY) break pages;
      const start = time - (time % 3600);
      const hour = hours.get(start) ?? { earned: 0n, spent: 0n };
      if (name === "LeasePaid" || name === "WorkPaid") hour.earned += amountOf(data["amount"]);
      if (name === "NodeSlashed") hour.spent += amountOf(data["amount"]);
      if (name === "ReleaseCharged") hour.spent += amountOf(data["fee"]);
      hours.set(start, hour);
    }
    if (page.next === null) break;
    cursor = page.next;
  }
  return [...hours].sort(([a], [b]) => a - b).map(([start, sums]) => ({ start, ...sums, joules: null }));
}

function amountOf(value: unknown): bigint {
  return typeof value === "number" || (typeof value === "string" && /^\d{1,78}$/.test(value)) ? BigInt(value) : 0n;
}

function csvOf(stretches: readonly Stretch[]): string {
  const rows = stretches.map(({ start, earned, spent, joules: used }) => [
    new Date(start * 1000).toISOString(),
    formatVer(earned),
    formatVer(spent),
    used === null ? "" : String(used),
  ]);
  return [["start_utc", "earned_ver", "spent_ver", "energy_joules"], ...rows]
    .map((row) => `${row.join(",")}\r\n`)
    .join("");
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
