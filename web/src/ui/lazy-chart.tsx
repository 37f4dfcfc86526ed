import { lazy, Suspense } from "react";

import type { Series } from "./chart.tsx";

const Chart = lazy(() => import("./chart.tsx"));

/** A chart that is fetched when it is shown; its place is held meanwhile. */
export function LazyChart(props: {
  times: readonly number[];
  series: readonly Series[];
  unit: string;
  height?: number;
  label: string;
}) {
  const { height = 240 } = props;
  return (
    <Suspense fallback={<div style={{ height: `${String(height + 58)}px` }} />}>
      <Chart {...props} />
    </Suspense>
  );
}
