import { formatEther, hexlify } from "ethers";

import { ChainError } from "@verai/client/errors";
import { answer, blockTag, type Reader } from "@verai/client/readers";
import { roundSnapshot } from "@verai/client/snapshot";
import { planRoundWith, type RoundPlan } from "@verai/protocol/allocation/round-plan";
import type { Solver } from "@verai/protocol/allocation/solver";
import type { Payload } from "@verai/client/tx/queue";
import type { Logger } from "@verai/process/logger";
import type { Sender } from "../sender.ts";
import type { FinalityCheck } from "../finality.ts";
import type { Stagger } from "../stagger.ts";
import { clearingOf, type Market } from "./market.ts";
import type { AllocationMetrics } from "./allocation-metrics.ts";
import { type AllocationStep, nextStep } from "./allocation-plan.ts";
import { afterRefusal, afterSuccess, type Tries, type ReconcileStep } from "./tries.ts";
import { readAllocationView } from "./allocation-view.ts";

/** Gas that must be left for upkeep to take another step (`UPKEEP_STEP_GAS` in Units.sol). */
const UPKEEP_STEP_GAS = 500_000n;

/** Cycles from one look at the bounty pool to the next. */
const POOL_LOOKS = 64;

/** What the allocation keeper works with. */
export interface AllocationContext {
  readonly reader: Reader;
  readonly sender: Sender;
  /** Asked in this order: the first whose result is certified is posted. */
  readonly solvers: readonly [Solver, ...Solver[]];
  readonly logger: Logger;
  readonly metrics: AllocationMetrics;
  /** Told what each round shows. */
  readonly market?: Market | undefined;
  readonly minRoundAge: number;
  /** Confirms that a round's time is over before it is aborted. Left out: what the newest block says counts. */
  readonly finality?: FinalityCheck;
  /** Whose turn it is among operators. Left out: nobody waits for others. */
  readonly stagger?: Stagger;
}

/**
 * Opens rounds, solves them, and posts what it can prove to be optimal.
 *
 * It keeps no state that matters: each cycle looks at the chain and takes the one step that is due. Solvers may remember
 * where their last solve ended, which makes the next one quicker and changes nothing else. Any number of keepers may run
 * at once; the first valid post settles the round, and the others learn of it in their simulation.
 */
export class AllocationKeeper {
  readonly #context: AllocationContext;
  #lastWait = "";
  /** Forgetting them costs a keeper that is restarted a few refused simulations. */
  #tries: Tries = {};
  #looks = 0;
  #poolEmpty = false;
  #lastPlanned = 0;

  constructor(context: AllocationContext) {
    this.#context = context;
  }

  /** The step that is due now, and why. Sends nothing. */
  async look(): Promise<AllocationStep> {
    const { reader, minRoundAge, metrics } = this.#context;
    const view = await readAllocationView(reader, await reader.block(), minRoundAge, this.#looks);
    metrics.seeds.note(view.round, view.now);
    return nextStep(view, this.#tries);
  }

  /**
   * One look and the step that follows from it. Calls: O(tasks of the queue looked at / 64); only a round that is to be settled takes
   * O(nodes / page) for its listings, and the time of planning it.
   *
   * @returns Whether a transaction went through.
   */
  async cycle(): Promise<boolean> {
    const { logger, sender, reader } = this.#context;
    const { rounds, supply, tasks } = reader.contracts;
    if (this.#looks % POOL_LOOKS === 0) await this.#lookAtPool();
    this.#looks += 1;
    const step = await this.look();
    if (step.kind === "wait") {
      if (step.why !== this.#lastWait) logger.info({ why: step.why.replace(/\d+ s$/, "some time") }, "waiting");
      this.#lastWait = step.why;
      return false;
    }
    this.#lastWait = "";
    if (this.#letsOthersFirst(step)) {
      // The market is published, no matter which keeper posts.
      if (step.kind === "settle" && step.roundId !== this.#lastPlanned) await this.#plan(step.roundId);
      return false;
    }
    logger.info(step, step.kind);
    switch (step.kind) {
      case "open":
        return this.#try("open", 1, () =>
          sender.send("open round", () => this.#ifStill(step, () => rounds.open.populateTransaction())),
        );
      case "abort":
        if (!(await this.#isOver(step.roundId))) return false;
        return sender.send("abort round", () => this.#ifStill(step, () => rounds.abort.populateTransaction()));
      case "sync":
        return this.#try("sync", step.count, () =>
          sender.send("sync listings", () => inSteps(supply.syncPending.populateTransaction(step.count))),
        );
      case "park":
        return this.#try("park", step.count, () =>
          sender.send("park tasks", () => inSteps(tasks.park.populateTransaction(step.count))),
        );
      case "enqueue":
        return this.#try("enqueue", step.taskIds.length, () =>
          sender.send("enqueue tasks", () => inSteps(tasks.enqueue.populateTransaction([...step.taskIds]))),
        );
      case "close":
      case "distribute":
        return this.#seeToFees(step);
      case "settle":
        return this.#settle(step.roundId);
    }
  }

  /** Shows what the bounty pool has, and says so when it is empty: nobody else is told that bounties are no longer paid. */
  async #lookAtPool(): Promise<void> {
    const { reader, metrics, logger } = this.#context;
    const { bountyPool } = await answer(reader.contracts.vault.totals(blockTag(await reader.block())));
    metrics.bountyPool.set(Number(formatEther(bountyPool)));
    const empty = bountyPool === 0n;
    if (empty && !this.#poolEmpty)
      logger.warn("the bounty pool is empty: rounds and expiries pay no bounty until fees fill it");
    this.#poolEmpty = empty;
  }

  /** Takes a step of upkeep and remembers what became of it, so that a refused one is not tried for ever. */
  async #try(step: ReconcileStep, size: number, send: () => Promise<boolean>): Promise<boolean> {
    const { reader, logger } = this.#context;
    const refused = async () => {
      this.#tries = afterRefusal(this.#tries, step, size, (await reader.block()).timestamp);
      logger.info({ step, size, next: this.#tries[step] }, "refused, tried smaller or later");
    };
    try {
      const sent = await send();
      if (sent) this.#tries = afterSuccess(this.#tries, step);
      else await refused();
      return sent;
    } catch (error) {
      if (!(error instanceof ChainError) || error.code !== "GAS_TOO_HIGH") throw error;
      await refused();
      return false;
    }
  }

  /** Has the fees for leases that were given back, or failed, without headway go to those who were held up. */
  async #seeToFees(step: AllocationStep & { kind: "close" | "distribute" }): Promise<boolean> {
    const { sender, reader, metrics } = this.#context;
    const { tasks, releaseFees } = reader.contracts;
    const task = `task ${String(step.taskId)}`;
    const sent = await this.#try("fees", 1, () =>
      step.kind === "close"
        ? sender.send(`close ${task}`, () => tasks.close.populateTransaction(step.taskId))
        : sender.send(`distribute the release fees of ${task}`, () =>
            releaseFees.distribute.populateTransaction(step.taskId),
          ),
    );
    if (sent && step.kind === "distribute") metrics.feesDistributed.inc();
    return sent;
  }

  /** What any operator can post is left to the one whose turn it is, for a while. */
  #letsOthersFirst(step: AllocationStep): boolean {
    const { stagger, logger } = this.#context;
    const post = postOf(step);
    if (!stagger || post === undefined) return false;
    const left = stagger.left(post);
    if (left > 0) logger.debug({ milliseconds: left }, `${step.kind}: another operator's turn`);
    return left > 0;
  }

  /** Whether a round's time is over as of a block that is not undone. */
  async #isOver(roundId: number): Promise<boolean> {
    const { finality, reader, minRoundAge, logger } = this.#context;
    const settlement = await finality?.holds(async (at) => {
      const then = nextStep(await readAllocationView(reader, at, minRoundAge));
      return then.kind === "abort" && then.roundId === roundId;
    });
    if (settlement?.holds !== false) return true;
    logger.info({ round: roundId, why: settlement.why }, "not aborted yet");
    return false;
  }

  /**
   * Solves the open round, if its result is certified. What it shows of the market is published at once: the valid plan is
   * unique, no matter who posts it.
   */
  async #plan(roundId: number): Promise<RoundPlan | undefined> {
    const { reader, solvers, logger, metrics, market } = this.#context;
    const snapshot = await roundSnapshot(reader);
    if (snapshot?.roundId !== roundId) return undefined;
    const started = performance.now();
    const plan = planRoundWith(snapshot, solvers);
    const ms = Math.round(performance.now() - started);
    if (plan.kind === "refusal") {
      metrics.refused.inc();
      logger.error(
        { round: roundId, solver: plan.solver, code: plan.code, why: plan.why },
        "not posting what cannot be certified",
      );
      return undefined;
    }
    if (this.#lastPlanned !== roundId) metrics.planned.inc();
    this.#lastPlanned = roundId;
    market?.note(clearingOf(snapshot, plan));
    logger.info(
      { round: roundId, solver: plan.solver, ms, rows: plan.rows.length, bytes: plan.post.length },
      "planned",
    );
    return plan;
  }

  /** Solves the open round and posts the result, if its certificate holds. */
  async #settle(roundId: number): Promise<boolean> {
    const { reader, metrics, sender } = this.#context;
    const plan = await this.#plan(roundId);
    if (!plan) return false;
    const sent = await sender.send(`settle round ${String(roundId)}`, async () => {
      const now = await reader.round(await reader.block());
      return now.id === roundId && now.status === "settling"
        ? reader.contracts.rounds.settle.populateTransaction(roundId, hexlify(plan.post))
        : null;
    });
    if (sent) metrics.posted.inc();
    return sent;
  }

  /** The transaction, if the same step is still due right before it is sent. */
  async #ifStill<T>(step: AllocationStep, build: () => Promise<T>): Promise<T | null> {
    return (await this.look()).kind === step.kind ? build() : null;
  }
}

/** What several operators may post at the same time, by a name that it has for all of them; undefined for upkeep that stops by gas. */
function postOf(step: AllocationStep): string | undefined {
  if (step.kind === "settle") return `settle ${String(step.roundId)}`;
  if (step.kind === "close" || step.kind === "distribute") return `${step.kind} ${String(step.taskId)}`;
  return step.kind === "open" ? "open" : undefined;
}

/** A call that goes on as long as its gas reaches: its estimate is what it uses, and not what it must see left. */
async function inSteps(call: Promise<Payload>): Promise<Payload> {
  return { ...(await call), gasReserve: UPKEEP_STEP_GAS };
}
