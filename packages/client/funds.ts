import { formatEther } from "ethers";

import { ChainError } from "./errors.ts";
import type { OpenSigner } from "./keys.ts";
import type { TransactionQueue } from "./tx/queue.ts";
import type { Session } from "./session.ts";
import { answer } from "./readers.ts";

/** The part of a logger that is used here. */
export interface Log {
  info(fields: object, message: string): void;
}

/**
 * Sees to it that an account holds at least `needed` wei of VER: on a test network it asks the faucet for the rest.
 *
 * @throws {@link ChainError} `INSUFFICIENT_VER`, naming what it has, what is missing, and the remedy.
 */
export async function ensureFunds(
  session: Pick<Session, "contracts">,
  account: { signer: OpenSigner; queue: TransactionQueue },
  needed: bigint,
  log: Log,
): Promise<void> {
  const { token, faucet } = session.contracts;
  const { address } = account.signer;
  const held = await answer(token.balanceOf(address));
  if (held >= needed) return;
  const drip = faucet ? await answer(faucet.DRIP()) : 0n;
  if (faucet && held + drip >= needed) {
    await account.queue.submit({ label: "faucet", prepare: () => faucet.drip.populateTransaction() });
    log.info({ account: address, amount: formatEther(drip) }, "VER taken from the faucet");
    return;
  }
  throw new ChainError(
    "INSUFFICIENT_VER",
    false,
    `${address} holds ${formatEther(held)} VER, but ${formatEther(needed)} VER are needed. ` +
      (faucet ? `The faucet gives only ${formatEther(drip)} VER a day; ask for less.` : "Get the rest first."),
    { details: { address, held: held.toString(), needed: needed.toString() } },
  );
}
