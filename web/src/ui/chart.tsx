import { useEffect, useRef, useState } from "react";
import uPlot from "uplot";
import "uplot/dist/uPlot.min.css";

import { count } from "./format.ts";

/** A line, steps or bars of a chart. Values that are not known are null. */
export interface Series {
  readonly label: string;
  readonly values: readonly (number | null)[];
  readonly kind?: "line" | "steps" | "bars";
}

/** Room around a single moment, seconds. */
const ROOM = 6 * 3600;

/** Draws series over time. Times in seconds, ascending. The same figures are in a table below it. */
export default function Chart({
  times,
  series,
  unit,
  height = 240,
  label,
}: {
  times: readonly number[];
  series: readonly Series[];
  unit: string;
  height?: number;
  label: string;
}) {
  const place = useRef<HTMLDivElement>(null);
  const colours = useColours();
  useEffect(() => {
    const element = place.current;
    if (!element) return;
    const style = getComputedStyle(element);
    const colour = (name: string) => resolved(element, style.getPropertyValue(name));
    const axis = {
      stroke: colour("--soft"),
      grid: { stroke: colour("--line"), width: 1 },
      ticks: { stroke: colour("--line"), width: 1 },
      font: "12px system-ui, sans-serif",
    };
    const plot = new uPlot(
      {
        width: Math.max(240, element.clientWidth),
        height,
        tzDate: (time) => uPlot.tzDate(new Date(time * 1000), "Etc/UTC"),
        cursor: { points: { size: 7 }, drag: { x: true, y: false } },
        legend: { live: true },
        scales: {
          // A single moment gets room around it.
          x: {
            range: (_, min, max) => (times.length > 1 ? [min, max] : [(times[0] ?? 0) - ROOM, (times[0] ?? 0) + ROOM]),
          },
          y: {
            range: (_, min, max) =>
              min === max ? [Math.min(0, min), max === 0 ? 1 : max * 1.3] : [Math.min(0, min), max * 1.08],
          },
        },
        axes: [axis, { ...axis, size: 64, values: (_, ticks) => ticks.map((tick) => count(tick)) }],
        series: [
          {
            value: (_, time) =>
              time === null ? "–" : new Date(time * 1000).toISOString().slice(0, 16).replace("T", " "),
            label: "UTC",
          },
          ...series.map(({ label: name, kind = "line" }, i): uPlot.Series => {
            const stroke = colour(`--series-${String((i % 6) + 1)}`);
            const steps = uPlot.paths.stepped?.({ align: 1 });
            const bars = uPlot.paths.bars?.({ size: [0.7, 40] });
            return {
              label: name,
              stroke,
              width: 2,
              ...(i % 2 === 1 && kind !== "bars" && { dash: [6, 3] }),
              spanGaps: true,
              points: { show: kind !== "bars" && times.length < 60, size: 5 },
              value: (_, value) => (value === null ? "–" : `${count(value)} ${unit}`),
              ...(kind === "steps" && steps && { paths: steps }),
              ...(kind === "bars" && bars && { paths: bars, fill: stroke }),
            };
          }),
        ],
      },
      [[...times], ...series.map(({ values }) => [...values])],
      element,
    );
    const watch = new ResizeObserver(() => {
      if (element.clientWidth > 0 && element.clientWidth !== plot.width)
        plot.setSize({ width: element.clientWidth, height });
    });
    watch.observe(element);
    return () => {
      watch.disconnect();
      plot.destroy();
    };
  }, [times, series, unit, height, colours]);
  return (
    <figure>
      <div
        ref={place}
        role="img"
        aria-label={label}
        className="chart"
        style={{ minHeight: `${String(height + 34)}px` }}
      />
      <details className="small">
        <summary>Show as a table</summary>
        <div className="scroll tall" tabIndex={0} role="region" aria-label={`${label}, table`}>
          <table>
            <thead>
              <tr>
                <th scope="col">UTC</th>
                {series.map(({ label: name }) => (
                  <th key={name} scope="col" className="number">
                    {name}, {unit}
                  </th>
                ))}
              </tr>
            </thead>
            <tbody>
              {times.map((time, i) => (
                <tr key={time}>
                  <td>{new Date(time * 1000).toISOString().slice(0, 16).replace("T", " ")}</td>
                  {series.map(({ label: name, values }) => (
                    <td key={name} className="number">
                      {typeof values[i] === "number" ? count(values[i]) : "–"}
                    </td>
                  ))}
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      </details>
    </figure>
  );
}

/** A colour as a canvas takes it: `light-dark()` is resolved by the browser. */
function resolved(element: HTMLElement, value: string): string {
  const before = element.style.color;
  element.style.color = value;
  const { color } = getComputedStyle(element);
  element.style.color = before;
  return color;
}

/** Changes whenever the page's colours do: canvases do not follow by themselves. */
function useColours(): number {
  const [changes, setChanges] = useState(0);
  useEffect(() => {
    const change = () => {
      setChanges((before) => before + 1);
    };
    const media = matchMedia("(prefers-color-scheme: dark)");
    media.addEventListener("change", change);
    const watch = new MutationObserver(change);
    watch.observe(document.documentElement, { attributes: true, attributeFilter: ["data-theme"] });
    return () => {
      media.removeEventListener("change", change);
      watch.disconnect();
    };
  }, []);
  return changes;
}
