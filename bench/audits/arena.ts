import type { GameNode, MarketContracts } from "../market/contracts.ts";
import { ARENA } from "./scenario.ts";

/** The dearest tick of the class, VER. Verifiers ask it, which is more than tasks pay, so that they get none of their units. */
const DEAREST = 40.95;

/** Who plays: nodes that work, nodes that verify, each of another owner, and those who keep things going. */
export interface Arena {
  readonly chain: MarketContracts;
  readonly producers: readonly GameNode[];
  readonly verifiers: readonly GameNode[];
  readonly developer: string;
  readonly keeper: string;
  readonly oracle: string;
}

/**
 * Registers all nodes on a chain on which nobody has played yet.
 *
 * @param price - VER that producers ask for a unit.
 * @param capacity - Units of each producer.
 */
export async function openArena(chain: MarketContracts, price: number, capacity: number): Promise<Arena> {
  await chain.restore();
  const keeper = await chain.account("keeper", 0);
  const oracle = await chain.account("oracle", 0);
  const developer = await chain.account("developer", 1_000_000);
  const join = async (name: string, units: number, ask: number): Promise<GameNode> => {
    const owner = await chain.account(name, 100 * units + ARENA.spareStake);
    const node = await chain.registerNode(owner, name, units, ask);
    await chain.addStake(node, ARENA.spareStake);
    return node;
  };
  const producers: GameNode[] = [];
  const verifiers: GameNode[] = [];
  for (let i = 0; i < ARENA.producers; i++) producers.push(await join(`producer ${String(i)}`, capacity, price));
  for (let i = 0; i < ARENA.verifiers; i++) {
    const node = await join(`verifier ${String(i)}`, ARENA.units, DEAREST);
    await chain.audits.enlist(node.operator.address, node.nodeId);
    verifiers.push(node);
  }
  return { chain, producers, verifiers, developer, keeper, oracle };
}

/** VER that a node's owner has, at stake, to claim or in hand. */
export async function wealthOf({ chain }: Arena, node: GameNode): Promise<number> {
  return chain.wealth(node.owner, [node]);
}
