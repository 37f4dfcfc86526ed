import type { Lease } from "@verai/client/entities";
import type { GameNode, Said } from "./contracts.ts";
import { ECONOMY } from "./economy.ts";
import { checkpoint, compute, type Game, workHonestly } from "./game.ts";
import type { Strategy } from "./genes.ts";
import { EPISODE, STEP_PROGRESS } from "./world.ts";

/** Share of a lease from which it counts as nearly done. */
const LATE = 0.75;
/** Share of a lease that a node claims that does not compute, before it gives it back. */
const CLAIMED = 0.8;
const DUST_PRICE = 0.000001;
const FLOOD_UNITS = 1_024;
/** Maximum number of leases that are asked to be moved in a step. */
const MOVES = 3;

/** The player under test: does with its nodes and its tasks what its strategy says, each time it is its turn. */
export class Player {
  readonly nodes: readonly GameNode[];
  readonly developer: string;
  readonly strategy: Strategy;
  readonly #game: Game;
  /** What it claimed on each lease, basis points. */
  readonly #claimed = new Map<number, number>();
  /** Leases whose checkpoints nobody else has. */
  readonly #withheld = new Map<number, Lease>();
  #raised = false;
  #spam: number[] = [];

  constructor(game: Game, strategy: Strategy, nodes: readonly GameNode[], developer: string) {
    this.#game = game;
    this.strategy = strategy;
    this.nodes = nodes;
    this.developer = developer;
  }

  /** Submits tasks: once the one that it needs, and in each step those that it plays with. */
  async submit(step: number): Promise<void> {
    const { dust, unservable, flood } = this.strategy;
    if (step === 1) await this.#submit("own", EPISODE.ownUnits, ECONOMY.worth);
    if (step >= EPISODE.arrivals) return;
    if (step === 0) for (let i = 0; i < flood; i++) await this.#submit("spam", FLOOD_UNITS, DUST_PRICE);
    for (let i = 0; i < dust; i++) await this.#submit("spam", 1, DUST_PRICE);
    for (let i = 0; i < unservable; i++) await this.#submit("spam", 1, DUST_PRICE, false);
    if (this.strategy.raisePrice === "once" && step === 2) {
      for (const [taskId, { kind }] of this.#game.tasks) {
        if (kind === "own") await this.#game.chain.raisePrice(this.developer, taskId, 2 * ECONOMY.worth);
      }
    }
  }

  /** Works on its leases for a step. */
  async work(leases: readonly Lease[]): Promise<void> {
    this.#loseWithheld(leases);
    for (const lease of this.#own(leases)) await this.#work(lease);
  }

  /** What its nodes report. */
  reports(truth: (node: GameNode) => Said): Said[] {
    const { load, latency, energy } = this.strategy;
    return this.nodes.map((node, i) => {
      const honest = truth(node);
      const full = load === "full" || (load === "split" && i === 0);
      return {
        node,
        load: load === "true" ? honest.load : full ? 10_000 : 0,
        latency: latency === "true" ? honest.latency : latency === "none" ? 0 : 60_000,
        watts: energy === "true" ? honest.watts : energy === "none" ? 0 : 100_000,
      };
    });
  }

  /** While a round or batch holds the listings. */
  async whileFrozen(): Promise<void> {
    const { chain, honest } = this.#game;
    if (this.strategy.touch === "frozen") {
      for (const { nodeId } of honest) await chain.touch(this.developer, nodeId);
    }
    if (this.strategy.cancel === "after-seed") {
      for (const taskId of this.#spam.splice(0)) await chain.cancel(this.developer, taskId);
    }
  }

  /** Right after leases were granted. @returns Whether it gave any back. */
  async react(leases: readonly Lease[]): Promise<boolean> {
    const { chain } = this.#game;
    const own = this.#own(leases).filter(({ status }) => status === "active");
    if (own.length !== 0 && this.strategy.raiseAsk === "after-grant" && !this.#raised) {
      this.#raised = true;
      for (const node of this.nodes) await chain.setAsk(node, ECONOMY.worth);
    }
    let released = false;
    for (const lease of own) {
      const node = this.#nodeOf(lease);
      if (!node) continue;
      if (this.strategy.release === "at-once") released = (await chain.release(lease, node)) || released;
      if (this.strategy.drain === "after-grant") await chain.drain(node);
    }
    return released;
  }

  /** Asks for moves. */
  async move(leases: readonly Lease[]): Promise<void> {
    const { move } = this.strategy;
    if (move === "never") return;
    const own = new Set(this.nodes.map(({ nodeId }) => nodeId));
    const wanted = leases.filter(({ nodeId, status, taskId, start, count }) => {
      if (status !== "active" || own.has(nodeId) !== (move === "own")) return false;
      return move === "own" || this.#game.work.progress(taskId, start, count) >= 10_000 * count * LATE;
    });
    for (const lease of wanted.slice(0, MOVES)) await this.#move(lease);
  }

  async #move(lease: Lease): Promise<void> {
    for (let units = lease.count; units > 0; units--) {
      if (await this.#game.chain.move(this.developer, lease, units)) return;
    }
  }

  async #work(lease: Lease): Promise<void> {
    const node = this.#nodeOf(lease);
    if (!node || (lease.status !== "active" && lease.status !== "moving")) return;
    const { chain, tasks, work } = this.#game;
    const { taskId, start, count } = lease;
    if (lease.status === "moving" && this.strategy.work !== "compute") {
      await chain.release(lease, node);
      return;
    }
    // What it leases of its own worthless tasks it delivers to itself.
    if (tasks.get(taskId)?.kind === "spam" || this.strategy.work === "fake") {
      await chain.deliver(lease, node);
      return;
    }
    if (this.strategy.work === "nothing") return;
    if (this.strategy.receipts === "own") this.#withheld.set(lease.id, lease);
    const signers = this.strategy.receipts === "own" ? this.nodes : [...this.#game.nodes.values()];
    if (this.strategy.work === "compute") {
      if (this.strategy.release === "late" && work.progress(taskId, start, count) >= 10_000 * count * LATE) {
        await chain.release(lease, node);
        return;
      }
      if (this.strategy.receipts === "anyone") {
        await workHonestly(this.#game, lease, signers);
        return;
      }
      compute(this.#game, lease);
      if (work.complete(taskId, start, count) && (await chain.deliver(lease, node))) return;
    }
    if (this.strategy.work === "compute") {
      await checkpoint(this.#game, lease, node, signers);
      return;
    }
    const pace = this.strategy.work === "claim" ? count * STEP_PROGRESS : 1;
    const claimed = (this.#claimed.get(lease.id) ?? 0) + pace;
    this.#claimed.set(lease.id, claimed);
    if (claimed > 10_000 * count * CLAIMED) await chain.release(lease, node);
    else await checkpoint(this.#game, lease, node, signers, claimed);
  }

  /** A node that goes on with a range whose checkpoints were withheld begins from the start. */
  #loseWithheld(leases: readonly Lease[]): void {
    const live = new Set(leases.map(({ id }) => id));
    for (const [id, { taskId, start, count }] of this.#withheld) {
      if (live.has(id)) continue;
      this.#withheld.delete(id);
      this.#game.work.lose(taskId, start, count);
    }
  }

  async #submit(kind: "own" | "spam", units: number, maxPrice: number, servable = true): Promise<void> {
    const submittedAt = await this.#game.chain.now();
    const deadline = submittedAt + EPISODE.deadline;
    const { audited } = this.#game.world;
    const terms = { units, maxPrice, interval: EPISODE.interval, deadline };
    const task = { ...terms, replicas: kind === "own" ? 1 : 0, servable, audited };
    const taskId = await this.#game.chain.submit(this.developer, task);
    if (taskId === undefined) return;
    this.#game.tasks.set(taskId, { kind, owner: this.developer, units, submittedAt, deadline });
    if (kind === "spam") this.#spam.push(taskId);
  }

  #own(leases: readonly Lease[]): Lease[] {
    return leases.filter((lease) => this.#nodeOf(lease) !== undefined);
  }

  #nodeOf({ nodeId }: Lease): GameNode | undefined {
    return this.nodes.find((node) => node.nodeId === nodeId);
  }
}
