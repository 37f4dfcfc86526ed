import { MAX_PRICE } from "@verai/protocol/money/units";
import { formatPrice } from "@verai/protocol/money/ver";
import type { RoundClass, RoundTask } from "@verai/protocol/allocation/model";
import { count, foreign } from "../../ui/format.ts";
import { pathOf } from "../../ui/links.tsx";

const WIDTH = 560;
const HEIGHT = 300;
const LEFT = 64;
const RIGHT = 16;
const TOP = 14;
const BOTTOM = 44;
/** Prices inside a round are scaled by this. */
const SCALE = 1024;
/** Steps that are drawn one by one; those of a larger class are joined by price. */
const MOST_STEPS = 400;

interface Step {
  readonly from: number;
  readonly to: number;
  readonly price: number;
  readonly nodeId: number | undefined;
  readonly label: string;
}

/** A class of a round: its supply by price, the demand for it, and the clearing price where they meet. */
export function Market({
  listed,
  tasks,
  flows,
  clearing,
  granted,
}: {
  listed: RoundClass;
  tasks: readonly RoundTask[];
  flows: readonly (readonly number[])[];
  clearing: bigint | undefined;
  granted: readonly { readonly nodeId: number; readonly units: number }[];
}) {
  const supply = supplyOf(listed);
  const demand = demandOf(listed.id, tasks, flows);
  const units = granted.reduce((sum, each) => sum + each.units, 0);
  const price = clearing === undefined || clearing > BigInt(MAX_PRICE * SCALE) ? undefined : Number(clearing) / SCALE;
  const name = foreign(listed.name ?? `class ${String(listed.id)}`, 40);
  const demanded = demand.at(-1)?.to ?? 0;
  const offered = supply.at(-1)?.to ?? 0;
  const widest = Math.max(1, Math.min(Math.max(offered, demanded), Math.max(units, demanded) * 1.6 + 1));
  const reach =
    Math.max(price ?? 0, ...supply.filter(({ from }) => from < widest).map((each) => each.price)) ||
    Math.max(1, ...demand.map((each) => each.price));
  const highest = Math.max(reach, Math.min(Math.max(0, ...demand.map((each) => each.price)), reach * 2.2)) * 1.12;
  const x = (amount: number) => LEFT + (Math.min(amount, widest) / widest) * (WIDTH - LEFT - RIGHT);
  const y = (value: number) => HEIGHT - BOTTOM - (Math.min(value, highest) / highest) * (HEIGHT - TOP - BOTTOM);
  const won = new Map(granted.map(({ nodeId, units: share }) => [nodeId, share]));
  const summary = `${name}: ${count(offered)} units listed, ${count(units)} leased${price === undefined ? "" : ` at a clearing price of ${formatPrice(Math.round(price))} VER`}.`;
  return (
    <figure className="market">
      <figcaption>
        <strong>{name}</strong> <span className="soft small">{summary.slice(name.length + 2)}</span>
      </figcaption>
      <svg viewBox={`0 0 ${String(WIDTH)} ${String(HEIGHT)}`} role="group" aria-label={summary}>
        {ticks(highest).map((tick) => (
          <g key={tick}>
            <line className="grid" x1={LEFT} x2={WIDTH - RIGHT} y1={y(tick)} y2={y(tick)} />
            <text className="tick" x={LEFT - 8} y={y(tick) + 4} textAnchor="end">
              {formatPrice(Math.round(tick))}
            </text>
          </g>
        ))}
        {ticks(widest).map((tick) => (
          <text key={tick} className="tick" x={x(tick)} y={HEIGHT - BOTTOM + 18} textAnchor="middle">
            {count(tick)}
          </text>
        ))}
        <text className="tick" x={WIDTH - RIGHT} y={HEIGHT - 8} textAnchor="end">
          units
        </text>
        <text className="tick" x={4} y={HEIGHT - 8}>
          VER a unit
        </text>
        {supply
          .filter(({ from }) => from < widest)
          .map(({ from, to, price: ask, nodeId, label }) => {
            const share =
              nodeId === undefined ? (price !== undefined && ask < price ? to - from : 0) : (won.get(nodeId) ?? 0);
            const bar = (
              <g>
                <title>{label}</title>
                <rect
                  className="supply"
                  x={x(from)}
                  width={Math.max(0.5, x(to) - x(from) - 1)}
                  y={y(ask)}
                  height={Math.max(1, HEIGHT - BOTTOM - y(ask))}
                />
                {share > 0 && (
                  <rect
                    className="granted"
                    x={x(from)}
                    width={Math.max(0.5, x(from + share) - x(from) - 1)}
                    y={y(ask)}
                    height={Math.max(1, HEIGHT - BOTTOM - y(ask))}
                  />
                )}
              </g>
            );
            return nodeId === undefined ? (
              <g key={from}>{bar}</g>
            ) : (
              <a key={from} href={`#${pathOf("node", nodeId)}`} aria-label={label}>
                {bar}
              </a>
            );
          })}
        {demand.length > 0 && <path className="demand" d={staircase(demand, x, y)} />}
        {price !== undefined && (
          <>
            <line className="clearing" x1={LEFT} x2={WIDTH - RIGHT} y1={y(price)} y2={y(price)} />
            <circle className="meet" cx={x(units)} cy={y(price)} r={5} />
            <text className="clearing-text" x={WIDTH - RIGHT - 4} y={Math.max(TOP + 10, y(price) - 7)} textAnchor="end">
              clearing price {formatPrice(Math.round(price))}
            </text>
          </>
        )}
        <line className="axis" x1={LEFT} x2={WIDTH - RIGHT} y1={HEIGHT - BOTTOM} y2={HEIGHT - BOTTOM} />
      </svg>
      <p className="legend small">
        <span className="key granted" /> leased <span className="key supply" /> listed <span className="key demand" />{" "}
        demand, less what other classes serve{" "}
        <span className="nowrap">
          <span className="key clearing" /> clearing price
        </span>
      </p>
    </figure>
  );
}

function supplyOf({ nodes, tickSize }: RoundClass): Step[] {
  const sorted = [...nodes].sort((a, b) => a.tick - b.tick || a.position - b.position);
  const steps: Step[] = [];
  const joined = sorted.length > MOST_STEPS;
  let at = 0;
  for (const { id, tick, units } of sorted) {
    const price = tick * tickSize;
    const last = steps.at(-1);
    if (joined && last?.price === price)
      steps[steps.length - 1] = {
        ...last,
        to: at + units,
        label: `${count(at + units - last.from)} units at ${formatPrice(price)} VER`,
      };
    else
      steps.push({
        from: at,
        to: at + units,
        price,
        nodeId: joined ? undefined : id,
        label: joined
          ? `${count(units)} units at ${formatPrice(price)} VER`
          : `Node ${String(id)}: ${count(units)} units at ${formatPrice(price)} VER`,
      });
    at += units;
  }
  return steps;
}

/** What the tasks would take of a class by what they pay for it at most: what they got of it, and what stays open. */
function demandOf(
  classId: number,
  tasks: readonly RoundTask[],
  flows: readonly (readonly number[])[],
): { from: number; to: number; price: number }[] {
  const wanted = tasks.flatMap(({ units, maxPrice, classes }, t) => {
    const c = classes.findIndex((each) => each.classId === classId);
    if (c < 0) return [];
    const elsewhere = (flows[t] ?? []).reduce((sum, each, i) => (i === c ? sum : sum + each), 0);
    return [{ units: units - elsewhere, price: Math.max(0, maxPrice - (classes[c]?.surcharge ?? 0)) }];
  });
  let at = 0;
  return wanted
    .filter(({ units }) => units > 0)
    .sort((a, b) => b.price - a.price)
    .map(({ units, price }) => ({ from: at, to: (at += units), price }));
}

function staircase(
  steps: readonly { from: number; to: number; price: number }[],
  x: (units: number) => number,
  y: (price: number) => number,
): string {
  const path = steps.map(
    ({ from, to, price }, i) =>
      `${i === 0 ? "M" : "L"}${x(from).toFixed(1)},${y(price).toFixed(1)}H${x(to).toFixed(1)}`,
  );
  return `${path.join("")}V${y(0).toFixed(1)}`;
}

/** Some four round numbers up to a bound. */
function ticks(bound: number): number[] {
  const raw = bound / 4;
  const power = 10 ** Math.floor(Math.log10(raw));
  const step = Math.max(1, ([1, 2, 5, 10].find((each) => each * power >= raw) ?? 10) * power);
  return Array.from({ length: Math.floor(bound / step) + 1 }, (_, i) => i * step);
}
