import type { Primal, Problem } from "./model.ts";

/**
 * Something that solves the allocation problem in class form.
 *
 * Nobody has to trust it: whatever it returns is checked by {@link certify} and by the contracts. Of several optimal
 * solutions it may return any.
 */
export interface Solver {
  /** What logs and reports call it. */
  readonly name: string;
  /** Whether it is quick for a problem of this size. Left out: for any. */
  suits?(problem: Problem): boolean;
  /**
   * Solves a problem that was built from a validated round.
   *
   * @throws Refusal `SolverFailed` if it cannot.
   */
  solve(problem: Problem): Primal;
}
