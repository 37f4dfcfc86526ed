import { ContractRefusalError, RpcUnavailableError } from "../errors.ts";
import { explain } from "../error-messages.ts";

/** Codes of failures that a smaller page can cure. */
const TOO_MUCH = ["OUT_OF_GAS", "GAS_TOO_HIGH", "REVERTED_WITHOUT_REASON"];

/** Good pages in a row after which a larger one is tried again. */
const GOOD_IN_A_ROW = 16;

/** A page size that halves when the endpoint cannot serve it, and grows back slowly. */
export class PageSize {
  readonly #most: number;
  #size: number;
  #good = 0;

  /** @param most Size to begin with, and never to exceed. */
  constructor(most: number) {
    if (!Number.isSafeInteger(most) || most < 1)
      throw new RangeError(`A page of ${String(most)} entries is not possible.`);
    this.#most = most;
    this.#size = most;
  }

  /** Entries to ask for now. */
  get current(): number {
    return this.#size;
  }

  /** Halves the size. Returns false if it cannot get smaller. */
  halve(): boolean {
    this.#good = 0;
    if (this.#size === 1) return false;
    this.#size = Math.floor(this.#size / 2);
    return true;
  }

  /** Notes that a page of the current size was served. */
  served(): void {
    this.#good += 1;
    if (this.#good < GOOD_IN_A_ROW || this.#size === this.#most) return;
    this.#good = 0;
    this.#size = Math.min(this.#most, this.#size * 2);
  }
}

/**
 * Reads entries `from` … `to` (both included) page by page, halving the pages as long as the endpoint fails on their
 * size. O((to - from) / size) calls.
 *
 * @param read Reads up to `count` entries from `from` on.
 * @throws The explained error of a page that fails for another reason, or at size 1. Never returns a part.
 */
export async function readPages<T>(
  read: (from: number, count: number) => Promise<readonly T[]>,
  from: number,
  to: number,
  size: PageSize,
): Promise<T[]> {
  const entries: T[] = [];
  for (let next = from; next <= to;) {
    const count = Math.min(size.current, to - next + 1);
    let page: readonly T[];
    try {
      page = await read(next, count);
    } catch (error) {
      const explained = explain(error);
      if (!tooMuch(explained) || !size.halve()) throw explained;
      continue;
    }
    if (page.length !== count) {
      // The count was read at the same block, so an endpoint that returns less mixes up states.
      throw new RpcUnavailableError(
        "behind",
        `A page of ${String(count)} entries came back with ${String(page.length)}; try again.`,
      );
    }
    size.served();
    entries.push(...page);
    next += count;
  }
  return entries;
}

function tooMuch(error: Error & { readonly code: string }): boolean {
  if (error instanceof RpcUnavailableError) return error.reason === "timeout" || error.reason === "too-large";
  return !(error instanceof ContractRefusalError) && TOO_MUCH.includes(error.code);
}

/**
 * Covers ids by runs of neighbouring ones, so that few pages read them all. A hole of up to `gap` ids does not end a
 * run: reading a few entries too many is cheaper than another call. O(n log n).
 */
export function runsOf(ids: readonly number[], gap: number): { from: number; to: number }[] {
  const runs: { from: number; to: number }[] = [];
  for (const id of [...ids].sort((a, b) => a - b)) {
    const last = runs.at(-1);
    if (last && id - last.to <= gap + 1) last.to = Math.max(last.to, id);
    else runs.push({ from: id, to: id });
  }
  return runs;
}

/** Pages that ids `from` … `to` are read in. */
export function pagesOf(from: number, to: number, size: number): { from: number; to: number }[] {
  const pages: { from: number; to: number }[] = [];
  for (let next = from; next <= to; next += size) pages.push({ from: next, to: Math.min(to, next + size - 1) });
  return pages;
}
