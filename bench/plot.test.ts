import assert from "node:assert/strict";
import { test } from "node:test";

import { lineChart } from "./plot.ts";

const axes = { x: { label: "nodes", log: true }, y: { label: "ms", log: true } };

/** What is written at the ticks and elsewhere. */
function texts(svg: string): string[] {
  return [...svg.matchAll(/<text[^>]*>([^<]*)<\/text>/g)].map(([, text]) => text ?? "");
}

test("logarithmic axes have a tick per power of ten, and points stand in proportion to the logarithm", () => {
  const svg = lineChart({
    title: "t",
    ...axes,
    series: [
      {
        name: "a",
        points: [
          [10, 1],
          [100, 10],
          [1000, 1000],
        ],
      },
    ],
  });
  const shown = texts(svg);
  for (const tick of ["10", "100", "1,000", "1", "nodes", "ms", "a", "t"]) assert.ok(shown.includes(tick), tick);
  const path = /<path d="(M[\d.]+ [\d.]+L[^"]*)" fill="none" stroke="#0072b2"/.exec(svg)?.[1] ?? "";
  const at = [...path.matchAll(/[ML]([\d.]+) ([\d.]+)/g)].map(([, x, y]) => [Number(x), Number(y)] as const);
  assert.equal(at.length, 3);
  const [[x0 = 0, y0 = 0] = [], [x1 = 0, y1 = 0] = [], [x2 = 0, y2 = 0] = []] = at;
  assert.ok(Math.abs(x1 - x0 - (x2 - x1)) < 0.2, "equal decades, equal distances");
  assert.ok(Math.abs(y1 - y2 - 2 * (y0 - y1)) < 0.3, "two decades are twice as far as one");
});

test("linear axes have round ticks that cover what is to be included", () => {
  const y = { label: "gas", include: [0] };
  const shown = texts(
    lineChart({
      title: "t",
      x: { label: "x" },
      y,
      series: [
        {
          name: "a",
          points: [
            [1, 61_000],
            [9, 70_000],
          ],
        },
      ],
    }),
  );
  for (const tick of ["0", "20,000", "80,000"]) assert.ok(shown.includes(tick), `${tick} in ${shown.join(" ")}`);
});

test("names are escaped, nothing at all and a single point are charts, and what is no number is refused", () => {
  const svg = lineChart({ title: "a < b & c", ...axes, series: [{ name: '"q"', points: [] }] });
  assert.match(svg, /a &#60; b &#38; c/);
  assert.doesNotMatch(svg, /NaN|undefined/);
  assert.doesNotMatch(lineChart({ title: "t", ...axes, series: [{ name: "a", points: [[10, 10]] }] }), /NaN|Infinity/);
  assert.throws(() => lineChart({ title: "t", ...axes, series: [{ name: "a", points: [[1, Infinity]] }] }), RangeError);
});
