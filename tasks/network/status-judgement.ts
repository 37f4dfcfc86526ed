import { formatDuration } from "../session/duration.ts";

/** How a part of the network does, as far as the chain tells. */
export interface Judgement {
  readonly healthy: boolean;
  readonly why: string;
}

/** A round, or a batch of reassignments. */
interface Request {
  readonly id: number;
  readonly status: string;
  readonly openedAt: number;
}

/**
 * Whether the oracle answers: by the seeds that are waited for. Pure.
 *
 * @param timeout Seconds after which a round without a seed may be given up.
 */
export function judgeOracle(seen: {
  readonly now: number;
  readonly timeout: number;
  readonly requests: readonly Request[];
}): Judgement {
  const { now, timeout, requests } = seen;
  const waiting = requests.filter(({ status }) => status === "seeding");
  const longest = Math.max(0, ...waiting.map(({ openedAt }) => now - openedAt));
  if (waiting.length > 0) {
    const bound = `given up after ${formatDuration(timeout)}`;
    return { healthy: longest <= timeout, why: `a seed is waited for since ${formatDuration(longest)} (${bound})` };
  }
  const last = requests.filter(({ status }) => status === "aborted");
  if (requests.every(({ id, status }) => id === 0 || status === "aborted") && last.length > 0) {
    return { healthy: false, why: "the last request was given up" };
  }
  return { healthy: true, why: requests.every(({ id }) => id === 0) ? "not asked yet" : "no request waits" };
}

/**
 * Whether keepers do their work: by what they leave undone. Pure.
 *
 * @param timeout Seconds after which a round that has its seed may be given up.
 * @param cause Why the first task of the queue waits.
 */
export function judgeKeepers(seen: {
  readonly now: number;
  readonly timeout: number;
  readonly round: Request;
  readonly batch: Request;
  readonly cause: string | undefined;
}): Judgement {
  const { now, timeout, round, batch, cause } = seen;
  if (cause === "keepers") return { healthy: false, why: "a task waits, and no keeper opens a round" };
  for (const [what, { id, status, openedAt }, state] of [
    ["round", round, "settling"],
    ["batch", batch, "drawing"],
  ] as const) {
    if (status === state && now - openedAt > timeout) {
      return {
        healthy: false,
        why: `${what} ${String(id)} has not been ${state === "settling" ? "settled" : "drawn"} for ${formatDuration(now - openedAt)} (bound ${formatDuration(timeout)})`,
      };
    }
  }
  return { healthy: true, why: "nothing is overdue" };
}
