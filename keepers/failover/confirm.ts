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
  /** It sees the lease in time, or no longer active. */
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
 * Asks a second endpoint whether it also sees leases active and overdue. Only then may they be expired: an endpoint that
 * lags, or lies, must not cost a node its stake; and one that gives no answer is never taken for agreement.
 *
 * @param open Gives the endpoint's reader; rejects while it cannot be reached.
 * @param overdueOf Those of the leases that are overdue at the second endpoint's own block.
 * @returns What it says of each of them.
 */
export async function askConfirmation<T extends ConfirmationReader>(
  open: () => Promise<T>,
  leaseIds: readonly number[],
  overdueOf: (reader: T, leases: readonly Lease[], at: BlockReference) => Promise<ReadonlySet<number>>,
): Promise<Map<number, Confirmation>> {
  const all = (confirm: (id: number) => Confirmation) => new Map(leaseIds.map((id) => [id, confirm(id)]));
  try {
    const reader = await open();
    const block = await reader.block();
    const count = await reader.leaseCount(block);
    const leases = await reader.leasesById(
      block,
      leaseIds.filter((id) => id <= count),
    );
    const active = leases.filter(({ status }) => status === "active");
    const overdue = await overdueOf(reader, active, block);
    const leaseOf = new Map(leases.map((lease) => [lease.id, lease]));
    return all((id) => {
      if (overdue.has(id)) return { kind: "agrees" };
      const at = `its block ${String(block.number)}`;
      if (id > count) return { kind: "silent", why: `${at} is older than the lease` };
      const lease = leaseOf.get(id);
      if (lease?.status !== "active")
        return { kind: "disagrees", why: `it sees the lease ${lease?.status ?? "nowhere"}` };
      return { kind: "disagrees", why: `at ${at} the lease is in time until ${String(lease.due)}` };
    });
  } catch (error) {
    if (!(error instanceof ChainError)) throw error;
    const { message: why } = error;
    return all(() => ({ kind: "silent", why }));
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
