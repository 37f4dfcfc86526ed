import { useMemo, useSyncExternalStore } from "react";
import type { Address, Hex } from "viem";

import { keptList } from "./kept-list.ts";

/** Something that an account has sent, and of which the page does not know yet what became of it. */
export interface SentEntry {
  readonly account: Address;
  /** What the button says that sent it. */
  readonly label: string;
  /** How it is asked for: a transaction, an operation of a passkey account, or a wallet's batch. */
  readonly kind: "transaction" | "operation" | "batch";
  readonly id: string;
}

const entries = keptList("sent", 32, isEntry);
const listeners = new Set<() => void>();
/** Those that a button of this page waits for now. */
const waited = new Set<string>();

/** Keeps what was sent until it is known what became of it, also over a reload: a person who does not see it would do it again. */
export function noteSent(chainId: number, entry: SentEntry): void {
  waited.add(entry.id);
  write(chainId, [...entries.read(chainId).filter(({ id }) => id !== entry.id), entry]);
}

/** Lets go of what is known. */
export function forgetSent(chainId: number, id: string): void {
  waited.delete(id);
  write(
    chainId,
    entries.read(chainId).filter((each) => each.id !== id),
  );
}

/** Says that no button waits for it any longer: from now on the account's page looks for it. */
export function stopWaiting(chainId: number, id: string): void {
  waited.delete(id);
  write(chainId, entries.read(chainId));
}

/** What an account has sent and no button waits for, oldest first. */
export function useUnknown(chainId: number, account: Address | undefined): readonly SentEntry[] {
  const text = useSyncExternalStore(subscribe, () => {
    const open = entries.read(chainId).filter(({ id }) => !waited.has(id));
    return JSON.stringify(open);
  });
  return useMemo(
    () => entries.parse(text).filter((each) => each.account.toLowerCase() === account?.toLowerCase()),
    [text, account],
  );
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  window.addEventListener("storage", listener);
  return () => {
    listeners.delete(listener);
    window.removeEventListener("storage", listener);
  };
}

function write(chainId: number, now: readonly SentEntry[]): void {
  entries.write(chainId, now);
  for (const listener of listeners) listener();
}

function isEntry(value: unknown): value is SentEntry {
  if (typeof value !== "object" || value === null) return false;
  const { account, label, kind, id } = value as Readonly<Record<string, unknown>>;
  return (
    typeof account === "string" &&
    /^0x[0-9a-f]{40}$/i.test(account) &&
    typeof label === "string" &&
    (kind === "transaction" || kind === "operation" || kind === "batch") &&
    typeof id === "string"
  );
}

/** A hash as viem takes it. */
export function hashOf({ id }: SentEntry): Hex {
  return id as Hex;
}
