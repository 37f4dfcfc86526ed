import { readFileSync } from "node:fs";
import { join } from "node:path";

import { parse } from "yaml";

import { ROOT } from "@verai/devnet/processes";
import type { FaultKind } from "./plan.ts";
import { evaluate, parseMetrics, type Sample, type Scrape, secondsOf } from "./promql.ts";

/** An alert rule. */
export interface Rule {
  readonly alert: string;
  readonly expr: string;
  /** Seconds for which the expression has to hold. */
  readonly holds: number;
}

/** An alert that fired: on which series, and when, by the run's clock. */
export interface Alert {
  readonly name: string;
  readonly instance: string;
  readonly labels: Sample["labels"];
  readonly from: number;
  until: number | undefined;
}

/** The rules that operators are given. */
export function readRules(file = join(ROOT, "deploy", "monitoring", "alerts.yml")): Rule[] {
  const { groups } = parse(readFileSync(file, "utf8")) as {
    groups: { rules: { alert: string; expr: string; for?: string }[] }[];
  };
  return groups.flatMap(({ rules }) =>
    rules.map(({ alert, expr, for: holds }) => ({ alert, expr, holds: holds === undefined ? 0 : secondsOf(holds) })),
  );
}

/** Loops that go on once a minute, however often a process looks at the chain. */
const UNHURRIED: ReadonlySet<string> = new Set(["funds-watch"]);
/** Of rule seconds, what scrapes are kept for: the longest range of a rule, and some. */
const KEPT_SECONDS = 2_000;

/**
 * Evaluates alert rules over scrapes as Prometheus does. Processes that look at the chain `speed` times as often as they usually do are
 * judged by rules whose minutes are that much shorter: times of scrapes, and the ages that processes tell in seconds, are multiplied by it.
 */
export class AlertWatch {
  readonly fired: Alert[] = [];
  readonly #rules: readonly Rule[];
  readonly #speed: number;
  #scrapes: Scrape[] = [];
  /** Since when, in rule seconds, an expression has held, by rule and series; and the alert that fires since. */
  readonly #pending = new Map<string, { since: number; alert?: Alert }>();

  constructor(rules: readonly Rule[], speed: number) {
    this.#rules = rules;
    this.#speed = speed;
  }

  /**
   * Takes a scrape of all instances.
   *
   * @param at Seconds by the run's clock.
   * @param texts What each instance's `/metrics` said; undefined: it gave no answer.
   * @param slowness Real seconds that one of the run's clock takes: how much slower than planned this machine is.
   */
  observe(at: number, texts: ReadonlyMap<string, string | undefined>, slowness = 1): void {
    const metrics = new Map<string, Sample[]>();
    const add = (name: string, sample: Sample): void => {
      metrics.set(name, [...(metrics.get(name) ?? []), sample]);
    };
    for (const [instance, text] of texts) {
      const labels = { instance, job: "drmp" };
      add("up", { labels, value: text === undefined ? 0 : 1 });
      for (const [name, samples] of parseMetrics(text ?? "", labels)) {
        for (const sample of samples) {
          const isAge = name === "drmp_heartbeat_age_seconds" && !UNHURRIED.has(sample.labels["loop"] ?? "");
          add(name, { labels: sample.labels, value: isAge ? (sample.value * this.#speed) / slowness : sample.value });
        }
      }
    }
    const now = at * this.#speed;
    this.#scrapes = [...this.#scrapes.filter((scrape) => scrape.at > now - KEPT_SECONDS), { at: now, metrics }];
    for (const rule of this.#rules) this.#judge(rule, now, at);
  }

  #judge({ alert: name, expr, holds }: Rule, now: number, at: number): void {
    const holding = new Set<string>();
    for (const { labels } of evaluate(expr, this.#scrapes)) {
      const key = `${name} ${JSON.stringify(labels)}`;
      holding.add(key);
      const pending = this.#pending.get(key) ?? { since: now };
      this.#pending.set(key, pending);
      if (pending.alert || now - pending.since < holds) continue;
      pending.alert = { name, labels, instance: labels["instance"] ?? "", from: at, until: undefined };
      this.fired.push(pending.alert);
    }
    for (const [key, { alert }] of this.#pending) {
      if (!key.startsWith(`${name} `) || holding.has(key)) continue;
      if (alert) alert.until = at;
      this.#pending.delete(key);
    }
  }
}

/** What the runbook names for a fault: the alert that tells it, and whose. */
export interface Telling {
  readonly alert: string;
  /** Whether it is told by the process that it hits, or by any. */
  readonly by: "itself" | "anyone";
}

/** By which alert operators learn of each fault; none: it is over before anybody has to do something, or nobody has to. */
export const TOLD: Readonly<Record<FaultKind, Telling | undefined>> = {
  "kill agent": { alert: "DrmpDown", by: "itself" },
  "stall agent": { alert: "DrmpDown", by: "itself" },
  "cut agent off": { alert: "DrmpLoopStopped", by: "itself" },
  "kill keeper": { alert: "DrmpDown", by: "itself" },
  "cut keeper off": { alert: "DrmpLoopStopped", by: "itself" },
  "silence oracle": { alert: "DrmpSeedUnanswered", by: "anyone" },
  "silence confirmation": { alert: "DrmpLeasesOverdue", by: "anyone" },
  "low funds": { alert: "DrmpBalanceLow", by: "itself" },
  "gas times 100": undefined,
  "lose answers": undefined,
  "damage block": undefined,
  reorganise: undefined,
  "pause intake": undefined,
  govern: undefined,
  "upgrade agents": undefined,
  migrate: undefined,
};

/** Alerts that a fault explains beside the one that tells it: what it brings about on its way. */
const ALSO: Readonly<Partial<Record<FaultKind, readonly string[]>>> = {
  "kill agent": ["DrmpLoopStopped"],
  "stall agent": ["DrmpLoopStopped"],
  "cut agent off": ["DrmpFeesBumped"],
  "lose answers": ["DrmpFeesBumped", "DrmpLoopStopped"],
  "kill keeper": ["DrmpLoopStopped"],
  "silence oracle": ["DrmpOrphansWait", "DrmpUnmetDemand", "DrmpLeasesOverdue"],
  "silence confirmation": ["DrmpOrphansWait"],
  "low funds": ["DrmpTransactionStuck", "DrmpFeesBumped"],
  "gas times 100": [
    "DrmpLoopStopped",
    "DrmpTransactionStuck",
    "DrmpFeesBumped",
    "DrmpLeasesOverdue",
    "DrmpOrphansWait",
    "DrmpBalanceLow",
  ],
  "pause intake": ["DrmpUnmetDemand"],
  "upgrade agents": ["DrmpDown", "DrmpLoopStopped"],
  migrate: ["DrmpDown", "DrmpLoopStopped", "DrmpUnmetDemand"],
};

/** Kinds that come to one process after the other: what each shows is explained by the record that names it alone. */
const ONE_BY_ONE: ReadonlySet<FaultKind> = new Set(["upgrade agents", "migrate"]);

/** A fault as it was done: when, by the run's clock, and to which process. */
export interface DoneFault {
  readonly kind: FaultKind;
  readonly instance?: string | undefined;
  readonly from: number;
  readonly until: number;
}

/** Which of the faults nobody was told of, and which alerts had no cause. */
export interface AlertFindings {
  readonly told: readonly string[];
  readonly untold: readonly string[];
  readonly causeless: readonly string[];
}

/**
 * Holds what was fired against what was done. Pure; O(faults × alerts).
 *
 * @param grace Seconds after a fault's end in which what it left is still cleared away.
 */
export function judgeAlerts(alerts: readonly Alert[], faults: readonly DoneFault[], grace: number): AlertFindings {
  const overlaps = (alert: Alert, { from, until }: DoneFault): boolean =>
    alert.from >= from && alert.from <= until + grace;
  const told: string[] = [];
  const untold: string[] = [];
  for (const fault of faults) {
    const telling = TOLD[fault.kind];
    if (!telling) continue;
    const isTold = alerts.some(
      (alert) =>
        alert.name === telling.alert &&
        overlaps(alert, fault) &&
        (telling.by === "anyone" || alert.instance === fault.instance),
    );
    (isTold ? told : untold).push(
      `${fault.kind}${fault.instance === undefined ? "" : ` (${fault.instance})`}: ${telling.alert}`,
    );
  }
  const causeless = alerts
    .filter((alert) => !faults.some((fault) => overlaps(alert, fault) && explains(fault, alert)))
    .map(({ name, labels, from }) => `${name} ${JSON.stringify(labels)} after ${from.toFixed(0)} s`);
  return { told, untold, causeless };
}

/** Whether a fault explains an alert: by its kind, and where it hits one process, that one's or what the network as a whole shows. */
function explains(fault: DoneFault, { name, instance }: Alert): boolean {
  const telling = TOLD[fault.kind];
  const isNamed = telling?.alert === name || (ALSO[fault.kind] ?? []).includes(name);
  const isOfOne = ["DrmpDown", "DrmpLoopStopped", "DrmpBalanceLow"].includes(name);
  const isItself = fault.instance === instance || (fault.instance === undefined && !ONE_BY_ONE.has(fault.kind));
  return isNamed && (!isOfOne || isItself);
}
