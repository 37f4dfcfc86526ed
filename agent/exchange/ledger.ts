import type { SignedExchangeClaim } from "@verai/client/exchange-claim";
import type { Lease } from "@verai/client/entities";
import { EXCHANGE_KINDS, type ExchangeKind } from "@verai/executor/exchange";

/** Rounds whose files are kept, counted back from the newest record. */
const KEPT_ROUNDS = 4;
/** Different files of one unit for one purpose of a round: of earlier fences, and after it went on from another state. */
const MAX_VERSIONS = 4;
/** Rounds for which a unit has files of a kind, whatever records say. */
const MAX_ROUNDS = 2 * KEPT_ROUNDS;

/** A claim, with its place in the order in which this node learned of it. */
interface Entry {
  readonly seq: number;
  readonly claim: SignedExchangeClaim;
}

/** What claims are held against: the task's leases, and the operators of their nodes in lower case. */
export interface ClaimView {
  readonly taskId: number;
  readonly leases: ReadonlyMap<number, { readonly lease: Lease; readonly operator: string }>;
  /** Bytes of the largest file, as blocks. */
  readonly maxBytes: number;
}

/**
 * Why a claim does not count; undefined if it does. Pure. Whom it came from does not matter: a unit may pass on what others have
 * signed, also one that no longer has its lease.
 *
 * @param signer Who signed it, in lower case.
 */
export function claimRefusal(
  claim: SignedExchangeClaim,
  signer: string | undefined,
  view: ClaimView,
): string | undefined {
  const known = view.leases.get(claim.leaseId);
  const name = `lease ${String(claim.leaseId)}`;
  if (claim.taskId !== view.taskId) return `it is of task ${String(claim.taskId)}`;
  if (!known) return `${name} is none of the task's`;
  const { lease, operator } = known;
  if (claim.unit < lease.start || claim.unit >= lease.start + lease.count) {
    return `${name} has no unit ${String(claim.unit)}`;
  }
  const isWorkedOn = lease.status === "active" || lease.status === "moving";
  if (isWorkedOn ? claim.fence !== lease.fence : claim.fence > lease.fence) {
    return `${name} has fence ${String(lease.fence)}, not ${String(claim.fence)}`;
  }
  const kind = EXCHANGE_KINDS[claim.kind];
  if (kind === undefined) return `there is no kind ${String(claim.kind)}`;
  if (kind === "record" && claim.unit !== 0) return `unit ${String(claim.unit)} writes no records`;
  if (claim.size > view.maxBytes) {
    return `${String(claim.size)} bytes exceed the ${String(view.maxBytes)} of the spec's exchange.fileMiB`;
  }
  return signer === operator ? undefined : `it is not signed by the operator of node ${String(lease.nodeId)}`;
}

/** What the units of one task have published, as far as one node knows. In memory; bounded by units × kinds × rounds. */
export class ExchangeLedger {
  #entries: Entry[] = [];
  #seq = 0;

  /** @returns Whether it is new. */
  add(claim: SignedExchangeClaim): boolean {
    const { unit, kind, round } = claim;
    const same = this.#entries.filter(({ claim: each }) => each.unit === unit && each.kind === kind);
    const versions = same.filter((entry) => entry.claim.round === round);
    if (versions.some((entry) => isSame(entry.claim, claim))) return false;
    if (round <= this.newest - KEPT_ROUNDS && kindOf(claim) !== "record") return false;
    const rounds = [...new Set(same.map((entry) => entry.claim.round))].sort((a, b) => a - b);
    const [oldest] = rounds;
    if (versions.length === 0 && rounds.length >= MAX_ROUNDS && oldest !== undefined && round < oldest) return false;
    // The version known for longest is the least likely to be named by a record to come.
    const dropped =
      versions.length >= MAX_VERSIONS
        ? versions.slice(0, 1)
        : versions.length === 0 && rounds.length >= MAX_ROUNDS
          ? same.filter((entry) => entry.claim.round === oldest)
          : [];
    this.#entries = this.#entries.filter((entry) => !dropped.includes(entry));
    this.#entries.push({ seq: ++this.#seq, claim });
    return true;
  }

  /** Round of the newest record; 0 if there is none. */
  get newest(): number {
    return Math.max(0, ...this.#entries.flatMap(({ claim }) => (kindOf(claim) === "record" ? [claim.round] : [])));
  }

  /** All claims, in the order in which they were learned of. */
  all(): SignedExchangeClaim[] {
    return this.#entries.map(({ claim }) => claim);
  }

  /** Claims learned of after a place in that order, at most so many; and the place of the last of them. */
  after(seq: number, most: number): { readonly claims: SignedExchangeClaim[]; readonly since: number } {
    const found = this.#entries.filter((entry) => entry.seq > seq).slice(0, most);
    return { claims: found.map(({ claim }) => claim), since: found.at(-1)?.seq ?? Math.max(seq, 0) };
  }

  /** Lets go of rounds that nobody goes on from any longer. @returns What was let go. */
  prune(): SignedExchangeClaim[] {
    const { newest } = this;
    const isOld = ({ claim }: Entry) => claim.round <= newest - KEPT_ROUNDS;
    const old = this.#entries.filter(isOld);
    if (old.length > 0) this.#entries = this.#entries.filter((entry) => !isOld(entry));
    return old.map(({ claim }) => claim);
  }

  /**
   * What a unit on this node should have of it: contributions and records of others, those that were published for the unit under
   * earlier leases included, and states that it asks for.
   *
   * @param wants States and other files that the unit asks for, by kind and round.
   */
  wanted(
    own: { readonly unit: number; readonly leaseId: number },
    wants: readonly { readonly kind: ExchangeKind; readonly round: number }[],
  ): SignedExchangeClaim[] {
    return this.all().filter((claim) => {
      if (claim.unit === own.unit && claim.leaseId === own.leaseId) return false;
      const kind = kindOf(claim);
      if (kind !== "state") return true;
      return wants.some((want) => want.kind === kind && want.round === claim.round);
    });
  }
}

/** What a claim is for. */
export function kindOf({ kind }: Pick<SignedExchangeClaim, "kind">): ExchangeKind | undefined {
  return EXCHANGE_KINDS[kind];
}

function isSame(a: SignedExchangeClaim, b: SignedExchangeClaim): boolean {
  return a.digest === b.digest && a.leaseId === b.leaseId && a.fence === b.fence;
}
