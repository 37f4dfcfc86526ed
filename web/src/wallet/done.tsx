import { useSyncExternalStore } from "react";
import type { Address, Hex } from "viem";

import { Transaction } from "../ui/links.tsx";

/** An action that was carried out on this page. */
interface Done {
  readonly account: Address;
  readonly label: string;
  readonly transaction: Hex;
}

let done: readonly Done[] = [];
const listeners = new Set<() => void>();

/** Notes what was done: its button may be gone by then, with the lease that it was about. */
export function noteDone(entry: Done): void {
  done = [...done, entry];
  for (const listener of listeners) listener();
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

/** What an account did last on this page. Its line is there before, so that nothing moves. */
export function LastDone({ account }: { account: Address }) {
  const mine = useSyncExternalStore(subscribe, () => done).filter((each) => each.account === account);
  const last = mine.at(-1);
  return (
    <p role="status" className="soft" data-testid="done" data-count={mine.length}>
      {last ? (
        <>
          Last done here: {last.label}, <Transaction hash={last.transaction} />
        </>
      ) : (
        "Nothing was done here yet."
      )}
    </p>
  );
}
