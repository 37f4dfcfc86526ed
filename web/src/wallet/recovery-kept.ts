import type { Address } from "viem";

import { parsePasskey, type Passkey } from "./passkey.ts";

/** Passkeys of one account that are kept: who begins again and again, or never confirms, makes more. */
const MOST = 8;

const prefix = (chainId: number) => `drmp.recovery.${String(chainId)}.`;
const keyOf = (chainId: number, account: Address) => `${prefix(chainId)}${account.toLowerCase()}`;

/** Keeps a passkey that is to replace an account's others: a recovery takes days, and one that was begun may be begun again. */
export function keep(chainId: number, passkey: Passkey): void {
  const all = [...keptFor(chainId, passkey.account), passkey].slice(-MOST);
  localStorage.setItem(keyOf(chainId, passkey.account), JSON.stringify(all));
}

/** Passkeys that were made in this browser to recover an account. */
export function keptFor(chainId: number, account: Address): Passkey[] {
  return parseAll(localStorage.getItem(keyOf(chainId, account)));
}

/** An account whose recovery was begun in this browser. */
export function keptAccount(chainId: number): Address | undefined {
  const key = Object.keys(localStorage).find((each) => each.startsWith(prefix(chainId)));
  return key === undefined ? undefined : parseAll(localStorage.getItem(key))[0]?.account;
}

/** Lets go of a recovery that has ended. */
export function forget(chainId: number, account: Address): void {
  localStorage.removeItem(keyOf(chainId, account));
}

function parseAll(text: string | null): Passkey[] {
  try {
    const values = JSON.parse(text ?? "[]") as unknown;
    return Array.isArray(values) ? values.flatMap((value) => parsePasskey(JSON.stringify(value)) ?? []) : [];
  } catch {
    return [];
  }
}
