import { keptList } from "./kept-list.ts";

/** What a task was quoted to cost in this browser when it was submitted. */
interface KeptQuote {
  readonly taskId: number;
  /** Digest of its spec: a local network that starts again has other tasks under the same numbers. */
  readonly spec: string;
  /** For its units, and the fee on it. Wei of VER, decimal. */
  readonly cost: string;
  readonly fee: string;
}

const quotes = keptList("quotes", 100, isQuote);

/** Keeps what a task was quoted: no contract knows it. */
export function keepQuote(chainId: number, quote: KeptQuote): void {
  const others = quotes.read(chainId).filter(({ taskId }) => taskId !== quote.taskId);
  quotes.write(chainId, [...others, quote]);
}

/** What a task was quoted here; undefined where it was not. */
export function quoteOf(chainId: number, taskId: number, spec: string): KeptQuote | undefined {
  return quotes.read(chainId).find((each) => each.taskId === taskId && each.spec.toLowerCase() === spec.toLowerCase());
}

function isQuote(value: unknown): value is KeptQuote {
  if (typeof value !== "object" || value === null) return false;
  const { taskId, spec, cost, fee } = value as Readonly<Record<string, unknown>>;
  const isAmount = (text: unknown) => typeof text === "string" && /^\d{1,60}$/.test(text);
  return typeof taskId === "number" && typeof spec === "string" && isAmount(cost) && isAmount(fee);
}
