import { formatVer } from "@verai/protocol/money/ver";

/** Money and energy of a stretch of time: an hour of the last day, or a day. */
export interface Stretch {
  /** When it begins, seconds. */
  readonly start: number;
  /** Wei. */
  readonly earned: bigint;
  /** Slashed from its stake, and fees for giving back, wei. */
  readonly spent: bigint;
  /** Null by the hour: events do not tell. */
  readonly joules: number | null;
}

/** An event of a node, as history tells it. */
export interface NodeEvent {
  readonly name: string;
  readonly time: number;
  readonly data: Readonly<Record<string, unknown>>;
}

/** Events that move a node's money, and the argument that says how much, wei. */
export const MONEY = {
  LeasePaid: { kind: "earned", amount: "amount" },
  WorkPaid: { kind: "earned", amount: "amount" },
  NodeSlashed: { kind: "spent", amount: "slashed" },
  AuditSlashed: { kind: "spent", amount: "amount" },
  ReleaseCharged: { kind: "spent", amount: "fee" },
} as const;

const HOUR = 3600;

/** Hours in which a node's money moved, the first one first. Pure; O(events). */
export function hoursOf(events: readonly NodeEvent[]): Stretch[] {
  const hours = new Map<number, { earned: bigint; spent: bigint }>();
  for (const { name, time, data } of events) {
    if (!Object.hasOwn(MONEY, name)) continue;
    const { kind, amount } = MONEY[name as keyof typeof MONEY];
    const start = time - (time % HOUR);
    const hour = hours.get(start) ?? { earned: 0n, spent: 0n };
    hour[kind] += amountOf(data[amount]);
    hours.set(start, hour);
  }
  return [...hours].sort(([a], [b]) => a - b).map(([start, sums]) => ({ start, ...sums, joules: null }));
}

/** An indexer is not trusted: what is no amount counts as none. */
function amountOf(value: unknown): bigint {
  const isWhole = typeof value === "number" ? Number.isSafeInteger(value) && value >= 0 : false;
  return isWhole || (typeof value === "string" && /^\d{1,78}$/.test(value)) ? BigInt(value as number | string) : 0n;
}

/** The same as a file of comma-separated values (RFC 4180). Pure. */
export function csvOf(stretches: readonly Stretch[]): string {
  const rows = stretches.map(({ start, earned, spent, joules: used }) => [
    new Date(start * 1000).toISOString(),
    formatVer(earned),
    formatVer(spent),
    used === null ? "" : String(used),
  ]);
  return [["start_utc", "earned_ver", "spent_ver", "energy_joules"], ...rows]
    .map((row) => `${row.join(",")}\r\n`)
    .join("");
}
