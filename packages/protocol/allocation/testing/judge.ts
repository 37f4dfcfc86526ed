import { keccak256, solidityPacked } from "ethers";

import type { ListedNode, Round, RoundClass } from "../model.ts";
import type { Post } from "../post.ts";
import { leastCost } from "./enumerate.ts";

/**
 * Decides whether a post is right from the statement of the problem alone, with none of the checks that contracts and
 * `verifyPost` use, but strong duality: any prices give a lower bound of what the round can cost, so that flows and prices
 * are both optimal exactly if the flows cost the least there is and the bound reaches it. Which nodes serve a class, and
 * in which order, is then the seed's choice, laid out here once more. The minimum cost comes from trying everything.
 */
export class Judge {
  readonly #round: Round;
  readonly #least: bigint;
  readonly #words = new Map<string, bigint>();

  /** O(what {@link leastCost} takes): for tiny rounds. */
  constructor(round: Round) {
    this.#round = round;
    this.#least = leastCost(round);
  }

  isRight(post: Post): boolean {
    const { tasks, classes } = this.#round;
    const sums = classes.map(() => 0);
    let cost = 0n;
    for (const [t, task] of tasks.entries()) {
      let open = task.units;
      for (const [c, { classId, surcharge }] of task.classes.entries()) {
        const units = post.flows[t]?.[c] ?? 0;
        const column = classes.findIndex(({ id }) => id === classId);
        sums[column] = (sums[column] ?? 0) + units;
        open -= units;
        cost += BigInt(units) * this.#steered(task.id, classId, surcharge);
      }
      if (open < 0) return false;
      cost += BigInt(open) * limit(task.maxPrice);
    }
    for (const [k, listed] of classes.entries()) {
      const chosen = this.#choice(listed, sums[k] ?? 0);
      if (chosen === undefined || chosen.ids.join() !== (post.nodes[k] ?? []).join()) return false;
      cost += chosen.cost;
    }
    return cost === this.#least && this.#bound(post.clearing) === this.#least;
  }

  /** What the round costs at least, as these prices show. */
  #bound(clearing: readonly bigint[]): bigint {
    const { tasks, classes } = this.#round;
    let bound = 0n;
    for (const { id, units, maxPrice, classes: accepted } of tasks) {
      const prices = accepted.map(
        ({ classId, surcharge }) =>
          (clearing[classes.findIndex((each) => each.id === classId)] ?? 0n) + this.#steered(id, classId, surcharge),
      );
      bound += BigInt(units) * [limit(maxPrice), ...prices].reduce((a, b) => (a < b ? a : b));
    }
    for (const [k, { nodes, tickSize }] of classes.entries()) {
      for (const { tick, units } of nodes) {
        const below = (clearing[k] ?? 0n) - BigInt(tick * tickSize) * 1024n;
        if (below > 0n) bound -= below * BigInt(units);
      }
    }
    return bound;
  }

  /** The nodes that these flows ask for; undefined where a class has not so many units. */
  nodesFor(flows: Post["flows"]): number[][] | undefined {
    const { tasks, classes } = this.#round;
    const chosen = classes.map((listed) => {
      const units = tasks.flatMap((task, t) =>
        task.classes.map(({ classId }, c) => (classId === listed.id ? (flows[t]?.[c] ?? 0) : 0)),
      );
      return this.#choice(
        listed,
        units.reduce((a, b) => a + b, 0),
      )?.ids;
    });
    return chosen.every((ids) => ids !== undefined) ? chosen : undefined;
  }

  /** The nodes that this many units of a class come from, in the order of their hashes, and what they cost. */
  #choice({ id, tickSize, nodes }: RoundClass, units: number): { ids: number[]; cost: bigint } | undefined {
    const chosen: ListedNode[] = [];
    let left = units;
    let cost = 0n;
    for (const tick of [...new Set(nodes.map((node) => node.tick))].sort((a, b) => a - b)) {
      if (left === 0) break;
      const ring = nodes.filter((node) => node.tick === tick).sort((a, b) => a.position - b.position);
      const all = ring.reduce((sum, node) => sum + node.units, 0);
      const start = all <= left ? 0 : Number(this.#draw(2, id) % BigInt(ring.length));
      for (let step = 0; step < ring.length && left > 0; step++) {
        const node = ring[(start + step) % ring.length];
        if (!node) continue;
        const taken = Math.min(node.units, left);
        chosen.push(node);
        left -= taken;
        cost += BigInt(taken * tick * tickSize) * 1024n;
      }
    }
    if (left > 0) return undefined;
    const order = new Map(chosen.map((node) => [node.id, this.#draw(3, node.id)]));
    const ids = chosen.map((node) => node.id);
    return { ids: ids.sort((a, b) => ((order.get(a) ?? 0n) < (order.get(b) ?? 0n) ? -1 : 1)), cost };
  }

  #steered(taskId: number, classId: number, surcharge: number): bigint {
    return BigInt(surcharge) * 1024n + (this.#draw(1, taskId, classId) % 1024n);
  }

  /** The seed's word for a purpose: a hash, kept because the same few are asked for again and again. */
  #draw(tag: number, what: number, other = 0): bigint {
    const key = `${tag}/${what}/${other}`;
    let word = this.#words.get(key);
    if (word === undefined) {
      word = BigInt(
        keccak256(solidityPacked(["bytes32", "uint8", "uint32", "uint32"], [this.#round.seed, tag, what, other])),
      );
      this.#words.set(key, word);
    }
    return word;
  }
}

function limit(maxPrice: number): bigint {
  return BigInt(maxPrice) * 1024n + 1023n;
}
