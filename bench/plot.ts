/** A line of a chart. */
export interface Series {
  readonly name: string;
  /** Points in the order in which they are joined; on a logarithmic axis all coordinates are above 0. */
  readonly points: readonly (readonly [x: number, y: number])[];
  readonly dashed?: boolean;
}

/** One axis of a chart. */
export interface Axis {
  readonly label: string;
  /** Logarithmic, base 10. */
  readonly log?: boolean;
  /** Writes a tick's value; left out: 1,000 style numbers. */
  readonly format?: (value: number) => string;
  /** A value that the axis reaches at least, such as 0 or a target. */
  readonly include?: readonly number[];
}

/** A line chart. */
export interface Chart {
  readonly title: string;
  /** A line of small print under the title, such as the machine. */
  readonly subtitle?: string;
  readonly x: Axis;
  readonly y: Axis;
  readonly series: readonly Series[];
}

const WIDTH = 860;
const HEIGHT = 480;
const MARGIN = { top: 64, right: 200, bottom: 56, left: 84 };
const INNER = { width: WIDTH - MARGIN.left - MARGIN.right, height: HEIGHT - MARGIN.top - MARGIN.bottom };

/** Colours that people with any kind of colour vision can tell apart (Okabe and Ito 2008), and a mark for each. */
const COLOURS = ["#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#000000"];
const MARKS = ["circle", "square", "diamond", "triangle"] as const;

/** A line chart as a self-contained SVG text: no scripts, no fonts to load, readable on any background. */
export function lineChart({ title, subtitle, x, y, series }: Chart): string {
  const all = series.flatMap(({ points }) => points);
  const xScale = scaleOf(
    x,
    all.map(([value]) => value),
    INNER.width,
  );
  const yScale = scaleOf(
    y,
    all.map(([, value]) => value),
    INNER.height,
  );
  const px = (value: number): number => MARGIN.left + xScale.place(value);
  const py = (value: number): number => HEIGHT - MARGIN.bottom - yScale.place(value);
  const [left, right, top, bottom] = [MARGIN.left, WIDTH - MARGIN.right, MARGIN.top, HEIGHT - MARGIN.bottom];

  const grid = [
    ...yScale.ticks.flatMap((value) => [
      `<line x1="${left}" x2="${right}" y1="${round(py(value))}" y2="${round(py(value))}" stroke="#ddd"/>`,
      label(left - 8, py(value) + 4, yScale.format(value), { anchor: "end" }),
    ]),
    ...xScale.ticks.flatMap((value) => [
      `<line x1="${round(px(value))}" x2="${round(px(value))}" y1="${top}" y2="${bottom}" stroke="#eee"/>`,
      label(px(value), bottom + 18, xScale.format(value), { anchor: "middle" }),
    ]),
    `<path d="M${left} ${top}V${bottom}H${right}" fill="none" stroke="#444"/>`,
  ];
  const lines = series.flatMap(({ name, points, dashed }, i) => {
    const colour = COLOURS[i % COLOURS.length] ?? "#000000";
    const dash = dashed ? ' stroke-dasharray="6 4"' : "";
    const path = points.map(([a, b], at) => `${at === 0 ? "M" : "L"}${round(px(a))} ${round(py(b))}`).join("");
    const legend = top + 10 + 22 * i;
    return [
      ...(points.length > 0 ? [`<path d="${path}" fill="none" stroke="${colour}" stroke-width="2"${dash}/>`] : []),
      ...points.map(([a, b]) => mark(i, px(a), py(b), colour)),
      `<line x1="${right + 16}" x2="${right + 44}" y1="${legend}" y2="${legend}" stroke="${colour}" stroke-width="2"${dash}/>`,
      mark(i, right + 30, legend, colour),
      label(right + 52, legend + 4, name),
    ];
  });
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" width="${WIDTH}" height="${HEIGHT}" ` +
      `role="img" aria-label="${escaped(title)}" font-family="system-ui, sans-serif" font-size="12" fill="#222">`,
    `<rect width="${WIDTH}" height="${HEIGHT}" fill="#fff"/>`,
    label(left, 26, title, { size: 16, weight: "bold" }),
    ...(subtitle === undefined ? [] : [label(left, 46, subtitle, { size: 11, fill: "#666" })]),
    ...grid,
    label((left + right) / 2, HEIGHT - 14, x.label, { anchor: "middle" }),
    `<g transform="translate(20 ${(top + bottom) / 2}) rotate(-90)">${label(0, 0, y.label, { anchor: "middle" })}</g>`,
    ...lines,
    "</svg>",
    "",
  ].join("\n");
}

interface Scale {
  readonly ticks: readonly number[];
  readonly format: (value: number) => string;
  /** Distance from the axis' start. */
  place(value: number): number;
}

/** The scale of an axis: whole ticks that cover all values. */
function scaleOf({ log = false, format, include = [] }: Axis, values: readonly number[], length: number): Scale {
  const wanted = [...values, ...include].filter((value) => !log || value > 0);
  if (wanted.length === 0) wanted.push(log ? 1 : 0, 10);
  if (!wanted.every(Number.isFinite))
    throw new RangeError(`A chart's values are not all numbers: ${wanted.join(", ")}.`);
  const least = wanted.reduce((a, b) => Math.min(a, b));
  const most = wanted.reduce((a, b) => Math.max(a, b));
  const ticks = log ? logTicks(least, most) : linearTicks(least, most);
  const at = log ? Math.log10 : (value: number) => value;
  const start = at(ticks[0] ?? 0);
  const span = at(ticks.at(-1) ?? 1) - start;
  return { ticks, format: format ?? plain, place: (value) => ((at(value) - start) / span) * length };
}

/** Powers of ten, or 1, 2 and 5 times them where there would be fewer than three. */
function logTicks(least: number, most: number): number[] {
  const [from, to] = [Math.floor(Math.log10(least)), Math.ceil(Math.log10(most))];
  const steps = to - from < 2 ? [1, 2, 5] : [1];
  const all: number[] = [];
  for (let power = from; power <= to; power++) all.push(...steps.map((step) => Number(`${step}e${power}`)));
  const first = all.findLastIndex((tick) => tick <= least);
  const last = all.findIndex((tick) => tick >= most);
  const ticks = all.slice(Math.max(0, first), last + 1);
  return ticks.length > 1 ? ticks : [...ticks, 10 * (ticks[0] ?? 1)];
}

/** Some five round numbers. */
function linearTicks(least: number, most: number): number[] {
  const rough = (most - least || Math.abs(most) || 1) / 5;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = power * ([1, 2, 2.5, 5, 10].find((each) => each * power >= rough) ?? 10);
  const [from, to] = [Math.floor(least / step), Math.ceil(most / step)];
  return Array.from({ length: Math.max(2, to - from + 1) }, (_, i) => Number(((from + i) * step).toPrecision(12)));
}

function plain(value: number): string {
  return value.toLocaleString("en", { maximumFractionDigits: 6 });
}

function mark(index: number, x: number, y: number, colour: string): string {
  const [a, b] = [round(x), round(y)];
  switch (MARKS[index % MARKS.length]) {
    case "square":
      return `<rect x="${round(x - 3.5)}" y="${round(y - 3.5)}" width="7" height="7" fill="${colour}"/>`;
    case "diamond":
      return `<path d="M${a} ${round(y - 5)}l5 5l-5 5l-5 -5z" fill="${colour}"/>`;
    case "triangle":
      return `<path d="M${a} ${round(y - 5)}l5 9h-10z" fill="${colour}"/>`;
    default:
      return `<circle cx="${a}" cy="${b}" r="4" fill="${colour}"/>`;
  }
}

interface TextStyle {
  readonly anchor?: "start" | "middle" | "end";
  readonly size?: number;
  readonly weight?: string;
  readonly fill?: string;
}

function label(x: number, y: number, text: string, { anchor, size, weight, fill }: TextStyle = {}): string {
  const style = [
    ...(anchor === undefined ? [] : [`text-anchor="${anchor}"`]),
    ...(size === undefined ? [] : [`font-size="${size}"`]),
    ...(weight === undefined ? [] : [`font-weight="${weight}"`]),
    ...(fill === undefined ? [] : [`fill="${fill}"`]),
  ];
  return `<text ${[`x="${round(x)}"`, `y="${round(y)}"`, ...style].join(" ")}>${escaped(text)}</text>`;
}

function escaped(text: string): string {
  return text.replace(/[&<>"]/g, (each) => `&#${each.charCodeAt(0)};`);
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}
