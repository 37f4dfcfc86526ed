import { microToWei } from "../money/ver.ts";
import { nodeOrders } from "../vrf/draws.ts";
import { findPrices } from "./certificate.ts";
import type { Certificate } from "./certify.ts";
import { supplyAt } from "./exchange.ts";
import { grantClass, layRows, type Row } from "./grants.ts";
import { buildProblem, objective, type Primal, type Problem, type Round, unitsByClass } from "./model.ts";
import { betweenNodes, type NodeExchange } from "./node-exchange.ts";
import { encodePost } from "./post.ts";
import { RefusalError, type RefusalCode } from "./refusal.ts";
import type { Solver } from "./solver.ts";
import { validateRound } from "./validate.ts";
import { verifyPost } from "./verify.ts";

/** A round's optimum, certified and ready to be posted. */
export interface RoundPlan {
  readonly kind: "plan";
  readonly roundId: number;
  /** Name of the solver that found it. */
  readonly solver: string;
  /** The bytes to settle the round with. */
  readonly post: Uint8Array;
  readonly rows: readonly Row[];
  /** Clearing price of each class in micro-VER × 1024, and the units granted in it. */
  readonly clearing: readonly { readonly classId: number; readonly price: bigint; readonly units: number }[];
  /** What the nodes will be paid in all. */
  readonly cost: { readonly wei: bigint; readonly microVer: bigint };
  /** Units that stay open, task by task. */
  readonly openUnits: readonly { readonly taskId: number; readonly units: number }[];
  readonly certificate: Certificate;
  /** What the linear program minimises: micro-VER × 1024, surcharges, dither and open units included. */
  readonly objective: bigint;
}

/** Why there is no plan. */
export interface PlanRefusal {
  readonly kind: "refusal";
  readonly roundId: number;
  readonly solver: string;
  readonly code: RefusalCode;
  /** For people: what is wrong with the round or with what the solver returned. */
  readonly why: string;
  /** The change that would have made the solver's result cheaper, if it is not optimal. */
  readonly exchange?: NodeExchange;
}

/**
 * Plans a round: validates the snapshot, solves, proves the result optimal, packs the post and verifies the packed
 * bytes as the contracts will. What is not certified comes back as a refusal and must not be posted.
 *
 * The solver's time, plus O(nodes + granted × log(granted)) and what {@link findPrices} takes.
 */
export function planRound(round: Round, solver: Solver): RoundPlan | PlanRefusal {
  return planRoundWith(round, [solver]);
}

/**
 * {@link planRound} with the first of several solvers whose result is certified. Those that say that a round of this size
 * does not suit them are left out, unless it suits none.
 *
 * @returns The plan, or what the last solver's result was refused for.
 */
export function planRoundWith(round: Round, solvers: readonly [Solver, ...Solver[]]): RoundPlan | PlanRefusal {
  let problem: Problem;
  try {
    validateRound(round);
    problem = buildProblem(round);
  } catch (error) {
    return refusal(round, solvers[0], error);
  }
  const suited = solvers.filter((solver) => solver.suits?.(problem) ?? true);
  const [first, ...others] = suited.length > 0 ? suited : solvers;
  let plan = planProblem(round, problem, first ?? solvers[0]);
  for (const solver of others) {
    if (plan.kind === "plan") break;
    plan = planProblem(round, problem, solver);
  }
  return plan;
}

function planProblem(round: Round, problem: Problem, solver: Solver): RoundPlan | PlanRefusal {
  try {
    const primal = solve(solver, problem);
    const finding = findPrices(problem, primal);
    const units = unitsByClass(problem, primal.flows);
    if (!finding.optimal) {
      const exchange = betweenNodes(round, problem, placementsOf(round, problem, primal, units), finding.exchange);
      const why = `The result of ${solver.name} is not optimal: ${exchange.words}.`;
      return { kind: "refusal", roundId: round.roundId, solver: solver.name, code: "NotOptimal", why, exchange };
    }
    const { clearing } = finding.certificate;
    const orderOf = nodeOrders(round.seed);
    const nodes = round.classes.map((listed, k) =>
      grantClass(round.seed, listed, clearing[k] ?? 0n, units[k] ?? 0, orderOf).map(({ nodeId }) => nodeId),
    );
    const post = encodePost(round, { clearing, flows: primal.flows, nodes });
    const { rows, certificate } = verifyPost(round, post, problem, orderOf);
    const microVer = rows.reduce((sum, row) => sum + BigInt(row.price) * BigInt(row.units), 0n);
    return {
      kind: "plan",
      roundId: round.roundId,
      solver: solver.name,
      post,
      rows,
      clearing: round.classes.map(({ id }, k) => ({ classId: id, price: clearing[k] ?? 0n, units: units[k] ?? 0 })),
      cost: { wei: microToWei(microVer), microVer },
      openUnits: round.tasks.map(({ id }, t) => ({ taskId: id, units: primal.open[t] ?? 0 })),
      certificate,
      objective: objective(problem, primal),
    };
  } catch (error) {
    return refusal(round, solver, error);
  }
}

/** Who would run where if a solution were granted: in each class the cheapest units, up to the dearest that is used. */
function placementsOf(round: Round, problem: Problem, primal: Primal, units: readonly number[]): Row[] {
  const supply = supplyAt(problem, units);
  const grants = round.classes.map((listed, k) =>
    grantClass(round.seed, listed, BigInt(supply[k]?.used?.price ?? 0), units[k] ?? 0),
  );
  return layRows(round, primal.flows, grants);
}

/** What an error refuses; anything else than a refusal is thrown on. */
function refusal({ roundId }: Round, solver: Solver, error: unknown): PlanRefusal {
  if (!(error instanceof RefusalError)) throw error;
  return { kind: "refusal", roundId, solver: solver.name, code: error.code, why: error.message };
}

/** A library that throws has failed to solve; it has not broken the keeper. */
function solve(solver: Solver, problem: Problem): Primal {
  try {
    return solver.solve(problem);
  } catch (error) {
    if (error instanceof RefusalError) throw error;
    const reason = error instanceof Error ? error.message : String(error);
    throw new RefusalError("SolverFailed", `${solver.name} failed: ${reason}.`, { cause: error });
  }
}
