/** What is known about a nonce that was signed for. */
export interface NonceState {
  readonly nonce: number;
  readonly mined: boolean;
}

/** What the endpoint says, and what the journal knows. */
export interface NonceView {
  /** Transactions of the account in the newest block, and together with those that wait. */
  readonly latest: number;
  readonly pending: number;
  /** First nonce that no transaction known to be mined has used. */
  readonly floor: number;
  /** Ascending. */
  readonly entries: readonly NonceState[];
}

/**
 * What has to happen before something new is sent.
 *
 * - `send`: nothing; the nonce is free
 * - `ask`: something was signed for the nonce. If the endpoint knows of it, it is waited for; else the nonce is used again,
 *   so that only one of both can be mined
 * - `adopt`: what is in flight at the nonce is waited for
 * - `doubt`: the endpoint counts less than what was seen to be mined; it lags behind, or the chain was reorganised
 * - `gap`: a transaction waits behind nonces that nothing was sent for
 */
export type NonceStep = {
  readonly kind: "send" | "ask" | "adopt" | "doubt" | "gap";
  readonly nonce: number;
};

/** Gaps above this are not filled: the entry behind is then no reason to wait. */
const MAX_GAP = 16;

/** More than this waiting before us is not believed. */
const MAX_WAITING = 64;

/** The next step. Pure; O(entries). */
export function nextNonceStep({ latest, pending, floor, entries }: NonceView): NonceStep {
  if (latest < floor) return { kind: "doubt", nonce: latest };
  const waits = pending > latest && pending - latest <= MAX_WAITING;
  const open = entries.find(({ nonce, mined }) => !mined && nonce - latest <= MAX_GAP);
  if (!open) return { kind: waits ? "adopt" : "send", nonce: latest };
  if (open.nonce < latest) return { kind: "adopt", nonce: open.nonce };
  if (waits) return { kind: "adopt", nonce: latest };
  return { kind: open.nonce === latest ? "ask" : "gap", nonce: latest };
}
