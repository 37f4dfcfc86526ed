import { ChainError, ContractRefusalError } from "@verai/client/errors";
import type { Payload, TransactionQueue } from "@verai/client/tx/queue";
import type { Logger } from "@verai/process/logger";

/** Sends a keeper's transactions, or only says what it would send. */
export interface Sender {
  /**
   * @param urgent Before what is not: others wait for it.
   * @returns Whether a transaction went through.
   */
  send(label: string, prepare: () => Promise<Payload | null>, urgent?: boolean): Promise<boolean>;
}

/** Sends through a queue. Somebody else having been faster is no error. */
export function queueSender(queue: TransactionQueue, logger: Logger, onLost: () => void): Sender {
  return {
    async send(label, prepare, urgent = false) {
      try {
        return (await queue.submit({ label, prepare, urgent })) !== null;
      } catch (error) {
        if (!(error instanceof ContractRefusalError)) throw error;
        onLost();
        logger.info({ refusal: error.code, why: error.message }, `${label}: no longer needed or possible`);
        return false;
      }
    },
  };
}

/** Prepares and prints everything, sends nothing. */
export function drySender(logger: Logger): Sender {
  return {
    async send(label, prepare) {
      try {
        const payload = await prepare();
        if (payload)
          logger.info({ to: payload.to, bytes: (payload.data?.length ?? 2) / 2 - 1 }, `would send: ${label}`);
      } catch (error) {
        if (!(error instanceof ChainError)) throw error;
        logger.warn({ err: error }, `would not send: ${label}`);
      }
      return false;
    },
  };
}
