import { concat, Interface, TypedDataEncoder, type TypedDataDomain, verifyTypedData } from "ethers";
import { z } from "zod";

import { fromChainCid } from "@verai/protocol/checkpoints/cid";
import { taskHolders } from "@verai/protocol/checkpoints/task-holders";
import { Budget } from "@verai/system/budget";
import { monotonicMs } from "@verai/system/clock";
import { verifies } from "./audit-reads.ts";
import type { BlockReference } from "./block-reference.ts";
import { CONTENT_REQUEST_TYPES, PROOF_SECONDS } from "./content-proof.ts";
import type { Lease, Node, Task } from "./entities.ts";
import { ChainError } from "./errors.ts";
import { answer, blockTag, type Reader } from "./readers.ts";

/** How far the clocks of two machines may be apart, seconds. */
const SKEW_SECONDS = 120;
/** Proofs that are used again while they count for so many seconds more. */
const MARGIN_SECONDS = 120;
const MAX_PROOFS = 1_024;
/** Holders of a lease that may read what it leaves, beyond those that sign for its checkpoints. */
const HOLDER_RANKS = 4;
/** Labels of one content that are looked at. */
const MAX_SUBJECTS = 8;

const ACCOUNT = new Interface(["function isValidSignature(bytes32 hash, bytes signature) view returns (bytes4)"]);
/** What an account that is a contract answers to a signature of its own (ERC-1271), and what it may take to say so. */
const [IS_VALID, MAX_CHECK_GAS] = ["0x1626ba7e", 1_000_000n];
/** Hexadecimal digits of an account's signature at most. */
const MAX_ACCOUNT_SIGNATURE = 6_000;

/**
 * A proof that the holder of a key wants some content: signed for the peer id that asks and until a time, so that it is of no use to
 * another peer, for other content, or later. `lease` is a lease of its node under which it wants it, or, with `audit`, one of which it
 * verifies that segment; both are looked up, not believed. `account` is a contract in whose name it is signed, which is asked (ERC-1271).
 */
const proof = z.strictObject({
  until: z.number().int().positive(),
  signature: z
    .string()
    .max(MAX_ACCOUNT_SIGNATURE)
    .regex(/^0x(?:[0-9a-f]{2})+$/i, { error: "has to be in hexadecimal" }),
  account: z
    .string()
    .regex(/^0x[0-9a-fA-F]{40}$/)
    .optional(),
  lease: z
    .number()
    .int()
    .positive()
    .max(2 ** 32 - 1)
    .optional(),
  audit: z
    .number()
    .int()
    .positive()
    .max(2 ** 32 - 1)
    .optional(),
});

/** Why a node wants some content: a lease of its own, or one of which it verifies the segment `audit`. */
export interface Claimed {
  readonly lease?: number | undefined;
  readonly audit?: number | undefined;
}

/** JSON that goes over the wire. */
type Wire = null | { readonly [key: string]: string | number };

/** What content belongs to, by the label of its pin. */
export type Subject =
  | { readonly kind: "spec" | "input"; readonly taskId: number }
  | { readonly kind: "offer"; readonly root: string }
  | { readonly kind: "work" | "exchange" | "log"; readonly leaseId: number };

/** Label of the pins of a task's spec, and of what it names as inputs. */
export function taskLabel(kind: "spec" | "input", taskId: number): string {
  return `${kind}-${String(taskId)}`;
}

/** What content belongs to. Labels of another form are no reason for anybody. Pure. @param root Its CID. */
export function subjectsOf(labels: readonly string[], root = ""): Subject[] {
  return labels.flatMap((label): Subject[] => {
    // A spec that is held for a task that has not been seen yet.
    if (label.startsWith("offer-")) return [{ kind: "offer", root }];
    const [, name, id] =
      /^(spec|input|checkpoint|attested|replica|result|exchange)-([1-9]\d{0,9})(?:$|-)/.exec(label) ?? [];
    if (name === undefined) return [];
    if (name === "spec" || name === "input") return [{ kind: name, taskId: Number(id) }];
    return [{ kind: name === "exchange" ? name : "work", leaseId: Number(id) }];
  });
}

/** What a task's spec says about who may read. */
export interface Readers {
  /** Anyone who asks. */
  readonly public?: boolean | undefined;
  /** Addresses that the developer has named. */
  readonly readers?: readonly string[] | undefined;
}

/** What access is decided with. */
export interface ContentAccessParts {
  readonly reader: Reader;
  /** Binds proofs to this chain and deployment. */
  readonly domain: TypedDataDomain;
  /** The own key; left out: nothing is proved. */
  readonly signer?: {
    signTypedData(domain: TypedDataDomain, types: typeof CONTENT_REQUEST_TYPES, value: object): Promise<string>;
  };
  /**
   * What a task's spec says about who may read; undefined if that is not known here.
   *
   * @param leaseId Lease of the task whose content is asked for, if it is one's.
   */
  readonly readersOf?: (task: Task, leaseId: number | undefined) => Promise<Readers | undefined>;
  /** Time, seconds since 1970. */
  readonly clock?: () => number;
}

/**
 * Who may read what belongs to a task, by what the chain says: its developer, and keys that its spec names; of a lease's work the
 * lease's node while it has the lease, its holders, the node that has a lease of the same units now, and those that verify a segment of them; of spec and inputs every node that has a
 * lease of the task, and the nodes that hold them for it. A node that lost its lease has no reason any longer. Fits
 * `CheckpointStoreOptions.access`.
 */
export class ContentAccess {
  readonly #parts: ContentAccessParts;
  readonly #clock: () => number;
  /** By peer and content. */
  readonly #proofs = new Map<string, { readonly until: number; readonly signature: Promise<string> }>();
  /** Signatures checked for all: one takes about a millisecond. */
  readonly #checks = new Budget({ perSecond: 100, burst: 400, maxNames: 1 });
  /** Looks at the chain, for one key and for all. */
  readonly #looks = new Budget({ perSecond: 5, burst: 60 });
  readonly #allLooks = new Budget({ perSecond: 40, burst: 400, maxNames: 1 });
  /** Contracts asked about signatures, for one and for all. */
  readonly #asked = new Budget({ perSecond: 1, burst: 20 });
  readonly #allAsked = new Budget({ perSecond: 20, burst: 200, maxNames: 1 });
  #nodeCount: { readonly at: number; readonly count: number } | undefined;
  /** Proofs of others for whom content is fetched, by content. */
  readonly #lent = new Map<string, Wire>();

  constructor(parts: ContentAccessParts) {
    this.#parts = parts;
    this.#clock = parts.clock ?? (() => Math.floor(Date.now() / 1000));
  }

  /**
   * Proves the own key to others.
   *
   * @param hint Id of the own lease for which the content is wanted; {@link Claimed} where it is to verify; or null.
   */
  async prove({ root, peer }: { readonly root: string; readonly peer: string }, hint: unknown = null): Promise<Wire> {
    const lent = this.#lent.get(root);
    if (lent !== undefined) return lent;
    const { signer, domain } = this.#parts;
    if (!signer) return null;
    const now = this.#clock();
    const key = `${peer} ${root}`;
    let known = this.#proofs.get(key);
    if (!known || known.until < now + MARGIN_SECONDS) {
      const until = now + PROOF_SECONDS;
      known = { until, signature: signer.signTypedData(domain, CONTENT_REQUEST_TYPES, { peer, content: root, until }) };
      const [oldest] = this.#proofs.keys();
      if (this.#proofs.size >= MAX_PROOFS && oldest !== undefined) this.#proofs.delete(oldest);
      this.#proofs.set(key, known);
      known.signature.catch(() => this.#proofs.delete(key));
    }
    const { until, signature } = known;
    const claimed = typeof hint === "number" ? { lease: hint } : toClaimed(hint);
    return { until, signature: await signature, ...claimed };
  }

  /**
   * Shows another one's proof, which was made for this peer, while content is fetched in its name.
   *
   * @returns What `work` does.
   */
  async inNameOf<T>(root: string, given: unknown, work: () => Promise<T>): Promise<T> {
    const parsed = proof.parse(given);
    const { until, signature, account } = parsed;
    const wire = { until, signature, ...(account !== undefined && { account }) };
    this.#lent.set(root, wire);
    try {
      return await work();
    } finally {
      if (this.#lent.get(root) === wire) this.#lent.delete(root);
    }
  }

  /**
   * Whose key a proof shows. Reads nothing from the chain but where an account that is a contract has to be asked.
   *
   * @param peer Peer id of the connection that it came over.
   * @returns The address, undefined if no key is shown; or what is wrong.
   */
  async sender(
    { root, peer }: { readonly root: string; readonly peer: string },
    given: unknown,
  ): Promise<({ readonly address?: string } & Claimed) | { readonly wrong: string }> {
    if (given === null) return {};
    const parsed = proof.safeParse(given);
    if (!parsed.success) return { wrong: "the proof is malformed" };
    const { until, signature, lease, audit, account } = parsed.data;
    const now = this.#clock();
    if (until < now - SKEW_SECONDS) return { wrong: "the proof is over: check this machine's clock" };
    if (until > now + PROOF_SECONDS + SKEW_SECONDS)
      return { wrong: "the proof counts too long: check this machine's clock" };
    if (!this.#checks.take("")) return { wrong: "too many requests: ask again in a second" };
    const value = { peer, content: root, until };
    if (account !== undefined) {
      const wrong = await this.#askAccount(
        account,
        TypedDataEncoder.hash(this.#parts.domain, CONTENT_REQUEST_TYPES, value),
        signature,
      );
      return wrong === undefined ? { address: account.toLowerCase(), lease, audit } : { wrong };
    }
    try {
      const address = verifyTypedData(this.#parts.domain, CONTENT_REQUEST_TYPES, value, signature);
      return { address: address.toLowerCase(), lease, audit };
    } catch {
      return { wrong: "the proof is no signature" };
    }
  }

  /** Asks a contract whether a signature is its own. @returns why it does not count; undefined if it does. */
  async #askAccount(account: string, hash: string, signature: string): Promise<string | undefined> {
    if (!this.#asked.take(account.toLowerCase()) || !this.#allAsked.take("")) {
      return "too many requests: ask again in a second";
    }
    const data = ACCOUNT.encodeFunctionData("isValidSignature", [hash, signature]);
    const said = await this.#parts.reader.provider
      .call({ to: account, data, gasLimit: MAX_CHECK_GAS })
      .catch(() => "0x");
    const padded = concat([IS_VALID, new Uint8Array(28)]);
    return said.toLowerCase() === padded ? undefined : `the account ${account} does not know the signature as its own`;
  }

  /** Whether the sender of a proof may read content that is pinned under these labels; see `Access.refusal`. */
  async refusal(
    request: { readonly root: string; readonly peer: string },
    given: unknown,
    labels: readonly string[],
  ): Promise<string | undefined> {
    const sender = await this.sender(request, given);
    if ("wrong" in sender) return sender.wrong;
    const { address } = sender;
    // The same words whether it is here or not.
    const none = `no reason to read ${request.root} here`;
    const subjects = subjectsOf(labels, request.root).slice(0, MAX_SUBJECTS);
    if (subjects.length === 0) return none;
    if (!this.#looks.take(address ?? request.peer) || !this.#allLooks.take("")) {
      return "too many requests: ask again in a second";
    }
    try {
      for (const subject of subjects) if (await this.mayRead(address, subject, sender)) return undefined;
    } catch (error) {
      if (!(error instanceof ChainError)) throw error;
      return `this node cannot look at the chain now: ${error.message}`;
    }
    return none;
  }

  /**
   * Whether a key may read what belongs to a subject, by the newest block.
   *
   * @param address In lower case; undefined: no key.
   * @param claimed Its reason, as it says.
   */
  async mayRead(address: string | undefined, subject: Subject, claimed: Claimed = {}): Promise<boolean> {
    const { reader, readersOf } = this.#parts;
    const block = await reader.block();
    if (subject.kind === "offer") {
      // Who has a lease of a task with this spec is served before its holder has seen the task.
      const own = claimed.lease === undefined ? undefined : await this.#lease(block, claimed.lease);
      const named = own && (await reader.task(block, own.taskId));
      if (!named || fromChainCid(named.spec).toString() !== subject.root) return false;
      return this.mayRead(address, { kind: "spec", taskId: named.id }, claimed);
    }
    const lease = "leaseId" in subject ? await this.#lease(block, subject.leaseId) : undefined;
    const taskId = "taskId" in subject ? subject.taskId : lease?.taskId;
    const task = taskId === undefined ? undefined : await reader.task(block, taskId);
    if (!task) return false;
    if (address !== undefined) {
      if (task.owner.toLowerCase() === address) return true;
      // Logs are for the developer alone, and those named.
      const isForNodes = subject.kind !== "log";
      const nodeId = isForNodes ? await reader.nodeOfOperator(block, address) : undefined;
      const node = nodeId === undefined ? undefined : await reader.node(block, nodeId);
      if (node && node.status !== "withdrawn" && (await this.#worksFor(block, node, task, subject, lease, claimed))) {
        return true;
      }
    }
    const named = await readersOf?.(task, lease?.id);
    return named?.public === true || (named?.readers ?? []).some((each) => each.toLowerCase() === address);
  }

  /** Whether a node has a reason of its own. */
  async #worksFor(
    block: BlockReference,
    node: Node,
    task: Task,
    subject: Subject,
    lease: Lease | undefined,
    claimed: Claimed,
  ): Promise<boolean> {
    const claim = claimed.lease === undefined ? undefined : await this.#lease(block, claimed.lease);
    if (claim?.taskId === task.id && claimed.audit !== undefined) {
      const { reader } = this.#parts;
      const segment = { leaseId: claim.id, sequence: claimed.audit };
      // States of the same units, and what the task began from.
      const isOfIt = lease === undefined || (subject.kind === "work" && overlap(claim, lease));
      if (isOfIt && (await verifies(reader, block, segment, node.id))) return true;
    }
    const own = claim?.taskId === task.id && isWorkedOn(claim) ? claim : undefined;
    if (lease) {
      // Who gave a lease back has made what it left; who failed has no business with it any longer.
      if (lease.nodeId === node.id && !["expired", "rejected"].includes(lease.status)) return true;
      if (own?.nodeId === node.id && (subject.kind === "exchange" || overlap(own, lease))) return true;
      return this.#holds(block, node, lease);
    }
    if (own?.nodeId === node.id) return true;
    // A lease's holders learn from the spec who else may read what they hold.
    if (subject.kind === "spec" && own && (await this.#holds(block, node, own))) return true;
    if (task.status === "ended") return false;
    return taskHolders(task.id, await this.#nodes(block)).includes(node.id);
  }

  async #holds(block: BlockReference, node: Node, lease: Lease): Promise<boolean> {
    const { reader } = this.#parts;
    const [signing, copying] = await Promise.all([
      reader.holders(block, lease.id),
      reader.holders(block, lease.id, HOLDER_RANKS),
    ]);
    return [...signing, ...copying].some(({ nodeId }) => nodeId === node.id);
  }

  async #lease(block: BlockReference, leaseId: number): Promise<Lease | undefined> {
    return (await this.#parts.reader.leasesThatExist(block, [leaseId]))[0];
  }

  async #nodes(block: BlockReference): Promise<number> {
    const known = this.#nodeCount;
    if (known && monotonicMs() - known.at < 10_000) return known.count;
    const count = Number(await answer(this.#parts.reader.contracts.nodes.nodeCount(blockTag(block))));
    this.#nodeCount = { at: monotonicMs(), count };
    return count;
  }
}

/** A reason as a caller of a fetch names it; nothing of another form. */
function toClaimed(hint: unknown): Record<string, number> {
  const { lease, audit } = (typeof hint === "object" && hint !== null ? hint : {}) as Partial<Claimed>;
  return typeof lease === "number" && typeof audit === "number" ? { lease, audit } : {};
}

function isWorkedOn({ status }: Lease): boolean {
  return status === "active" || status === "moving";
}

function overlap(a: Lease, b: Lease): boolean {
  return a.start < b.start + b.count && b.start < a.start + a.count;
}
