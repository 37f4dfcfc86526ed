import { formatEther, parseEther, type Provider } from "ethers";
import { Gauge, type Registry } from "prom-client";

import type { Logger } from "./logger.ts";

/** Milliseconds between two looks at the ETH that pays for gas. */
export const FUNDS_INTERVAL_MS = 60_000;

/**
 * Watches the ETH that a key pays gas with: a gauge for Prometheus, and a warning in the log when it runs low.
 *
 * @param low ETH, as people write it, below which it warns.
 * @returns A cycle for a loop; a failed read throws and says nothing about the balance.
 */
export function fundsWatch(
  provider: Pick<Provider, "getBalance">,
  address: string,
  low: string,
  registry: Registry,
  logger: Logger,
): () => Promise<boolean> {
  const balance = new Gauge({
    name: "drmp_funds_eth",
    help: "ETH that the key pays gas with",
    labelNames: ["address"],
    registers: [registry],
  });
  const threshold = new Gauge({
    name: "drmp_funds_low_eth",
    help: "ETH below which the balance counts as low",
    registers: [registry],
  });
  threshold.set(Number(low));
  const least = parseEther(low);
  let warned = false;
  return async () => {
    const held = await provider.getBalance(address);
    balance.set({ address }, Number(formatEther(held)));
    const isLow = held < least;
    if (isLow && !warned) {
      logger.error({ address, eth: formatEther(held), low }, "ETH for gas runs low: send some to this address");
    }
    if (!isLow && warned) logger.info({ address, eth: formatEther(held) }, "there is enough ETH for gas again");
    warned = isLow;
    return false;
  };
}
