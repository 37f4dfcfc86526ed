/** What a task was quoted to cost in this browser when it was submitted. */
interface KeptQuote {
  readonly taskId: number;
  /** Digest of its spec: a local network that starts again has other tasks under the same numbers. */
  readonly spec: string;
  /** For its units, and the fee on it. Wei of VER, decimal. */
  readonly cost: string;
  readonly fee: string;
}

/** Quotes that are kept: the oldest go first. */
const MOST = 100;

const keyOf = (chainId: number) => `drmp.quotes.${String(chainId)}`;

/** Keeps what a task was quoted: no contract knows it. */
export function keepQuote(chainId: number, quote: KeptQuote): void {
  const others = all(chainId).filter(({ taskId }) => taskId !== quote.taskId);
  localStorage.setItem(keyOf(chainId), JSON.stringify([...others, quote].slice(-MOST)));
}

/** What a task was quoted here; undefined where it was not. */
export function quoteOf(chainId: number, taskId: number, spec: string): KeptQuote | undefined {
  return all(chainId).find((each) => each.taskId === taskId && each.spec.toLowerCase() === spec.toLowerCase());
}

function all(chainId: number): KeptQuote[] {
  try {
    const values = JSON.parse(localStorage.getItem(keyOf(chainId)) ?? "[]") as unknown;
    return Array.isArray(values) ? values.filter(isQuote) : [];
  } catch {
    return [];
  }
}

function isQuote(value: unknown): value is KeptQuote {
  if (typeof value !== "object" || value === null) return false;
  const { taskId, spec, cost, fee } = value as Readonly<Record<string, unknown>>;
  const isAmount = (text: unknown) => typeof text === "string" && /^\d{1,60}$/.test(text);
  return typeof taskId === "number" && typeof spec === "string" && isAmount(cost) && isAmount(fee);
}
