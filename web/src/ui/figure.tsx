import type { ReactNode } from "react";

/** Holds the place of a figure that is on its way. */
function Blank({ width }: { width?: string }) {
  return <span className="blank" aria-hidden="true" style={width === undefined ? undefined : { width }} />;
}

/** A grid of figures. */
export function Figures({ children }: { children: ReactNode }) {
  return <dl className="figures">{children}</dl>;
}

/** A figure with its unit, and in small what it means or where it comes from. */
export function Figure({
  label,
  value,
  unit,
  more,
  title,
}: {
  label: string;
  value: ReactNode;
  unit?: string;
  more?: ReactNode;
  title?: string | undefined;
}) {
  return (
    <div className="figure" title={title}>
      <dt>{label}</dt>
      <dd className="value">
        {value === undefined ? <Blank /> : value}
        {value !== undefined && unit !== undefined && <span className="unit">{unit}</span>}
      </dd>
      <dd className="more">{more ?? " "}</dd>
    </div>
  );
}

/** A share as a bar, with a mark where it should be. */
export function Bar({ share, mark, label }: { share: number; mark?: number; label: string }) {
  const width = Math.min(100, Math.max(0, share));
  return (
    <div className="bar" role="img" aria-label={label}>
      <span style={{ width: `${width.toFixed(2)}%` }} />
      {mark !== undefined && <i style={{ left: `calc(${Math.min(100, mark).toFixed(2)}% - 1px)` }} />}
    </div>
  );
}
