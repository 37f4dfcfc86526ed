import type { RpcProvider } from "@verai/client/provider";
import { openSession, type RequestOptions, type Session } from "@verai/client/session";
import { askEndpoint, type EndpointUse, proxyFindings, sameFindings, timeFindings } from "./endpoints.ts";
import type { CheckList } from "./finding.ts";
import { feeFindings } from "./money.ts";

/** The chain of a configuration, and what else has to be known to connect to it. */
export interface Connection {
  readonly network: {
    readonly rpcUrl: string;
    readonly fallbackRpcUrls: readonly string[];
    readonly requests?: RequestOptions | undefined;
    readonly chainId: number;
    readonly deployment?: string | undefined;
  };
  readonly fees: { readonly maxFeePerGas: string; readonly stuckAfter: number; readonly perHour?: string | undefined };
  readonly journals: string;
  /** Endpoints beside those of `network`. */
  readonly others?: readonly EndpointUse[];
  readonly env: Readonly<Record<string, string | undefined>>;
}

/**
 * Asks every endpoint by itself, and connects to the deployment through those that can be used.
 *
 * @returns The session, which the caller closes; undefined if there is none, which is then a finding.
 */
export async function connectChecked(list: CheckList, connection: Connection): Promise<Session | undefined> {
  const { network, fees, journals, others = [], env } = connection;
  const own = [
    { entry: "network.rpcUrl", url: network.rpcUrl },
    ...network.fallbackRpcUrls.map((url, i) => ({ entry: `network.fallbackRpcUrls.${String(i)}`, url })),
  ];
  const all = [...own, ...others];
  const asked = await Promise.all(all.map(async (use) => ({ ...use, ...(await askEndpoint(use, network.chainId)) })));
  list.add(...proxyFindings(all, env), ...sameFindings(all));
  for (const { findings } of asked) list.add(...findings);
  list.add(...timeFindings(asked, network.chainId, Date.now() / 1000, network.requests?.maxBlocksBehind));
  const [first, ...rest] = asked.filter(({ block }, i) => block !== undefined && i < own.length).map(({ url }) => url);
  if (first === undefined) return undefined;
  const session = await list.part(
    "network.deployment",
    `the addresses of the deployment on chain ${String(network.chainId)}`,
    () =>
      openSession({
        network: { ...network, rpcUrl: first, fallbackRpcUrls: rest },
        fees,
        journals,
      }),
  );
  if (session) {
    await list.part("fees.maxFeePerGas", "a gas price that the chain takes", async () => {
      list.add(...feeFindings(fees.maxFeePerGas, await chainFee(session.provider)));
    });
  }
  return session;
}

/** What the chain takes per gas now, wei: base fee and tip. */
async function chainFee(provider: RpcProvider): Promise<bigint> {
  const block = await provider.getBlock("latest");
  // Nodes that do not know the method take any tip.
  const tip: unknown = await provider.send("eth_maxPriorityFeePerGas", []).catch(() => "0x0");
  return (block?.baseFeePerGas ?? 0n) + BigInt(typeof tip === "string" ? tip : 0);
}
