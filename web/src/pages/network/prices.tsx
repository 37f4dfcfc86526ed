import { useQueries } from "@tanstack/react-query";
import { useMemo, useState } from "react";

import { ask } from "../../api/client.ts";
import type { NodeClass } from "../../api/generated.ts";
import { useConfig } from "../../config.ts";
import { Choice } from "../../ui/choice.tsx";
import { clearingPoint, foreign } from "../../ui/format.ts";
import { LazyChart } from "../../ui/lazy-chart.tsx";
import { Card } from "../../ui/page.tsx";

type Span = "rounds" | "days" | "year";
const SPANS = [
  ["rounds", "Latest rounds"],
  ["days", "30 days"],
  ["year", "Year"],
] as const;
/** Classes that are drawn; more cannot be told apart. */
const MOST = 6;
const DAY = 86_400;

/** Clearing prices of the classes over time. */
export function Prices({ classes, time }: { classes: readonly NodeClass[] | undefined; time: number | undefined }) {
  const [chosen, setChosen] = useState<Span>("rounds");
  const { indexerUrl } = useConfig();
  const drawn = useMemo(() => classes?.filter(({ clearing }) => clearing !== "0").slice(0, MOST) ?? [], [classes]);
  const answers = useQueries({
    queries: drawn.map(({ id }) => ({
      queryKey: ["indexer", "prices", chosen, id],
      queryFn: async ({ signal }: { signal: AbortSignal }) => pricesOf(indexerUrl, id, chosen, time ?? 0, signal),
      enabled: time !== undefined,
    })),
    combine: (all) => all.map(({ data }) => data),
  });
  const chart = useMemo(() => {
    const times = [...new Set(answers.flatMap((points) => points?.map(([at]) => at) ?? []))].sort((a, b) => a - b);
    const series = drawn.map(({ id, name }, i) => {
      const known = new Map(answers[i]);
      return {
        label: foreign(name, 40) || `class ${String(id)}`,
        kind: "steps" as const,
        values: times.map((at) => known.get(at) ?? null),
      };
    });
    return { times, series };
    // The answers are new arrays only where their content is new.
  }, [JSON.stringify(answers), drawn]);
  return (
    <Card
      title="Clearing prices"
      source="VER a unit. Source: indexer, from RoundManager.ClassCleared. Nodes are paid what they ask, at most this."
      actions={<Choice label="Span of the prices" options={SPANS} value={chosen} onChange={setChosen} />}
    >
      {classes !== undefined && chart.times.length === 0 ? (
        <p className="empty" style={{ minHeight: "298px" }}>
          No round has settled with a price yet.
        </p>
      ) : (
        <LazyChart times={chart.times} series={chart.series} unit="VER" label="Clearing prices by class" />
      )}
    </Card>
  );
}

async function pricesOf(
  indexerUrl: string,
  id: number,
  span: Span,
  time: number,
  signal: AbortSignal,
): Promise<[number, number | null][]> {
  if (span === "rounds") {
    const { items } = await ask(indexerUrl, "/v1/classes/{id}/rounds", { id, limit: 200 }, signal);
    return items.map(({ time: at, clearing }) => [at, clearingPoint(clearing)]);
  }
  const asked =
    span === "days"
      ? ({ period: "hour", from: time - 30 * DAY } as const)
      : ({ period: "day", from: time - 366 * DAY } as const);
  const points: [number, number | null][] = [];
  let cursor: string | undefined;
  // 30 days of hours are four pages.
  for (let i = 0; i < 4; i++) {
    const page = await ask(
      indexerUrl,
      "/v1/classes/{id}/history",
      { id, ...asked, limit: 200, ...(cursor !== undefined && { cursor }) },
      signal,
    );
    points.push(...page.items.map(({ start, last }): [number, number | null] => [start, clearingPoint(last)]));
    if (page.next === null) break;
    cursor = page.next;
  }
  return points;
}
