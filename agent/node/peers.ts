import type { Lease } from "@verai/client/entities";
import type { BlockReference } from "@verai/client/block-reference";
import { answer, blockTag } from "@verai/client/readers";
import { monotonicMs } from "@verai/system/clock";
import type { AgentContext } from "../context.ts";
import { chooseNeighbours, heldLeases, isSampleShort, type Neighbour, sampleIds } from "./neighbours.ts";

/** Nodes at random that latency is measured to. */
const SAMPLE = 12;
/** Pause between two looks for other neighbours, milliseconds; while the sample may soon be a better one, the shorter one. */
const PAUSE_MS = 10 * 60_000;
const SHORT_PAUSE_MS = 20_000;

/**
 * Sees to it that the store is connected to those that have to do with this node's work, and to a sample of the others. What it
 * reads does not grow with the network: the records of a bounded number of nodes, now and then.
 */
export class Peers {
  readonly #context: AgentContext;
  #sample: readonly Neighbour[] = [];
  #producers: readonly Neighbour[] = [];
  #producersOf = "";
  #sampleDue = 0;
  #set = "";

  constructor(context: AgentContext) {
    this.#context = context;
  }

  /** @param held Leases that something is pinned of here. */
  async keep(block: BlockReference, held: readonly Lease[]): Promise<void> {
    const { session, store, nodeId, holders } = this.#context;
    const { reader } = session;
    const now = monotonicMs();
    if (now >= this.#sampleDue) {
      const count = Number(await answer(session.contracts.nodes.nodeCount(blockTag(block))));
      this.#sample = await this.#read(block, sampleIds(count, nodeId, SAMPLE));
      const isShort = isSampleShort(count, this.#sample.length, SAMPLE);
      this.#sampleDue = now + (isShort ? SHORT_PAUSE_MS : PAUSE_MS);
    }
    const copied = heldLeases(store.list());
    const producers = new Set(held.filter(({ id }) => copied.has(id)).map((lease) => lease.nodeId));
    const ids = [...producers].sort((a, b) => a - b);
    if (ids.join() !== this.#producersOf) {
      this.#producers = (await reader.nodesById(block, ids.slice(-64))).map(({ id, endpoint }) => ({
        nodeId: id,
        endpoint,
      }));
      this.#producersOf = ids.join();
    }
    const addresses = chooseNeighbours({
      nodeId,
      holders: await holders.known(),
      producers: this.#producers,
      sample: this.#sample,
    });
    if (addresses.join() === this.#set) return;
    this.#set = addresses.join();
    store.setPeers(addresses);
  }

  async #read(block: BlockReference, ids: readonly number[]): Promise<Neighbour[]> {
    const nodes = await this.#context.session.reader.nodesById(block, ids);
    return nodes
      .filter(({ status, endpoint }) => (status === "active" || status === "draining") && endpoint !== "")
      .map(({ id, endpoint }) => ({ nodeId: id, endpoint }));
  }
}
