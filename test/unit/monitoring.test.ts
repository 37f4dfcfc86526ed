import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { test } from "node:test";

import { pino } from "pino";
import { Registry } from "prom-client";

import { allocationMetrics } from "../../keepers/allocation/metrics.ts";
import { energyMetrics } from "../../keepers/energy/metrics.ts";
import { failoverMetrics } from "../../keepers/failover/metrics.ts";
import { balanceWatch } from "../../service/balance-watch.ts";
import { serveHealth } from "../../service/endpoint.ts";
import { laneMetrics } from "../../service/lane-metrics.ts";
import { Pulse } from "../../service/pulse.ts";

/** Every metric that a keeper with all of its loops serves. */
async function served(): Promise<Set<string>> {
  const registry = new Registry();
  const logger = pino({ level: "silent" });
  allocationMetrics(registry);
  energyMetrics(registry);
  failoverMetrics(registry);
  laneMetrics(registry, logger);
  balanceWatch({ getBalance: async () => 0n }, "0x01", "1", registry, logger);
  const endpoint = await serveHealth({ host: "127.0.0.1", port: 0, pulse: new Pulse(1), registry });
  await endpoint.close();
  return new Set(registry.getMetricsAsArray().map(({ name }) => name));
}

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
