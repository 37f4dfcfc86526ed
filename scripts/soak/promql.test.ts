import assert from "node:assert/strict";
import { test } from "node:test";

import { evaluate, parseMetrics, type Scrape, secondsOf } from "./promql.ts";

const scrape = (at: number, text: string, instance = "keeper-0"): Scrape => ({
  at,
  metrics: parseMetrics(text, { instance, job: "drmp" }),
});

test("metrics are read with their own labels and those of the scrape", () => {
  const text = '# HELP x y\n# TYPE x counter\nx{kind="stuck"} 2\nx{kind="a \\"b\\""} 1\nplain 1.5\n';
  assert.deepEqual(parseMetrics(text, { instance: "a" }).get("x")?.[0], {
    labels: { kind: "stuck", instance: "a" },
    value: 2,
  });
  assert.equal(parseMetrics(text, {}).get("plain")?.[0]?.value, 1.5);
});

test("a comparison keeps the samples for which it holds", () => {
  const now = [scrape(0, 'age{loop="a"} 130\nage{loop="b"} 3\nup 0')];
  assert.deepEqual(
    evaluate("age > 120", now).map(({ labels }) => labels["loop"]),
    ["a"],
  );
  assert.equal(evaluate('up{job=~"drmp.*"} == 0', now).length, 1);
  assert.equal(evaluate('up{job=~"other.*"} == 0', now).length, 0);
});

test("an increase counts what a counter grew by, also when its process began again", () => {
  const series = [0, 5, 9, 2].map((value, i) => scrape(60 * i, `sent{kind="stuck"} ${String(value)}`));
  assert.equal(evaluate('increase(sent{kind="stuck"}[10m]) > 0', series)[0]?.value, 11);
  assert.equal(evaluate("increase(sent[1m]) > 0", series)[0]?.value, 2);
  assert.equal(evaluate("increase(sent[1m]) > 2", series).length, 0);
});

test("two metrics are matched by all labels, or by those that are named", () => {
  const now = [
    scrape(
      0,
      'unmet{class="a"} 4\nunmet{class="b"} 4\ncapacity{class="a"} 8\nleased{class="a"} 8\ncapacity{class="b"} 8\nleased{class="b"} 1',
    ),
  ];
  assert.deepEqual(
    evaluate("unmet > 0 and (capacity - leased) <= 0", now).map(({ labels }) => labels["class"]),
    ["a"],
  );
  const funds = [scrape(0, 'funds{address="0x1"} 0.5\nlow 1')];
  assert.equal(evaluate("funds < on (instance) group_left () low", funds).length, 1);
  assert.equal(evaluate("funds < low", funds).length, 0);
});

test("what is not understood is refused by name", () => {
  assert.throws(() => evaluate("rate(x[5m]) > 0", [scrape(0, "x 1")]), /only increase/);
  assert.throws(() => evaluate("sum(x)", [scrape(0, "x 1")]), /not understood/);
  assert.throws(() => evaluate("x or y", [scrape(0, "x 1")]), /"or"/);
  assert.throws(() => secondsOf("ten"), /no duration/);
});
