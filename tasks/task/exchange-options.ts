import { MAX_EXCHANGE_FILE_MIB } from "@verai/executor/exchange";
import type { TaskSpecInput } from "@verai/executor/spec";

import { CommandError } from "../errors.ts";
import { parseDuration } from "../session/duration.ts";
import { EXCHANGE_DEFAULTS } from "./exchange-defaults.ts";

/** Options of `run` for units that train one model. */
export interface ExchangeOptions {
  readonly units: number;
  /** MiB; 0: each unit works by itself. */
  readonly exchange: number;
  readonly quorum: number;
  readonly grace: string;
}

/**
 * How the units of a task exchange what they train. Pure.
 *
 * @returns Undefined where each works by itself.
 * @throws {@link CommandError} `OPTION_INVALID` for options that could not do what they seem to ask for.
 */
export function exchangeOf({ units, exchange, quorum, grace }: ExchangeOptions): TaskSpecInput["exchange"] {
  if (!Number.isInteger(exchange) || exchange < 0 || exchange > MAX_EXCHANGE_FILE_MIB)
    throw invalid(
      `--exchange is ${String(exchange)}, which is no size of a file from 0 to ${String(MAX_EXCHANGE_FILE_MIB)} MiB: name the ` +
        "largest file that units exchange, such as --exchange 64, or leave it out.",
    );
  if (exchange === 0) {
    const named = [
      quorum === EXCHANGE_DEFAULTS.quorum ? undefined : `--quorum ${String(quorum)}`,
      grace === EXCHANGE_DEFAULTS.grace ? undefined : `--grace ${grace}`,
    ].filter((each) => each !== undefined);
    if (named.length > 0)
      throw invalid(
        `${named.join(" and ")} without --exchange: each unit would work by itself. Name the largest file that units exchange, ` +
          `such as --exchange 64, or leave ${named.length === 1 ? "it" : "them"} out.`,
      );
    return undefined;
  }
  // That units are missing is said where they are read.
  if (!Number.isInteger(quorum) || quorum < 1 || (units > 0 && quorum > units))
    throw invalid(
      `--quorum is ${String(quorum)}, but a round has 1 to ${String(units)} units, all that the task has: lower it, or raise --units.`,
    );
  return { fileMiB: exchange, quorum, graceSeconds: parseDuration(grace) };
}

function invalid(message: string): CommandError {
  return new CommandError("OPTION_INVALID", message);
}
