/** Basis points of a unit. */
const WHOLE = 10_000;

/** Which units were really computed, and how far: what the chain cannot see. */
export class WorkBook {
  readonly #done = new Map<string, number>();

  /**
   * Computes on a range of units.
   *
   * @param basisPoints - Of each unit.
   * @returns Units that were really computed, in parts.
   */
  compute(taskId: number, start: number, count: number, basisPoints: number): number {
    let added = 0;
    for (let unit = start; unit < start + count; unit++) {
      const before = this.#of(taskId, unit);
      const after = Math.min(WHOLE, before + basisPoints);
      this.#done.set(`${String(taskId)}/${String(unit)}`, after);
      added += after - before;
    }
    return added / WHOLE;
  }

  /** Forgets what was computed on a range: its checkpoints are lost or of no use. */
  lose(taskId: number, start: number, count: number): void {
    for (let unit = start; unit < start + count; unit++) this.#done.delete(`${String(taskId)}/${String(unit)}`);
  }

  /** Progress of a range, in basis points of a unit, summed over its units. */
  progress(taskId: number, start: number, count: number): number {
    let sum = 0;
    for (let unit = start; unit < start + count; unit++) sum += this.#of(taskId, unit);
    return sum;
  }

  /** Whether every unit of a range was computed to its end. */
  complete(taskId: number, start: number, count: number): boolean {
    return this.progress(taskId, start, count) === count * WHOLE;
  }

  #of(taskId: number, unit: number): number {
    return this.#done.get(`${String(taskId)}/${String(unit)}`) ?? 0;
  }
}
