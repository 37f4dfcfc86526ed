import type { Interface } from "ethers";

import { AUDIT_STATUSES, type AuditStatus, enumName } from "@verai/client/enums";
import { type Link, linkHash, NO_HEAD } from "@verai/protocol/audits/segments";
import type { ProvedOpening } from "@verai/protocol/audits/trace";

/** How transactions and reads go out. */
export interface Door {
  readonly now: () => Promise<number>;
  /** Sends what the contracts may refuse. @returns Whether they took it. */
  readonly send: (from: string, to: string, data: string) => Promise<boolean>;
  /** Sends without asking first. @returns Whether it went through. */
  readonly attempt: (from: string, to: string, data: string) => Promise<boolean>;
  /** Sends what must not fail. */
  readonly must: (from: string, to: string, data: string) => Promise<void>;
  readonly call: (to: string, data: string) => Promise<string>;
}

/** A segment as the contract takes it. */
export interface Segment {
  readonly leaseId: number;
  /** What its draws follow from; undefined until a seed has decided on it. */
  salt?: string;
  readonly before: Link;
  readonly end: Link;
}

/** What a node answers. */
export interface Answer {
  readonly answer: string;
  readonly fresh: string;
  readonly vouched: boolean;
  readonly salt: string;
}

/** An audit as far as its players read it. */
export interface AuditState {
  readonly status: AuditStatus;
  readonly tries: number;
  readonly verifierId: number;
  readonly due: number;
  /** Basis points. */
  readonly chance: number;
}

/** A panel likewise. */
export interface PanelState {
  readonly round: number;
  readonly first: number;
  readonly members: readonly { readonly nodeId: number; readonly committed: boolean; readonly revealed: boolean }[];
}

/** Leases that are tried as the reason of an epoch. */
const EPOCH_TRIES = 8;

type Contracts = Readonly<Record<Name, { readonly interface: Interface; getAddress(): Promise<string> }>>;
type Name = "audits" | "auditEpochs" | "checkpoints" | "coordinator" | "seeds" | "leases" | "vault";

/** The contracts of audits as players use them; the only file that knows their signatures. */
export class AuditContracts {
  readonly #contracts: Contracts;
  readonly #door: Door;
  readonly #addresses = new Map<Name, string>();

  constructor(contracts: Contracts, door: Door) {
    this.#contracts = contracts;
    this.#door = door;
  }

  /** A node posts a checkpoint with its trace root; `link.at` is left to the block. */
  async postTraced(operator: string, lease: { id: number; fence: number }, link: Omit<Link, "at">): Promise<boolean> {
    const { digest, codec, progress, size, traceRoot } = link;
    const claim = { leaseId: lease.id, fence: lease.fence, digest, codec, progress, size };
    return this.#attempt("checkpoints", operator, "postTraced", [claim, traceRoot, []]);
  }

  /** A node verifies for others from now on. */
  async enlist(operator: string, nodeId: number): Promise<void> {
    await this.#must("auditEpochs", operator, "enlist", [nodeId, true]);
  }

  /**
   * Asks for a seed for what was posted since the last one.
   *
   * @param leaseIds - Leases that have posted since; the contract wants one whose newest checkpoint is not decided on.
   * @returns Whether it was time.
   */
  async openEpoch(from: string, leaseIds: readonly number[]): Promise<boolean> {
    for (const leaseId of leaseIds.slice(-EPOCH_TRIES)) {
      if (await this.#send("auditEpochs", from, "openEpoch", [leaseId])) return true;
    }
    return false;
  }

  /** The oracle answers the newest epoch. @returns Its number and what it decides on, with its seed. */
  async seedEpoch(payer: string, word: bigint): Promise<{ id: number; from: number; to: number; seed: string }> {
    const id = Number((await this.#read("auditEpochs", "epochCount", []))[0]);
    const [epoch] = await this.#read<{ from: bigint; to: bigint; requestId: bigint }>("auditEpochs", "epoch", [id]);
    const seeds = await this.#address("seeds");
    await this.#must("coordinator", payer, "fulfillRandomWordsWithOverride", [epoch.requestId, seeds, [word]]);
    const [seed] = await this.#read<string>("seeds", "seedOf", [epoch.requestId]);
    return { id, from: Number(epoch.from), to: Number(epoch.to), seed };
  }

  /** What audits go by. */
  async terms(): Promise<{ epoch: number; step: number; chance: number; newChance: number; loss: number }> {
    const [terms] = await this.#read<Record<"epoch" | "step" | "chance" | "newChance" | "loss", bigint>>(
      "auditEpochs",
      "terms",
      [],
    );
    const { epoch, step, chance, newChance, loss } = terms;
    return {
      epoch: Number(epoch),
      step: Number(step),
      chance: Number(chance),
      newChance: Number(newChance),
      loss: Number(loss),
    };
  }

  /** Probability with which a segment is drawn, basis points. */
  async chanceOf(segment: Segment): Promise<number> {
    return Number((await this.#read<bigint>("audits", "chanceOf", [salted(segment)]))[0]);
  }

  /** Opens the audit of a segment. @param later Links after it. @returns Whether the contract says that it was drawn. */
  async open(from: string, segment: Segment, head: string, later: readonly Link[], epochId: number): Promise<boolean> {
    return this.#send("audits", from, "open", [
      { segment: salted(segment), head, later: later.map(linkHash) },
      epochId,
    ]);
  }

  /** Whether {@link open} would be refused. */
  async isRefused(segment: Segment, head: string, later: readonly Link[], epochId: number): Promise<boolean> {
    try {
      await this.#read("audits", "open", [{ segment: salted(segment), head, later: later.map(linkHash) }, epochId]);
      return false;
    } catch {
      return true;
    }
  }

  async commit(operator: string, { leaseId, end }: Segment, word: string): Promise<boolean> {
    return this.#attempt("audits", operator, "commit", [leaseId, end.sequence, word]);
  }

  /** The verifier shows that it has found what was posted. */
  async confirm(operator: string, segment: Segment, opened: ProvedOpening): Promise<boolean> {
    return this.#attempt("audits", operator, "confirm", [salted(segment), ...wordsOf(opened)]);
  }

  async openTrace(operator: string, segment: Segment, opened: ProvedOpening): Promise<boolean> {
    return this.#attempt("audits", operator, "openTrace", [salted(segment), ...wordsOf(opened)]);
  }

  async reveal(operator: string, segment: Segment, given: Answer, producerAnswer: string): Promise<boolean> {
    return this.#attempt("audits", operator, "reveal", [salted(segment), given, producerAnswer]);
  }

  async commitVote(operator: string, { leaseId, end }: Segment, place: number, word: string): Promise<boolean> {
    return this.#attempt("audits", operator, "commitVote", [leaseId, end.sequence, place, word]);
  }

  async revealVote(operator: string, segment: Segment, place: number, given: Answer): Promise<boolean> {
    return this.#attempt("audits", operator, "revealVote", [salted(segment), place, given]);
  }

  /** Moves on an audit whose step is over. */
  async close(from: string, segment: Segment): Promise<boolean> {
    return this.#attempt("audits", from, "close", [salted(segment)]);
  }

  /** Lets a delivery wait for an audit. */
  async holdPayment(from: string, { leaseId, end }: Segment): Promise<boolean> {
    return this.#send("audits", from, "holdPayment", [leaseId, end.sequence]);
  }

  /** Settles with a member of a panel. */
  async collect(from: string, segment: Segment, place: number): Promise<boolean> {
    return this.#attempt("audits", from, "collect", [salted(segment), place]);
  }

  async auditOf({ leaseId, end }: Segment): Promise<AuditState> {
    const [audit] = await this.#read<Record<"status" | "tries" | "verifierId" | "due" | "chance", bigint>>(
      "audits",
      "auditOf",
      [leaseId, end.sequence],
    );
    return {
      status: enumName(AUDIT_STATUSES, audit.status),
      tries: Number(audit.tries),
      verifierId: Number(audit.verifierId),
      due: Number(audit.due),
      chance: Number(audit.chance),
    };
  }

  async panelOf({ leaseId, end }: Segment): Promise<PanelState> {
    const [panel] = await this.#read<{
      round: bigint;
      first: bigint;
      members: readonly { nodeId: bigint; word: string; group: string }[];
    }>("audits", "panelOf", [leaseId, end.sequence]);
    return {
      round: Number(panel.round),
      first: Number(panel.first),
      members: panel.members.map(({ nodeId, word, group }) => ({
        nodeId: Number(nodeId),
        committed: word !== NO_HEAD,
        revealed: group !== NO_HEAD,
      })),
    };
  }

  /** Audits of a node's segments that passed, and since when it is no longer new; 0: it is. */
  async standingOf(nodeId: number): Promise<{ passed: number; provenAt: number }> {
    const [standing] = await this.#read<{ passed: bigint; provenAt: bigint }>("audits", "standingOf", [nodeId]);
    return { passed: Number(standing.passed), provenAt: Number(standing.provenAt) };
  }

  /** Wei of stake of a node. */
  async stakeOf(nodeId: number): Promise<bigint> {
    return (await this.#read<bigint>("vault", "stakeOf", [nodeId]))[0];
  }

  async #send(name: Name, from: string, method: string, args: unknown[]): Promise<boolean> {
    return this.#door.send(from, await this.#address(name), this.#encode(name, method, args));
  }

  async #attempt(name: Name, from: string, method: string, args: unknown[]): Promise<boolean> {
    return this.#door.attempt(from, await this.#address(name), this.#encode(name, method, args));
  }

  async #must(name: Name, from: string, method: string, args: unknown[]): Promise<void> {
    await this.#door.must(from, await this.#address(name), this.#encode(name, method, args));
  }

  async #read<T = bigint>(name: Name, method: string, args: unknown[]): Promise<[T]> {
    const data = await this.#door.call(await this.#address(name), this.#encode(name, method, args));
    return this.#contracts[name].interface.decodeFunctionResult(method, data) as unknown as [T];
  }

  #encode(name: Name, method: string, args: unknown[]): string {
    return this.#contracts[name].interface.encodeFunctionData(method, args);
  }

  async #address(name: Name): Promise<string> {
    const known = this.#addresses.get(name) ?? (await this.#contracts[name].getAddress());
    this.#addresses.set(name, known);
    return known;
  }
}

function salted({ leaseId, salt = NO_HEAD, before, end }: Segment) {
  return { leaseId, salt, before, end };
}

/** An opening as the contract takes it. */
function wordsOf({ units, place, unit, count, probe, end, probePath, endPath, unitPath }: ProvedOpening) {
  const opening = {
    ...{ units, place, unit, count, probeStep: probe.step, probeDigest: probe.digest },
    ...{ endStep: end.step, endDigest: end.digest },
  };
  return [opening, { probe: probePath, end: endPath, unit: unitPath }];
}
