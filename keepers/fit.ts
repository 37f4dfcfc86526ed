import { RpcUnavailableError } from "@verai/client/errors";
import { answer } from "@verai/client/readers";
import { TRANSACTION_GAS_CAP } from "@verai/client/tx/queue";

/** What a transaction is filled to: what others do before it is mined changes what it uses. */
const FULL = (TRANSACTION_GAS_CAP * 95n) / 100n;
/** Calls for one transaction at most, and which part of what did not fit is tried next. */
const TRIES = 6;
const LESS = 0.75;

/**
 * How many of some things of the same kind fit a transaction, as calls with its gas show: three quarters of what did not fit,
 * until it does. At most {@link TRIES} calls; none for `least` of them.
 *
 * @param most How many there are.
 * @param least As many fit in any case.
 * @param call Calls it for so many, with so much gas.
 * @throws RpcUnavailableError if the endpoint cannot be asked.
 */
export async function fitting(
  most: number,
  least: number,
  call: (count: number, gas: { gasLimit: bigint }) => Promise<unknown>,
): Promise<number> {
  let count = most;
  for (let i = 0; i < TRIES && count > least; i++) {
    try {
      await answer(call(count, { gasLimit: FULL }));
      return count;
    } catch (error) {
      if (error instanceof RpcUnavailableError && error.retryable) throw error;
      count = Math.floor(count * LESS);
    }
  }
  return Math.min(most, Math.max(count, least));
}
