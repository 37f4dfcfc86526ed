import { CidError, fromChainCid, toChainCid } from "@verai/protocol/checkpoints/cid";
import type { AnyTables, Asked } from "./pages.ts";

/** Entries that a search finds at most of each kind. */
const MOST = 20;

/** Something that a search has found. */
export interface Found {
  readonly kind: "task" | "lease" | "node" | "round" | "batch" | "keeper" | "checkpoint";
  readonly id: string;
  /** In what it was found. */
  readonly as: string;
}

interface Place {
  readonly kind: Found["kind"];
  readonly table: string;
  readonly column: string;
  readonly id: string;
  readonly as: string;
}

const BY_ID: readonly Place[] = [
  { kind: "task", table: "tasks", column: "id", id: "id", as: "id" },
  { kind: "lease", table: "leases", column: "id", id: "id", as: "id" },
  { kind: "node", table: "nodes", column: "id", id: "id", as: "id" },
  { kind: "round", table: "rounds", column: "id", id: "id", as: "id" },
  { kind: "batch", table: "batches", column: "id", id: "id", as: "id" },
];

const BY_ADDRESS: readonly Place[] = [
  { kind: "node", table: "nodes", column: "owner", id: "id", as: "owner" },
  { kind: "node", table: "nodes", column: "operator", id: "id", as: "operator" },
  { kind: "task", table: "tasks", column: "owner", id: "id", as: "owner" },
  { kind: "keeper", table: "keepers", column: "address", id: "address", as: "address" },
];

const BY_DIGEST: readonly Place[] = [
  { kind: "task", table: "tasks", column: "specDigest", id: "id", as: "spec" },
  { kind: "lease", table: "leases", column: "resultDigest", id: "id", as: "result" },
  { kind: "checkpoint", table: "checkpoints", column: "digest", id: "leaseId", as: "checkpoint of this lease" },
];

/** What an id, an address, a CID or its digest names; nothing for anything else. O(1) looks by index. */
export async function search(db: Asked, text: string): Promise<Found[]> {
  const [places, value] = placesOf(text.trim());
  const found: Found[] = [];
  for (const { kind, table, column, id, as } of places) {
    const rows = await (db as unknown as AnyTables)
      .selectFrom(table)
      .select(id)
      .where(column, "=", value)
      .orderBy(id)
      .limit(MOST)
      .execute();
    found.push(...rows.map((row) => ({ kind, id: String(row[id]), as })));
  }
  return found;
}

function placesOf(text: string): readonly [readonly Place[], string | number] {
  if (/^\d{1,10}$/.test(text) && Number(text) <= 0xffff_ffff) return [BY_ID, Number(text)];
  if (/^0x[0-9a-f]{40}$/i.test(text)) return [BY_ADDRESS, text.toLowerCase()];
  if (/^0x[0-9a-f]{64}$/i.test(text)) return [BY_DIGEST, text.toLowerCase()];
  try {
    return [BY_DIGEST, toChainCid(text).digest.toLowerCase()];
  } catch (error) {
    if (error instanceof CidError) return [[], ""];
    throw error;
  }
}

/** The CID of a digest on chain; null if there is none. */
export function cidOf(digest: unknown, codec: unknown): string | null {
  if (typeof digest !== "string" || typeof codec !== "number") return null;
  try {
    return fromChainCid({ digest, codec }).toString();
  } catch {
    // What the chain recorded need not be a CID that we know.
    return null;
  }
}
