import type { Task } from "../../api/generated.ts";
import { count } from "../../ui/format.ts";

/** How the units of a task stand: paid, leased, open, refunded. */
export function UnitsBar({ task: { units, paidUnits, leasedUnits, openUnits, refundedUnits } }: { task: Task }) {
  const parts = [
    ["paid", paidUnits],
    ["leased", leasedUnits],
    ["open", openUnits],
    ["refunded", refundedUnits],
  ] as const;
  const label = parts
    .filter(([, amount]) => amount > 0)
    .map(([name, amount]) => `${count(amount)} ${name}`)
    .join(", ");
  return (
    <div className="units-bar" role="img" aria-label={label} title={label}>
      {parts.map(([name, amount]) => (
        <span key={name} className={name} style={{ width: `${((amount * 100) / Math.max(1, units)).toFixed(2)}%` }} />
      ))}
    </div>
  );
}

/** What the colours of such bars mean. */
export function UnitsLegend({ task }: { task: Task }) {
  return (
    <p className="legend small">
      <span className="key paid" /> {count(task.paidUnits)} paid <span className="key leased" />{" "}
      {count(task.leasedUnits)} leased <span className="key open" /> {count(task.openUnits)} open{" "}
      <span className="key refunded" /> {count(task.refundedUnits)} refunded
    </p>
  );
}
