import type { Executor, RunningUnit, UnitRun } from "@verai/executor/executor";
import type { TaskSpec } from "@verai/executor/spec";

/** CPU time of a unit as of the last look, seconds: a cgroup that vanishes reads as 0, and may come back. */
interface Counted {
  readonly unit: RunningUnit;
  seconds: number;
}

/**
 * Runs segments again in an executor, and counts their CPU time together: it belongs to none of the node's leases, nor to the machine's
 * owner.
 */
export class CountedExecutor implements Pick<Executor, "start" | "refusal"> {
  readonly #executor: Pick<Executor, "start" | "refusal">;
  readonly #running = new Set<Counted>();
  #ended = 0;

  constructor(executor: Pick<Executor, "start" | "refusal">) {
    this.#executor = executor;
  }

  refusal(spec: TaskSpec): string | undefined {
    return this.#executor.refusal(spec);
  }

  async start(run: UnitRun): Promise<RunningUnit> {
    const counted: Counted = { unit: await this.#executor.start(run), seconds: 0 };
    this.#running.add(counted);
    void counted.unit.exited.then(({ cpuSeconds }) => {
      this.#running.delete(counted);
      this.#ended += highest(counted.seconds, cpuSeconds);
    });
    return counted.unit;
  }

  /** Segments that run now. */
  get unitsRunning(): number {
    return this.#running.size;
  }

  /** CPU time of all so far, seconds; never shrinks. O(those that run). */
  cpuSeconds(): number {
    let sum = this.#ended;
    for (const counted of this.#running) {
      counted.seconds = highest(counted.seconds, counted.unit.cpuSeconds());
      sum += counted.seconds;
    }
    return sum;
  }
}

function highest(before: number, now: number): number {
  return Number.isFinite(now) ? Math.max(before, now) : before;
}
