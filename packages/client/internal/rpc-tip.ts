import { RpcUnavailableError } from "../errors.ts";

/** Smallest tip that is suggested, wei: what sequencers of the OP stack take at the least by default (0.001 gwei). */
const LEAST_TIP = 1_000_000n;
/** Blocks whose tips are looked at. */
const BLOCKS = "0x5";

type Send = (method: string, params: unknown[]) => Promise<unknown>;

/**
 * A tip per gas where the node has no `eth_maxPriorityFeePerGas`: the median of what the last blocks paid by
 * `eth_feeHistory`; without that, what `eth_gasPrice` is above the base fee; without that, 0.001 gwei. Two calls at most
 * beyond the first.
 *
 * @throws RpcUnavailableError if the endpoint does not answer at all.
 */
export async function suggestTip(send: Send): Promise<bigint> {
  const history = await optional(send("eth_feeHistory", [BLOCKS, "latest", [50]]));
  const tips = rewards(history).sort((a, b) => (a < b ? -1 : a > b ? 1 : 0));
  const median = tips[Math.floor(tips.length / 2)];
  if (median !== undefined) return max(median, LEAST_TIP);
  const price = await optional(send("eth_gasPrice", []));
  const block = await optional(send("eth_getBlockByNumber", ["latest", false]));
  const base = field(block, "baseFeePerGas");
  if (typeof price !== "string" || typeof base !== "string") return LEAST_TIP;
  return max(BigInt(price) - BigInt(base), LEAST_TIP);
}

/** Undefined if the node has no such method. */
async function optional(answer: Promise<unknown>): Promise<unknown> {
  try {
    return await answer;
  } catch (error) {
    if (error instanceof RpcUnavailableError && (error.reason === "unsupported" || error.reason === "server"))
      return undefined;
    throw error;
  }
}

function rewards(history: unknown): bigint[] {
  const reward = field(history, "reward");
  if (!Array.isArray(reward)) return [];
  return (reward as unknown[])
    .map((block) => (Array.isArray(block) ? (block[0] as unknown) : undefined))
    .filter((tip) => typeof tip === "string" && /^0x[0-9a-f]{1,64}$/i.test(tip))
    .map((tip) => BigInt(tip as string));
}

function field(value: unknown, name: string): unknown {
  return typeof value === "object" && value !== null ? (value as Record<string, unknown>)[name] : undefined;
}

function max(a: bigint, b: bigint): bigint {
  return a > b ? a : b;
}
