import { scaledPrice, time } from "../format.ts";
import type { ErrorMessages } from "./message.ts";

/** Sentences for the round manager's errors. */
export const ROUNDS: ErrorMessages = {
  "RoundOpen(uint32)": {
    say: (a) => `Round ${a.text("roundId")} is open; the next one can be opened when it is settled or aborted.`,
    retryable: true,
  },
  "NoRoundOpen()": {
    say: () => "No round is open (another keeper may have settled it); open one first.",
  },
  "RoundTooSoon(uint256)": {
    say: (a) => `The next round can be opened from ${time(a.int("earliest"))} on; wait until then.`,
    retryable: true,
  },
  "SeedPending(uint32)": {
    // Rounds and batches of reassignments have the error in common.
    say: (a) =>
      `The oracle has not answered round or batch ${Object.values(a.plain()).join("")} yet; wait for its seed.`,
    retryable: true,
  },
  "WrongRound(uint32,uint32)": {
    say: (a) =>
      `The post is for round ${a.text("given")}, but round ${a.text("current")} is the current one; plan again from the chain.`,
  },
  "RoundNotTimedOut(uint32,uint256)": {
    say: (a) => `Round ${a.text("roundId")} has until ${time(a.int("until"))}; it can be aborted only after that.`,
    retryable: true,
  },
  "MalformedPost(uint256)": {
    say: (a) => `The post of ${a.text("length")} bytes is cut short or too long; pack it again from the plan.`,
  },
  "TaskOverfilled(uint32,uint256,uint256)": {
    say: (a) =>
      `The post gives task ${a.text("taskId")} ${a.text("units")} units where it brought ${a.text("demand")} into the round; plan again from the chain.`,
  },
  "FlowNotCheapest(uint32,uint8,uint256,uint256)": {
    say: (a) =>
      `The post serves task ${a.text("taskId")} from class ${a.text("classId")} at ${scaledPrice(a.int("cost"))} where ` +
      `${scaledPrice(a.int("cheapest"))} would do; plan again from the chain.`,
  },
  "OpenUnitsAffordable(uint32,uint256,uint256)": {
    say: (a) =>
      `The post leaves units of task ${a.text("taskId")} open although a class serves them at ${scaledPrice(a.int("cheapest"))}, ` +
      `below the task's maximum ${scaledPrice(a.int("maxPrice"))}; plan again from the chain.`,
  },
};
