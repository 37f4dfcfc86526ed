import type { Lease } from "@verai/client/entities";
import type { GameAudits } from "./audits.ts";
import type { GameNode, MarketContracts } from "./contracts.ts";
import { ECONOMY } from "./economy.ts";
import type { WorkBook } from "./work.ts";
import { EPISODE, STEP_PROGRESS, type World } from "./world.ts";

/** Whose task it is: an honest developer's, the player's own that it needs, or one that it only plays with. */
export type TaskKind = "honest" | "own" | "spam";

/** A task of the game. */
export interface GameTask {
  readonly kind: TaskKind;
  readonly owner: string;
  readonly units: number;
  readonly submittedAt: number;
  readonly deadline: number;
}

/** All that an episode's players share. */
export interface Game {
  readonly chain: MarketContracts;
  readonly world: World;
  readonly work: WorkBook;
  /** Of tasks that ask for them. */
  readonly audits: GameAudits;
  readonly tasks: Map<number, GameTask>;
  /** Nodes of everybody by their ids. */
  readonly nodes: Map<number, GameNode>;
  /** Nodes of honest contributors. */
  readonly honest: readonly GameNode[];
  /** VER that each owner spent on computing, and what was delivered to each developer is worth. */
  readonly compute: Map<string, number>;
  readonly value: Map<string, number>;
  /** Hours that each delivered unit of honest developers took. */
  readonly delays: number[];
  /** Units of honest developers that each owner delivered. */
  readonly served: Map<string, number>;
}

/** A node computes for a step on a lease's units; its owner bears what that costs. */
export function compute(game: Game, { taskId, start, count, nodeId }: Lease): void {
  const owner = game.nodes.get(nodeId)?.owner ?? "";
  const units = game.work.compute(taskId, start, count, STEP_PROGRESS);
  add(game.compute, owner, units * ECONOMY.compute);
}

/** Adds to what an account has in a book. */
export function add(book: Map<string, number>, account: string, amount: number): void {
  book.set(account, (book.get(account) ?? 0) + amount);
}

/** An honest node works on a lease for a step: computes, and delivers, or posts a checkpoint that others hold. */
export async function workHonestly(game: Game, lease: Lease, signers: readonly GameNode[]): Promise<void> {
  const node = game.nodes.get(lease.nodeId);
  if (!node || (lease.status !== "active" && lease.status !== "moving")) return;
  const { chain, work } = game;
  compute(game, lease);
  if (work.complete(lease.taskId, lease.start, lease.count) && (await chain.deliver(lease, node))) return;
  await checkpoint(game, lease, node, signers);
  if (lease.status === "moving") await chain.release(lease, node);
}

/**
 * A node posts how far it is, if enough others hold the checkpoint.
 *
 * @param claimed Basis points of a unit that it says, over all units; undefined: what is true.
 */
export async function checkpoint(
  { chain, work, audits, world }: Game,
  lease: Lease,
  node: GameNode,
  signers: readonly GameNode[],
  claimed?: number,
): Promise<void> {
  const holders = await chain.holders(lease, signers);
  if (!holders) return;
  const { taskId, start, count } = lease;
  const progress = claimed ?? work.progress(taskId, start, count);
  if (!world.audited) {
    await chain.checkpoint(lease, node, progress, holders);
    return;
  }
  const computed = Array.from({ length: count }, (_, i) => work.progress(taskId, start + i, 1));
  await audits.checkpoint(lease, node, { progress, computed, honest: claimed === undefined }, holders);
}

/** A developer looks at what was delivered: good results are accepted, others refused, and the arbiter sees the truth. */
export async function judgeDeliveries(game: Game, leases: readonly Lease[], refuses: boolean): Promise<void> {
  const { chain, work, tasks } = game;
  for (const lease of leases) {
    const task = tasks.get(lease.taskId);
    if (!task || lease.status !== "delivered") continue;
    const good = task.kind === "spam" || work.complete(lease.taskId, lease.start, lease.count);
    const refused = !good || (refuses && task.kind === "own");
    if (refused && (await chain.dispute(task.owner, lease))) await chain.rule(lease, good);
    else if (good) await chain.accept(task.owner, [lease]);
    if (good && task.kind !== "spam") await creditUnits(game, task, lease);
  }
}

/** Whatever is delivered later is worth less, down to nothing at the deadline. */
async function creditUnits(game: Game, task: GameTask, lease: Lease): Promise<void> {
  const seconds = (lease.result?.deliveredAt ?? (await game.chain.now())) - task.submittedAt;
  const worth = ECONOMY.worth * Math.max(0, 1 - seconds / EPISODE.deadline);
  add(game.value, task.owner, worth * lease.count);
  if (task.kind !== "honest") return;
  add(game.served, game.nodes.get(lease.nodeId)?.owner ?? "", lease.count);
  for (let unit = 0; unit < lease.count; unit++) game.delays.push(seconds / 3_600);
}
