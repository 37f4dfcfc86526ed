import { DrmpError } from "@verai/errors/drmp-error";

/**
 * Why a round, a solution or a post is refused. Those from `MalformedPost` on are the contracts' errors of the same
 * name (`IRoundManager`, `ISupply`).
 */
export type RefusalCode =
  /** The snapshot of the round contradicts itself or the protocol's bounds. */
  | "InvalidRound"
  /** The solver gave up, or what it returned is no solution at all. */
  | "SolverFailed"
  /** Flows that are no whole numbers from 0 on, or do not fit the tasks and classes of the round. */
  | "InvalidFlows"
  /** A clearing price that is no 64-bit number. */
  | "InvalidPrice"
  /** An allocation gives a node more units than it lists. */
  | "NodeOverbooked"
  /** There is a cheaper solution. */
  | "NotOptimal"
  | "MalformedPost"
  | "TaskOverfilled"
  | "FlowNotCheapest"
  | "OpenUnitsAffordable"
  | "ClearingPriceMismatch"
  | "NodeNotListed"
  | "AskAboveClearing"
  | "NotInFilling"
  | "NodesOutOfOrder"
  | "ClassUnitsMismatch";

/** Something that must not be posted. The message says what is wrong with it, in words for people. */
export class RefusalError extends DrmpError {
  override readonly name = "RefusalError";
  declare readonly code: RefusalCode;

  constructor(code: RefusalCode, message: string, options?: ErrorOptions) {
    super(code, message, options);
  }
}

/** Throws a {@link RefusalError} with this code unless the condition holds. */
export function requireThat(condition: boolean, code: RefusalCode, message: () => string): asserts condition {
  if (!condition) throw new RefusalError(code, message());
}

/** Throws a {@link RefusalError} `InvalidRound` unless a value is a whole number from the one bound to the other. */
export function requireWhole(value: number, least: number, most: number, what: string): void {
  requireThat(
    Number.isInteger(value) && value >= least && value <= most,
    "InvalidRound",
    () => `${String(value)} is impossible for ${what}: it is a whole number from ${least} to ${most}.`,
  );
}
