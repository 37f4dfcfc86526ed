import { z } from "zod";

/**
 * A number within bounds; a message names the value and both bounds. Timers of more than 24.8 days fire at once, over and
 * over, so that every span of time has an upper bound far below.
 *
 * @param unit What is counted, such as "seconds".
 */
export const within = (min: number, max: number, unit: string) => {
  const error = (issue: { readonly input?: unknown }) =>
    `is ${JSON.stringify(issue.input) ?? "missing"}: has to be a number of ${unit} from ${String(min)} to ${String(max)}`;
  return z.number({ error }).min(min, { error }).max(max, { error });
};

/** A whole number within bounds; see {@link within}. */
export const wholeWithin = (min: number, max: number, unit: string) =>
  within(min, max, unit).int({
    error: (issue) => `is ${JSON.stringify(issue.input) ?? "missing"}: has to be a whole number of ${unit}`,
  });

/** A path; an empty one would mean the working directory by accident. */
export const path = z
  .string({ error: "has to be a path" })
  .refine((text) => text.trim() !== "" && !text.includes("\0"), { error: "is empty: name a path" });

/** Where a key comes from (packages/client/keys.ts); never the key itself. */
export const keySource = z.union([
  z.strictObject({
    /** Encrypted keystore file, as wallets export it. */
    keystore: z.string(),
    /** File with the keystore's passphrase, readable by its owner alone. */
    passphraseFile: z.string(),
  }),
  z.strictObject({
    /** The same, with the passphrase file named by a variable. */
    keystore: z.string(),
    /** Name of an environment variable that holds the path of the passphrase file. */
    passphraseFileEnv: z.string(),
  }),
  z.strictObject({
    /** File with the bare key, readable by its owner alone and outside the repository. */
    keyFile: z.string(),
  }),
  z.strictObject({
    /** Endpoint of a signer elsewhere that speaks JSON-RPC (Web3Signer, Clef). */
    remoteSigner: z.url(),
    /** Whose key it is to use. */
    address: z.string().regex(/^0x[0-9a-fA-F]{40}$/, { error: "has to be an address" }),
  }),
  z.strictObject({
    /** Index of one of Hardhat's well-known accounts; on a local chain only. */
    testAccount: wholeWithin(0, 99, "well-known accounts"),
  }),
]);

/** Address of an RPC endpoint. It may hold an access key, so it is never shown beyond its host. */
export const rpcUrl = z.url({ protocol: /^https?$/, error: "has to be an http or https address" });

/** How the endpoints of a chain are asked; what is left out has the default of packages/client/provider.ts. */
const requests = z.strictObject({
  /** Seconds for one HTTP exchange, from the first byte sent to the last received. */
  timeout: z.number().min(1).max(300).optional(),
  /** Tries of a request, the first included. */
  attempts: z.number().int().min(1).max(20).optional(),
  /** Maximum of HTTP requests on the way to one endpoint at once. */
  inFlight: z.number().int().min(1).max(64).optional(),
  /** Maximum of HTTP requests to one endpoint in a second; learnt from its refusals if left out. */
  perSecond: z.number().min(0.1).max(10_000).optional(),
  /** Maximum of calls in one HTTP request. */
  batch: z.number().int().min(1).max(100).optional(),
  /** Maximum size of one answer, MiB. */
  maxMiB: z.number().min(1).max(256).optional(),
  /** Blocks that an endpoint may be behind the others before it is dropped. */
  maxBlocksBehind: z.number().int().min(1).max(1_000_000).optional(),
});

/** The chain that a process works on. */
export const network = z.strictObject({
  rpcUrl,
  /** Other endpoints of the same chain, in order of preference: the next one is asked when one gives no answer. */
  fallbackRpcUrls: z.array(rpcUrl).max(8).default([]),
  /** Id of the chain; an endpoint of another one is refused. */
  chainId: z.number().int().positive(),
  /** File with the deployed addresses; by default the one that belongs to the chain id. */
  deployment: z.string().optional(),
  /** Bounds for each endpoint; see [endpoints](endpoints.md#configuration). */
  requests: requests.optional(),
});

/** An amount of VER as people write it: "0.012". */
export const ver = z
  .string()
  .regex(/^\d{1,12}(\.\d{1,18})?$/, { error: 'has to be an amount of VER, such as "0.012"' });

/** An amount of ETH as people write it: "0.001". */
export const eth = z.string().regex(/^\d{1,6}(\.\d{1,18})?$/, { error: 'has to be an amount of ETH, such as "0.001"' });

/** How transactions are paid for. Gas prices in gwei, as people write them: "0.05". */
export const fees = z
  .strictObject({
    /** Hard cap of what is offered per gas, also when a stuck transaction is replaced. */
    maxFeePerGas: z
      .string()
      .regex(/^\d{1,9}(\.\d{1,9})?$/, { error: 'has to be a gas price in gwei, such as "0.05"' })
      .default("5"),
    /** Seconds without a receipt after which a transaction counts as stuck. */
    stuckAfter: within(1, 3600, "seconds").default(30),
    /** ETH that may be spent on gas within any hour, replacements included; 0.05 if left out. */
    perHour: z
      .string()
      .regex(/^\d{1,6}(\.\d{1,18})?$/, { error: 'has to be an amount of ETH, such as "0.001"' })
      .optional(),
  })
  .prefault({});

/** How a process is watched: where it serves `/health` and `/metrics`, and how much it logs. */
export const service = z
  .strictObject({
    /** Address to listen on. */
    host: z.string().default("127.0.0.1"),
    /** TCP port; 0 picks a free one. */
    port: z.number().int().min(0).max(65535).default(9464),
    /** Lowest level that is logged. */
    logLevel: z.enum(["trace", "debug", "info", "warn", "error"]).default("info"),
  })
  .prefault({});
