import { z } from "zod";

import { eth, fees, keySource, network, path, service, wholeWithin, within } from "@verai/process/schema";

/** Configuration of a sponsor. */
export const sponsorConfig = z.strictObject({
  network,
  /** Directory for the lock, the journal of transactions and the database of what was paid. */
  dataDir: path,
  /** The paymaster that it signs for; by default the one that the deployment names. */
  paymaster: z
    .string()
    .regex(/^0x[0-9a-fA-F]{40}$/, { error: "has to be an address" })
    .optional(),
  /** Key that the paymaster knows as its signer. */
  signer: keySource,
  /** Key that sends operations and pays for them first; the entry point pays it back. It may be the signer's. */
  relayer: keySource,
  fees,
  /** What is paid at most, ETH. An operation counts with what it can cost until it is known what it did. */
  limits: z
    .strictObject({
      /** For one operation. */
      perOperation: eth.default("0.001"),
      /** For one account in a day (UTC). */
      perAccountDay: eth.default("0.002"),
      /** For one client address in a day; addresses of IPv6 count by their first 64 bits. */
      perClientDay: eth.default("0.005"),
      /** For everybody in a day. */
      perDay: eth.default("0.05"),
      /** New accounts of one client address in a day. */
      newAccounts: wholeWithin(1, 10_000, "accounts").default(5),
      /** Operations of one account, or of one client address, that may fail in a day; then it is paid nothing until the next one. */
      failures: wholeWithin(1, 1_000, "operations").default(3),
    })
    .prefault({}),
  /** Seconds between two looks at what has become of operations. */
  interval: within(0.2, 60, "seconds").default(2),
  /** The endpoint for wallets (JSON-RPC). */
  api: z
    .strictObject({
      /** Address to listen on. */
      host: z.string().default("127.0.0.1"),
      /** TCP port; 0 picks a free one. */
      port: z.number().int().min(0).max(65535).default(9490),
      /** Proxies in front of it that add to `X-Forwarded-For`; 0: it is reached directly. */
      proxies: wholeWithin(0, 4, "proxies").default(0),
    })
    .prefault({}),
  service,
});

export type SponsorConfig = z.output<typeof sponsorConfig>;
