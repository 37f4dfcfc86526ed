import { join } from "node:path";

import type { Reader } from "@verai/client/readers";
import { openSession, type Session } from "@verai/client/session";
import type { KeeperConfig } from "../config.ts";

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
