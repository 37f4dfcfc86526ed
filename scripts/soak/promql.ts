/**
 * What of PromQL the alert rules use, evaluated over scrapes: selectors with matchers, `increase`, comparisons with a filter, `-`, `and`,
 * `on (…) group_left ()`. Anything else is refused by name, so that a rule which needs more is not judged wrongly. Prometheus' own
 * parser takes the expressions apart.
 */
import { parser } from "@prometheus-io/lezer-promql";
import type { SyntaxNode } from "@lezer/common";

/** A sample: its labels, its metric's name left out, and its value. */
export interface Sample {
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

/** What was scraped of everything at a time, seconds: samples by metric. */
export interface Scrape {
  readonly at: number;
  readonly metrics: ReadonlyMap<string, readonly Sample[]>;
}

type Value = number | readonly Sample[];

/** Seconds in each unit of a duration. */
const UNITS: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3_600, d: 86_400 };

/** A duration such as `10m`, in seconds. @throws if it is none. */
export function secondsOf(text: string): number {
  const [, amount, unit = ""] = /^(\d+)([smhd])$/.exec(text.trim()) ?? [];
  const scale = UNITS[unit];
  if (amount === undefined || scale === undefined) throw new SyntaxError(`"${text}" is no duration such as 10m`);
  return Number(amount) * scale;
}

/**
 * The samples for which an expression holds after the newest scrape. O(scrapes × samples).
 *
 * @param scrapes In their order.
 * @throws SyntaxError for what is no PromQL, or beyond what is understood here.
 */
export function evaluate(expression: string, scrapes: readonly Scrape[]): readonly Sample[] {
  const root = parser.parse(expression).topNode.firstChild;
  const found = root ? valueOf(root, expression, scrapes) : undefined;
  if (found === undefined || typeof found === "number") throw new SyntaxError(`"${expression}" selects no series`);
  return found;
}

function valueOf(node: SyntaxNode, source: string, scrapes: readonly Scrape[]): Value {
  const text = source.slice(node.from, node.to);
  switch (node.name) {
    case "NumberDurationLiteral":
      return Number(text);
    case "ParenExpr": {
      const inner = node.firstChild;
      if (inner) return valueOf(inner, source, scrapes);
      break;
    }
    case "VectorSelector":
      return select(node, source, scrapes.at(-1));
    case "FunctionCall":
      return increase(node, source, scrapes);
    case "BinaryExpr":
      return binary(node, source, scrapes);
    default:
  }
  throw new SyntaxError(`"${text}" of "${source}" is not understood: ${node.name}`);
}

/** Samples of a scrape that a selector matches. */
function select(node: SyntaxNode, source: string, scrape: Scrape | undefined): Sample[] {
  const name = node.getChild("Identifier");
  if (!name) throw new SyntaxError(`"${source}" has a selector without a name`);
  const matchers = node.getChild("LabelMatchers")?.getChildren("UnquotedLabelMatcher") ?? [];
  const tests = matchers.map((matcher) => {
    const [label, operator, value] = ["LabelName", "MatchOp", "StringLiteral"].map((part) => {
      const child = matcher.getChild(part);
      return child ? source.slice(child.from, child.to) : "";
    });
    return matcherOf(label ?? "", operator ?? "", String(JSON.parse(value ?? '""')));
  });
  const samples = scrape?.metrics.get(source.slice(name.from, name.to)) ?? [];
  return samples.filter(({ labels }) => tests.every((test) => test(labels)));
}

function matcherOf(label: string, operator: string, value: string): (labels: Sample["labels"]) => boolean {
  const pattern = new RegExp(`^(?:${value})$`);
  switch (operator) {
    case "=":
      return (labels) => (labels[label] ?? "") === value;
    case "!=":
      return (labels) => (labels[label] ?? "") !== value;
    case "=~":
      return (labels) => pattern.test(labels[label] ?? "");
    case "!~":
      return (labels) => !pattern.test(labels[label] ?? "");
    default:
      throw new SyntaxError(`a matcher "${operator}" is not understood`);
  }
}

/** `increase(selector[duration])`: what a counter grew by, beginnings from 0 included, not extrapolated. */
function increase(node: SyntaxNode, source: string, scrapes: readonly Scrape[]): Sample[] {
  const matrix = node.getChild("FunctionCallBody")?.getChild("MatrixSelector");
  const selector = matrix?.getChild("VectorSelector");
  const duration = matrix?.getChild("DurationExpr");
  const name = node.getChild("FunctionIdentifier");
  if (!selector || !duration || !name || source.slice(name.from, name.to) !== "increase") {
    throw new SyntaxError(`"${source.slice(node.from, node.to)}" is not understood: only increase(…[…]) is`);
  }
  const until = scrapes.at(-1)?.at ?? 0;
  const since = until - secondsOf(source.slice(duration.from, duration.to));
  const sums = new Map<string, { labels: Sample["labels"]; sum: number; last: number }>();
  for (const scrape of scrapes) {
    if (scrape.at < since) continue;
    for (const { labels, value } of select(selector, source, scrape)) {
      const key = keyOf(labels);
      const known = sums.get(key);
      // A counter that is lower than before began again.
      if (known)
        sums.set(key, { labels, sum: known.sum + (value >= known.last ? value - known.last : value), last: value });
      else sums.set(key, { labels, sum: 0, last: value });
    }
  }
  return [...sums.values()].map(({ labels, sum }) => ({ labels, value: sum }));
}

function binary(node: SyntaxNode, source: string, scrapes: readonly Scrape[]): Sample[] {
  const [first, last] = [node.firstChild, node.lastChild];
  const operator = first?.nextSibling;
  if (!first || !last || !operator) throw new SyntaxError(`"${source}" is not understood`);
  const left = valueOf(first, source, scrapes);
  const right = valueOf(last, source, scrapes);
  if (typeof left === "number") throw new SyntaxError(`"${source}": a number on the left is not understood`);
  const clause = node.getChild("MatchingModifierClause");
  const on = clause
    ?.getChild("GroupingLabels")
    ?.getChildren("LabelName")
    .map(({ from, to }) => source.slice(from, to));
  const partnerOf = ({ labels }: Sample): number | undefined => {
    if (typeof right === "number") return right;
    const key = keyOf(labels, on);
    return right.find((other) => keyOf(other.labels, on) === key)?.value;
  };
  const pick = (keep: (a: number, b: number) => number | undefined): Sample[] =>
    left.flatMap((sample) => {
      const partner = partnerOf(sample);
      const value = partner === undefined ? undefined : keep(sample.value, partner);
      return value === undefined ? [] : [{ labels: sample.labels, value }];
    });
  const filter = (holds: (a: number, b: number) => boolean): Sample[] => pick((a, b) => (holds(a, b) ? a : undefined));
  switch (source.slice(operator.from, operator.to)) {
    case ">":
      return filter((a, b) => a > b);
    case ">=":
      return filter((a, b) => a >= b);
    case "<":
      return filter((a, b) => a < b);
    case "<=":
      return filter((a, b) => a <= b);
    case "==":
      return filter((a, b) => a === b);
    case "-":
      return pick((a, b) => a - b);
    case "and":
      return pick((a) => a);
    default:
      throw new SyntaxError(`"${source.slice(operator.from, operator.to)}" of "${source}" is not understood`);
  }
}

/** Labels as a text, all of them or those named. */
function keyOf(labels: Sample["labels"], on?: readonly string[]): string {
  const names = (on ?? Object.keys(labels)).toSorted();
  return JSON.stringify(names.map((name) => [name, labels[name] ?? ""]));
}

/** Samples of a Prometheus text, each with these labels beside its own. */
export function parseMetrics(text: string, labels: Readonly<Record<string, string>>): Map<string, Sample[]> {
  const metrics = new Map<string, Sample[]>();
  for (const line of text.split("\n")) {
    const [, name, inside = "", value] = /^([a-zA-Z_:][\w:]*)(?:\{(.*)\})? (\S+)$/.exec(line) ?? [];
    if (name === undefined || value === undefined) continue;
    const own: Record<string, string> = {};
    for (const [, label = "", of = ""] of inside.matchAll(/(\w+)="((?:[^"\\]|\\.)*)"/g)) own[label] = of;
    const samples = metrics.get(name) ?? [];
    samples.push({ labels: { ...own, ...labels }, value: Number(value.replace(/Inf$/, "Infinity")) });
    metrics.set(name, samples);
  }
  return metrics;
}
