import type { BlockReference } from "./block-reference.ts";
import { type LogFilter, LogScanner, type LogSource } from "./event-logs.ts";
import type { Contracts } from "./deployment.ts";

/** What a round cleared a class at. */
export interface ClearingPrice {
  readonly roundId: number;
  /** Micro-VER, rounded down: no unit of the class was leased above it. */
  readonly price: number;
  /** Units leased in the class. */
  readonly units: number;
  readonly block: number;
}

/** What a micro-VER is multiplied by in the event. */
const SCALE = 1024n;

/**
 * The newest clearing prices of a class, newest first, from the event `ClassCleared` of settled rounds. Rounds that leased
 * nothing in the class are left out: their price says only what nobody paid. O(blocks / range) requests.
 *
 * @param at Looked back from.
 * @param blocks Looked back at most.
 * @param most Prices that are enough.
 */
export async function clearingPrices(
  source: LogSource,
  { rounds }: Pick<Contracts, "rounds">,
  classId: number,
  at: Pick<BlockReference, "number">,
  blocks: number,
  most: number,
): Promise<ClearingPrice[]> {
  const event = rounds.interface.getEvent("ClassCleared");
  const filter: LogFilter = {
    address: [await rounds.getAddress()],
    topics: [[event.topicHash], null, [`0x${classId.toString(16).padStart(64, "0")}`]],
  };
  const found: ClearingPrice[] = [];
  const scanner = new LogScanner(source);
  await scanner.back(filter, at.number, Math.max(0, at.number - blocks), (logs) => {
    for (const { topics, data, block } of logs.toReversed()) {
      const told = rounds.interface.decodeEventLog(event, data, [...topics]);
      const [roundId, clearing, units] = [told["roundId"], told["clearing"], told["units"]] as [bigint, bigint, bigint];
      if (units === 0n || found.length >= most) continue;
      found.push({ roundId: Number(roundId), price: Number(clearing / SCALE), units: Number(units), block });
    }
    return found.length >= most;
  });
  return found;
}
