import { type TransactionReceipt, type TransactionRequest, Transaction } from "ethers";

import { ChainError, ContractRefusalError, RpcUnavailableError } from "../errors.ts";
import { explain } from "../error-messages.ts";
import type { QueueContext } from "./pending-transaction.ts";

/**
 * Why a mined transaction reverted, found by calling it again where it stood. The error names its hash.
 *
 * @param raw The signed transaction, if it is kept.
 */
export async function revertReason(
  context: QueueContext,
  label: string,
  receipt: TransactionReceipt,
  raw: string | undefined,
): Promise<ChainError> {
  const { address, ask, provider } = context;
  const { hash } = receipt;
  const details = { hash, gasUsed: receipt.gasUsed };
  try {
    if (raw !== undefined) {
      const { to, data, value, gasLimit } = Transaction.from(raw);
      if (gasLimit === receipt.gasUsed) {
        const message = `"${label}" (${hash}) ran out of gas (${String(gasLimit)}); try again with a larger margin.`;
        return new ChainError("OUT_OF_GAS", true, message, { details });
      }
      const request: TransactionRequest = { from: address, data, value, ...(to !== null && { to }) };
      await ask("eth_call", [provider.getRpcTransaction(request), `0x${receipt.blockNumber.toString(16)}`]);
    }
  } catch (error) {
    const explained = explain(error);
    if (explained instanceof ContractRefusalError) return withHash(explained, hash);
    if (!(explained instanceof RpcUnavailableError)) {
      const message = `${explained.message} It was sent and reverted: ${hash}.`;
      return new ChainError(explained.code, explained.retryable, message, { cause: explained, details });
    }
  }
  const message = `"${label}" reverted on chain (${hash}) for a reason that is gone by now; look at the chain and try again.`;
  return new ChainError("REVERTED_ON_CHAIN", true, message, { details });
}

/** The same refusal, saying that it was sent. */
function withHash(refusal: ContractRefusalError, hash: string): ContractRefusalError {
  const { code, retryable, message, args } = refusal;
  return new ContractRefusalError(
    code,
    retryable,
    `${message} It was sent and reverted: ${hash}.`,
    { name: refusal.refusal, args },
    { cause: refusal, details: { hash } },
  );
}
