import type { Checkpoint, Lease, Node } from "@verai/client/entities";
import { ChainError } from "@verai/client/errors";
import type { BlockReference } from "@verai/client/block-reference";
import type { Reader } from "@verai/client/readers";
import { CheckpointError } from "@verai/checkpoint-store/errors";
import type { Requester } from "@verai/checkpoint-store/messages/messenger";
import type { CheckpointStore } from "@verai/checkpoint-store/store";
import type { Logger } from "@verai/process/logger";
import { Budget } from "@verai/system/budget";
import { type Copy, Copies, type CopyState } from "./copies.ts";
import { ANSWER_MS, COPY_MS, STALL_MS, WAIT_MS } from "./copy-times.ts";
import { COPY_PROTOCOL, type CopyAnswer, copyRequest, MAX_COPY_BYTES } from "../node/copy-protocol.ts";
import { type Held, missing, superfluous, type Wanted, wantedOf } from "./replica-plan.ts";
import { fillsUp } from "../node/results.ts";
import { isOfUse } from "../node/retention.ts";

/** Copies at the same time, and waiting. */
const COPIES_AT_ONCE = 2;
const COPIES_WAITING = 32;

/** Requests that this process makes of itself. */
const OWN: Pick<Requester, "peer" | "address"> = { peer: "", address: "" };

/** What of a lease its holders should have copies of, and whether this node is one, at one block. */
export interface CopyView {
  /** Undefined if there is none with this id. */
  readonly lease: Lease | undefined;
  /** Its node. */
  readonly producer: Node | undefined;
  readonly self: Node | undefined;
  readonly newest: readonly Checkpoint[];
  /** Nodes that its producer asks for copies. */
  readonly holders: readonly number[];
}

/** What replicas are kept with. */
export interface ReplicaContext {
  readonly store: Pick<
    CheckpointStore,
    "fetch" | "handle" | "list" | "unpin" | "collectGarbage" | "usedBytes" | "maxBytes"
  >;
  readonly logger: Logger;
  readonly nodeId: number;
  /** Bytes of the largest checkpoint, or result, of others that this node copies. */
  readonly maxCheckpointBytes: number;
  /** Looks at the chain for a lease that copies are asked of. */
  readonly look: (leaseId: number) => Promise<CopyView & { readonly now: number }>;
  /** Why the machine can take nothing in now; undefined if it can. */
  readonly full: () => string | undefined;
}

/**
 * Keeps copies of other nodes' results and newest two checkpoints, so that what a node made outlives it: those that their
 * producers ask for and that the chain says this node is a holder of. What is copied the chain names, so that nobody can have
 * anything else brought here; it is verified block by block as it comes.
 */
export class Replicas {
  readonly #context: ReplicaContext;
  readonly #copies: Copies;
  readonly #from = new Map<string, readonly string[]>();
  readonly #peers = new Budget({ perSecond: 2, burst: 20 });
  readonly #addresses = new Budget({ perSecond: 20, burst: 100 });
  readonly #all = new Budget({ perSecond: 20, burst: 100, maxNames: 1 });
  readonly #leases = new Budget({ perSecond: 1, burst: 4 });

  constructor(context: ReplicaContext) {
    this.#context = context;
    const copy: Copy = (wanted, signal, onBytes) => this.#copy(wanted, signal, onBytes);
    this.#copies = new Copies(copy, { atOnce: COPIES_AT_ONCE, waiting: COPIES_WAITING });
  }

  /** Begins to answer requests. */
  async serve(): Promise<void> {
    const bounds = { maxBytes: MAX_COPY_BYTES, timeout: ANSWER_MS };
    await this.#context.store.handle(COPY_PROTOCOL, (body, requester) => this.answer(body, requester), bounds);
  }

  /** Ends copies under way. */
  async stop(): Promise<void> {
    await this.#copies.stop();
  }

  /**
   * Answers one request. In this order, the cheap before the dear: shape, budgets, and only then the chain.
   *
   * @throws CheckpointError `BUSY` if the peer, its address or the lease asks too often.
   */
  async answer(body: unknown, requester: Pick<Requester, "peer" | "address"> = OWN): Promise<CopyAnswer> {
    const parsed = copyRequest.safeParse(body);
    if (!parsed.success) return refuse("the request is malformed");
    const { leaseId } = parsed.data;
    const isTaken =
      this.#peers.take(requester.peer) &&
      this.#addresses.take(requester.address) &&
      this.#leases.take(String(leaseId)) &&
      this.#all.take("");
    if (!isTaken) throw new CheckpointError("BUSY", "too many requests for copies: ask again in a second");
    const { nodeId, maxCheckpointBytes, store, full } = this.#context;
    let view: Awaited<ReturnType<ReplicaContext["look"]>>;
    try {
      view = await this.#context.look(leaseId);
    } catch (error) {
      // The chain could not be asked: that says nothing about the lease.
      if (!(error instanceof ChainError)) throw error;
      return refuse(`this node cannot look at the chain now: ${error.message}`);
    }
    const why = copyRefusal(leaseId, view, view.now) ?? full();
    if (why !== undefined || !view.lease) return refuse(why ?? "");
    const wanted = wantedOf(view.lease, view.newest);
    const tooLarge = wanted.find(({ size }) => size > maxCheckpointBytes);
    if (tooLarge) {
      return refuse(`${String(tooLarge.size)} bytes exceed the ${String(maxCheckpointBytes)} that this node copies`);
    }
    const lacking = missing(new Map([[leaseId, wanted]]), this.#held(), maxCheckpointBytes);
    if (lacking.length > 0 && view.lease.status === "paid" && fillsUp(store)) {
      return refuse(`the store of node ${String(nodeId)} fills up: results that were paid for are not taken`);
    }
    const newest = view.newest[0]?.progress ?? 0;
    const from = view.producer?.endpoint.split(",").filter((address) => address !== "") ?? [];
    for (const [i, { cid, size }] of lacking.entries()) {
      this.#from.set(cid, from);
      const state = await this.#copies.ask(
        { leaseId, cid, size, fence: view.lease.fence, progress: newest + lacking.length - i },
        i === 0 ? WAIT_MS : 0,
      );
      // An older one that nobody has any longer is no reason to ask somebody else for the newest.
      if (state.kind === "copying" || (cid === wanted[0]?.cid && state.kind !== "held")) return answerOf(state);
    }
    return { kind: "held" };
  }

  /**
   * Lets go of what is no longer wanted.
   *
   * @param leases Those that replicas here are of and that are still of use.
   * @param looked All that these were chosen from: replicas of others came later, and stay.
   */
  async tidy(
    reader: Pick<Reader, "newestCheckpoints">,
    block: BlockReference,
    leases: readonly Lease[],
    looked: ReadonlySet<number>,
  ): Promise<void> {
    const { store } = this.#context;
    const held = this.#held().filter(({ leaseId }) => looked.has(leaseId));
    const here = new Set(held.map(({ leaseId }) => leaseId));
    const ofUse = leases.filter(({ id }) => here.has(id));
    const wanted = new Map<number, readonly Wanted[]>(
      await Promise.all(
        ofUse.map(async (lease) => {
          const newest = lease.status === "paid" ? [] : await reader.newestCheckpoints(block, lease.id);
          return [lease.id, wantedOf(lease, newest)] as const;
        }),
      ),
    );
    const gone = superfluous(wanted, held);
    for (const { leaseId, cid } of gone) await store.unpin(cid, replicaLabel(leaseId));
    if (gone.length > 0) await store.collectGarbage();
  }

  async #copy({ leaseId, cid, size }: Parameters<Copy>[0], signal: AbortSignal, onBytes: (bytes: number) => void) {
    const label = replicaLabel(leaseId);
    const from = this.#from.get(cid) ?? [];
    this.#from.delete(cid);
    await this.#context.store.fetch(cid, {
      ...{ signal, from, timeout: COPY_MS, stallTimeout: STALL_MS, maxBytes: size, pin: label },
      onProgress: ({ bytes }) => {
        onBytes(bytes);
      },
    });
    this.#context.logger.info({ cid, label }, "replica stored");
  }

  #held(): Held[] {
    return this.#context.store.list().flatMap(({ cid, labels }) =>
      labels.flatMap((label) => {
        const leaseId = /^replica-(\d+)$/.exec(label)?.[1];
        return leaseId === undefined ? [] : [{ leaseId: Number(leaseId), cid: cid.toString() }];
      }),
    );
  }
}

/** Why a node should not copy what a lease leaves; undefined if it should. Pure. @param now Chain time, seconds. */
function copyRefusal(leaseId: number, { lease, producer, self, holders }: CopyView, now: number): string | undefined {
  const name = `lease ${String(leaseId)}`;
  if (!lease) return `${name} does not exist at the block that this node sees`;
  if (!self || self.status !== "active") return `this node is ${self?.status ?? "not registered"}`;
  if (producer?.id === self.id) return `node ${String(self.id)} made ${name}'s work itself`;
  if (!holders.includes(self.id)) {
    return `node ${String(self.id)} is no holder of ${name}, whose holders are ${holders.join(", ") || "none"} now`;
  }
  return isOfUse(lease, now) ? undefined : `${name} is ${lease.status}, and its copies are no longer of use`;
}

function answerOf(state: CopyState): CopyAnswer {
  if (state.kind === "copying") return { kind: "copying", bytes: state.bytes, total: state.total };
  return refuse(state.kind === "held" ? "" : state.why);
}

function refuse(why: string): CopyAnswer {
  return { kind: "refused", why: why.slice(0, 1_000) };
}

/** Label of the pins of replicas. */
function replicaLabel(leaseId: number): string {
  return `replica-${String(leaseId)}`;
}
