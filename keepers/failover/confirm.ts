import { ChainError } from "@verai/client/errors";
import type { BlockReference } from "@verai/client/block-reference";
import type { Lease } from "@verai/client/entities";
import { join } from "node:path";
import type { Reader } from "@verai/client/readers";
import { openSession, type Session } from "@verai/client/session";
import type { KeeperConfig } from "../config.ts";

/** What a second endpoint says of a lease that the first sees overdue. */
export type Confirmation =
  | { readonly kind: "agrees" }
  /** It sees the lease in time, or not active any more. */
  | { readonly kind: "disagrees"; readonly why: string }
  /** It could not be asked, or lags behind: that says nothing. */
  | { readonly kind: "silent"; readonly why: string };

/** The part of a reader that a second look needs. */
export interface ConfirmationReader {
  block(): Promise<BlockReference>;
  leaseCount(at: BlockReference): Promise<number>;
  leasesById(at: BlockReference, ids: readonly number[]): Promise<Lease[]>;
}

/**
 * Asks a second endpoint whether it also sees a lease active and overdue. Only then may it be expired: an endpoint that
 * lags, or lies, must not cost a node its stake; and one that gives no answer is never taken for agreement.
 *
 * @param open Gives the endpoint's reader; rejects while it cannot be reached.
 * @param isOverdue Judges the lease at the second endpoint's own block.
 */
export async function askConfirmation<T extends ConfirmationReader>(
  open: () => Promise<T>,
  leaseId: number,
  isOverdue: (reader: T, lease: Lease, at: BlockReference) => Promise<boolean> | boolean,
): Promise<Confirmation> {
  try {
    const reader = await open();
    const block = await reader.block();
    if ((await reader.leaseCount(block)) < leaseId) {
      return { kind: "silent", why: `its block ${String(block.number)} is older than the lease` };
    }
    const [lease] = await reader.leasesById(block, [leaseId]);
    if (lease?.status !== "active")
      return { kind: "disagrees", why: `it sees the lease ${lease?.status ?? "nowhere"}` };
    if (await isOverdue(reader, lease, block)) return { kind: "agrees" };
    return {
      kind: "disagrees",
      why: `at its block ${String(block.number)} the lease is in time until ${String(lease.due)}`,
    };
  } catch (error) {
    if (!(error instanceof ChainError)) throw error;
    return { kind: "silent", why: error.message };
  }
}

/** The second endpoint, where there is one: connected to when it is first needed, and again if that failed. */
export class ConfirmationEndpoint {
  readonly #config: KeeperConfig;
  #session: Promise<Session> | undefined;

  constructor(config: KeeperConfig) {
    this.#config = config;
  }

  /** Gives the endpoint's reader; undefined if none is configured. */
  get reader(): (() => Promise<Reader>) | undefined {
    return this.#config.network.confirmRpcUrl === undefined ? undefined : async () => (await this.#open()).reader;
  }

  async #open(): Promise<Session> {
    const { network, fees, dataDir } = this.#config;
    const { confirmRpcUrl = network.rpcUrl, chainId, deployment, requests } = network;
    const journals = join(dataDir, "journals");
    this.#session ??= openSession({
      network: { rpcUrl: confirmRpcUrl, chainId, deployment, requests },
      fees,
      journals,
    });
    this.#session.catch(() => {
      this.#session = undefined;
    });
    return this.#session;
  }

  /** Ends the connection. */
  close(): void {
    this.#session?.then(
      (session) => {
        session.close();
      },
      () => undefined,
    );
  }
}
