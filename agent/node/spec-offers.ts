import { dataSlice, getAddress, type Signer, type TypedDataDomain, zeroPadValue } from "ethers";

import type { BlockReference } from "@verai/client/block-reference";
import type { ContentAccess } from "@verai/client/content-access";
import { ChainError } from "@verai/client/errors";
import { LogScanner } from "@verai/client/event-logs";
import {
  MAX_OFFER_BYTES,
  MAX_OFFER_MESSAGE,
  OFFER_PROTOCOL,
  OFFER_SECONDS,
  type OfferAnswer,
  offerRequest,
  offerSubject,
  signSpecHolding,
  type SpecReceipt,
} from "@verai/client/offer-protocol";
import { answer, blockTag } from "@verai/client/readers";
import type { Session } from "@verai/client/session";
import { CheckpointError } from "@verai/checkpoint-store/errors";
import type { Requester } from "@verai/checkpoint-store/messages/messenger";
import type { CheckpointStore } from "@verai/checkpoint-store/store";
import { parseSpec } from "@verai/executor/spec";
import { checkpointCid, toChainCid } from "@verai/protocol/checkpoints/cid";
import { specHolders } from "@verai/protocol/checkpoints/task-holders";
import type { Logger } from "@verai/process/logger";
import { Budget } from "@verai/system/budget";
import type { Specs } from "../lease/specs.ts";
import { ANSWER_MS } from "../replication/copy-times.ts";
import type { DiskSpace } from "./disk.ts";

/** Specs without a task that are held for one node's door, and for all: 64 MiB. */
const [MAX_OF_ONE, MAX_OF_ALL] = [256, 1_024];
/** Chain time after a receipt's end for which a spec stays: a task that was submitted in time may be seen late, seconds. */
const LATE_SECONDS = 120;
/** Blocks that a first look goes back, and that each look repeats: an endpoint may lag, a block may be replaced. */
const [FIRST_BLOCKS, AGAIN_BLOCKS] = [2_000, 64];

/** What a node holds specs for tasks that have not come yet with. */
export interface SpecOfferContext {
  readonly session: Pick<Session, "reader" | "provider" | "contracts">;
  readonly store: Pick<CheckpointStore, "addFile" | "handle" | "list" | "unpin" | "collectGarbage">;
  readonly access: Pick<ContentAccess, "sender">;
  readonly specs: Pick<Specs, "bytes">;
  readonly signer: Pick<Signer, "signTypedData">;
  readonly domain: TypedDataDomain;
  readonly nodeId: number;
  readonly disk: Pick<DiskSpace, "look">;
  readonly logger: Logger;
}

/** A spec that is held for a task that has not come yet, as the label of its pin says. */
interface Offer {
  readonly cid: string;
  readonly digest: string;
  readonly label: string;
  /** The node that asked for it. */
  readonly from: number;
  /** Until when it is promised, chain time, seconds. */
  readonly until: number;
  /** Who is going to submit it, in lower case. */
  readonly owner: string;
}

/**
 * Holds specs before their tasks exist, so that anyone who submits one from a browser has nothing to keep running: a node with a door asks
 * for it with its operator key, those nodes hold that the spec's digest draws, and each signs until when. A node is staked, and can have
 * a bounded number of specs without a task held; a spec that no task names in time is let go.
 */
export class SpecOffers {
  readonly #context: SpecOfferContext;
  readonly #scanner: LogScanner;
  readonly #all = new Budget({ perSecond: 20, burst: 120, maxNames: 1 });
  #cursor: number | undefined;

  constructor(context: SpecOfferContext) {
    this.#context = context;
    this.#scanner = new LogScanner(context.session.provider);
  }

  /** Begins to answer. */
  async serve(): Promise<void> {
    const bounds = { maxBytes: MAX_OFFER_MESSAGE, timeout: ANSWER_MS };
    await this.#context.store.handle(OFFER_PROTOCOL, (body, requester) => this.answer(body, requester), bounds);
  }

  /** Answers one request; whatever is wrong with it is said in a refusal. */
  async answer(body: unknown, { peer, prove }: Pick<Requester, "peer" | "prove">): Promise<OfferAnswer> {
    const parsed = offerRequest.safeParse(body);
    if (!parsed.success) return refuse("the request is malformed");
    const { owner, proof } = parsed.data;
    const spec = new Uint8Array(Buffer.from(parsed.data.spec, "base64"));
    if (spec.byteLength > MAX_OFFER_BYTES) return refuse(tooLong(spec.byteLength));
    const cid = checkpointCid(spec).toString();
    const { access, session, nodeId } = this.#context;
    const sender = await access.sender({ root: offerSubject(cid), peer }, proof);
    if ("wrong" in sender) return refuse(sender.wrong);
    const { address } = sender;
    if (address === undefined) return refuse("the request proves no key");
    if (!this.#all.take("")) throw new CheckpointError("BUSY", "too many specs are offered: ask again in a second");
    try {
      const { reader } = session;
      const block = await reader.block();
      const asks = await reader.nodeOfOperator(block, address);
      const node = asks === undefined ? undefined : await reader.node(block, asks);
      if (node?.status !== "active") return refuse(`${getAddress(address)} is the operator of no active node`);
      const self = await reader.node(block, nodeId);
      if (self?.status !== "active") return refuse(`this node is ${self?.status ?? "not registered"}`);
      prove();
      return await this.hold(spec, owner, node.id, block);
    } catch (error) {
      if (!(error instanceof ChainError)) throw error;
      return refuse(`this node cannot look at the chain now: ${error.message}`);
    }
  }

  /**
   * Holds a spec, durably, and signs for it.
   *
   * @param owner Who is going to submit it.
   * @param from The node that asks, whose quota it counts to.
   * @param block The newest.
   */
  async hold(spec: Uint8Array, owner: string, from: number, block: BlockReference): Promise<OfferAnswer> {
    const { store, session, nodeId, disk, signer, domain } = this.#context;
    const cid = checkpointCid(spec);
    const { digest } = toChainCid(cid);
    try {
      parseSpec(spec);
    } catch (error) {
      return refuse(error instanceof Error ? error.message : String(error));
    }
    const count = Number(await answer(session.contracts.nodes.nodeCount(blockTag(block))));
    if (!specHolders(digest, count).includes(nodeId)) return refuse(`node ${String(nodeId)} is not drawn for it`);
    const offers = this.#offers();
    const before = offers.filter((each) => each.from === from && each.digest === digest);
    if (before.length === 0 && offers.filter((each) => each.from === from).length >= MAX_OF_ONE) {
      return refuse(`${String(MAX_OF_ONE)} specs of node ${String(from)}'s door wait for their tasks here already`);
    }
    if (before.length === 0 && offers.length >= MAX_OF_ALL) {
      return refuse(`${String(MAX_OF_ALL)} specs wait for their tasks here already`);
    }
    const full = await disk.look();
    if (full !== undefined) return refuse(full);
    const until = block.timestamp + OFFER_SECONDS;
    const label = labelOf(from, until, owner);
    await store.addFile(spec, { pin: label });
    // Who offers it again has it held longer, not twice.
    for (const each of before) {
      if (each.owner === owner.toLowerCase() && each.label !== label) await store.unpin(each.cid, each.label);
    }
    const signature = await signSpecHolding(signer, domain, { spec: digest, owner, nodeId, until });
    const receipt: SpecReceipt = { nodeId, until, signature };
    return { kind: "held", receipt };
  }

  /** Keeps for their tasks what was submitted by now, and lets go of what was not in time. O(pins); no call while nothing waits. */
  async tidy(block: BlockReference): Promise<void> {
    const { store, logger } = this.#context;
    const offers = this.#offers();
    if (offers.length === 0) {
      this.#cursor = undefined;
      return;
    }
    const tasks = await this.#submitted(block, [...new Set(offers.map(({ owner }) => owner))]);
    let gone = 0;
    for (const { cid, digest, label, owner, until } of offers) {
      const taskIds = tasks.get(`${owner} ${digest}`) ?? [];
      for (const taskId of taskIds) await this.#keepFor(taskId, block);
      if (taskIds.length === 0 && block.timestamp <= until + LATE_SECONDS) continue;
      await store.unpin(cid, label);
      gone += 1;
      logger.debug({ spec: cid, tasks: taskIds }, taskIds.length > 0 ? "an offered spec has its task" : "no task came");
    }
    if (gone > 0) await store.collectGarbage();
  }

  async #keepFor(taskId: number, block: BlockReference): Promise<void> {
    const { session, specs } = this.#context;
    const task = await session.reader.task(block, taskId);
    if (!task || task.status === "ended") return;
    await specs.bytes(task.spec, ANSWER_MS, AbortSignal.timeout(ANSWER_MS), { taskId });
    this.#context.logger.info({ task: taskId }, "the spec of a task is held from before it was submitted");
  }

  /** Tasks that these owners have submitted lately, by owner and digest. */
  async #submitted(block: BlockReference, owners: readonly string[]): Promise<Map<string, number[]>> {
    const { session } = this.#context;
    const { tasks } = session.contracts;
    const address = [await tasks.getAddress()];
    const topics = [
      [tasks.interface.getEvent("TaskSubmitted").topicHash],
      null,
      owners.map((owner) => zeroPadValue(owner, 32)),
    ];
    const from = Math.max(
      0,
      Math.min(this.#cursor ?? Infinity, block.number) - (this.#cursor === undefined ? FIRST_BLOCKS : AGAIN_BLOCKS),
    );
    const found = new Map<string, number[]>();
    for (const log of await this.#scanner.scan({ address, topics }, from, block.number)) {
      const [, task = "0x0", owner = ""] = log.topics;
      const key = `${dataSlice(owner, 12)} ${dataSlice(log.data, 0, 32)}`;
      found.set(key, [...(found.get(key) ?? []), Number(task)]);
    }
    this.#cursor = block.number;
    return found;
  }

  #offers(): Offer[] {
    return this.#context.store.list().flatMap(({ cid, labels }) =>
      labels.flatMap((label): Offer[] => {
        const [, from, until, owner = ""] = LABEL.exec(label) ?? [];
        if (from === undefined) return [];
        const { digest } = toChainCid(cid);
        return [{ cid: cid.toString(), digest, label, from: Number(from), until: Number(until), owner }];
      }),
    );
  }
}

const LABEL = /^offer-(\d+)-(\d+)-(0x[0-9a-f]{40})$/;

function labelOf(from: number, until: number, owner: string): string {
  return `offer-${String(from)}-${String(until)}-${owner.toLowerCase()}`;
}

function tooLong(bytes: number): string {
  return `the spec has ${String(bytes)} bytes, and at most ${String(MAX_OFFER_BYTES)} are held: move data to inputs`;
}

function refuse(why: string): OfferAnswer {
  return { kind: "refused", why: why.slice(0, 1_000) };
}
