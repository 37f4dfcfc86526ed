import assert from "node:assert/strict";
import { readdir, readFile } from "node:fs/promises";
import { test } from "node:test";

import { parser } from "@prometheus-io/lezer-promql";
import { pino } from "pino";
import { Registry } from "prom-client";
import { parse as parseYaml } from "yaml";

import { indexerMetrics } from "@verai/indexer/metrics";
import { sponsorMetrics } from "@verai/sponsor/metrics";
import { replicationMetrics } from "@verai/agent/replication/replication-metrics";
import { telemetryMetrics } from "@verai/agent/telemetry/telemetry-metrics";
import type { Reader } from "@verai/client/readers";
import { Market } from "@verai/keepers/allocation/market";
import { allocationMetrics } from "@verai/keepers/allocation/allocation-metrics";
import { reportsMetrics } from "@verai/keepers/reports/reports-metrics";
import { failoverMetrics } from "@verai/keepers/failover/failover-metrics";
import { fundsWatch } from "@verai/process/funds-watch";
import { serveHealth } from "@verai/process/endpoint";
import { transactionMetrics } from "@verai/process/transaction-metrics";
import { Heartbeat } from "@verai/process/heartbeat";

/** Every metric that a keeper with all of its loops serves. */
async function served(): Promise<Set<string>> {
  const registry = new Registry();
  const logger = pino({ level: "silent" });
  allocationMetrics(registry);
  reportsMetrics(registry);
  failoverMetrics(registry);
  transactionMetrics(registry, logger);
  new Market({} as Reader, registry);
  fundsWatch({ getBalance: async () => 0n }, "0x01", "1", registry, logger);
  const endpoint = await serveHealth({ host: "127.0.0.1", port: 0, heartbeat: new Heartbeat(1), registry });
  await endpoint.close();
  return new Set(registry.getMetricsAsArray().map(({ name }) => name));
}

/** Every metric that an agent serves beside those of its loops and transactions. */
function servedByAgents(): string[] {
  const registry = new Registry();
  replicationMetrics(registry);
  telemetryMetrics(registry);
  return registry.getMetricsAsArray().map(({ name }) => name);
}

/** Every metric that an indexer serves beside those of any process. */
function servedByIndexers(): string[] {
  const registry = new Registry();
  sponsorMetrics(
    registry,
    () => ({ day: "", operations: 0, failed: 0, paid: 0n, reserved: 0n }),
    () => 0n,
  );
  indexerMetrics(
    registry,
    () => assert.fail("no scrape"),
    () => 0,
  );
  return registry.getMetricsAsArray().map(({ name }) => name);
}

/** Metrics that a PromQL expression selects, as its own parser takes it apart. @throws if it is none. */
function selected(expression: string): string[] {
  const found: string[] = [];
  parser.parse(expression).iterate({
    enter: ({ type, from, to }) => {
      const text = expression.slice(from, to);
      assert.ok(!type.isError, `no PromQL at "${expression.slice(from)}" of "${expression}"`);
      if (type.name === "Identifier") found.push(text);
    },
  });
  return found;
}

/** The metric that a series belongs to: a histogram has several. */
const metricOf = (series: string) => series.replace(/_(bucket|sum|count)$/, "");

const names = (text: string) =>
  new Set([...text.matchAll(/drmp_[a-z_]+/g)].map(([name]) => name.replace(/_bucket$/, "")));

test("every metric of the alert rules is one that keepers serve", async () => {
  const rules = await readFile(new URL("../../deploy/monitoring/alerts.yml", import.meta.url), "utf8");
  const known = await served();
  assert.ok(names(rules).size >= 8);
  assert.deepEqual(
    [...names(rules)].filter((name) => !known.has(name)),
    [],
  );
  // Each alert says what to do about it.
  assert.equal(rules.match(/- alert:/g)?.length, rules.match(/action:/g)?.length);
});

test("every rule and every query of the dashboard is PromQL, on metrics that keepers serve", async () => {
  assert.throws(() => selected("increase(drmp_plans_made_total[1h]) >"), /no PromQL at/);
  const rules = parseYaml(await readFile(new URL("../../deploy/monitoring/alerts.yml", import.meta.url), "utf8")) as {
    groups: { rules: { alert: string; expr: string }[] }[];
  };
  const dashboard = JSON.parse(
    await readFile(new URL("../../deploy/monitoring/dashboard.json", import.meta.url), "utf8"),
  ) as { panels: { targets: { expr: string }[] }[] };
  const known = await served();
  const expressions = [
    ...rules.groups.flatMap((group) => group.rules.map(({ expr }) => expr)),
    ...dashboard.panels.flatMap(({ targets }) => targets.map(({ expr }) => expr)),
  ];
  assert.ok(expressions.length > 25);
  for (const expression of expressions) {
    const metrics = selected(expression);
    assert.ok(metrics.length > 0, expression);
    for (const name of metrics) assert.ok(name === "up" || known.has(metricOf(name)), `${expression}: ${name}`);
  }
});

test("every metric that the documentation name is one that a process serves", async () => {
  const known = new Set([...(await served()), ...servedByAgents(), ...servedByIndexers()]);
  // What an adapter makes of these, as its own configuration there says.
  known.add("drmp_wanted_units");
  const folder = new URL("../../docs/", import.meta.url);
  const files = (await readdir(folder, { recursive: true })).filter((file) => file.endsWith(".md"));
  for (const file of files) {
    const text = await readFile(new URL(file, folder), "utf8");
    for (const name of names(text)) assert.ok(known.has(metricOf(name)), `${file}: ${name}`);
  }
});

test("the dashboard is what Grafana imports, and shows metrics that keepers serve", async () => {
  const text = await readFile(new URL("../../deploy/monitoring/dashboard.json", import.meta.url), "utf8");
  const known = await served();
  const { panels, templating, uid } = JSON.parse(text) as {
    uid: string;
    templating: { list: { name: string; type: string }[] };
    panels: { id: number; title: string; gridPos: object; targets: { expr: string; datasource: { uid: string } }[] }[];
  };
  assert.equal(uid, "drmp");
  assert.deepEqual(
    templating.list.map(({ name, type }) => [name, type]),
    [["datasource", "datasource"]],
  );
  assert.equal(new Set(panels.map(({ id }) => id)).size, panels.length);
  for (const { title, targets } of panels) {
    assert.ok(targets.length > 0, title);
    for (const { expr, datasource } of targets) {
      assert.equal(datasource.uid, "${datasource}");
      for (const name of names(expr)) assert.ok(known.has(name), `${title}: ${name}`);
    }
  }
});
