import { useCallback, useMemo, useSyncExternalStore } from "react";
import { type Address, type Hex, type Log, parseAbi, type PublicClient } from "viem";
import { useConnection, useSendTransaction } from "wagmi";

import { useChainClient } from "../chain/client.ts";
import { type Config, useConfig } from "../config.ts";
import type { Call } from "./calls.ts";
import { ActionError } from "./explain.ts";
import { type Passkey, sendBatch } from "./passkey.ts";

/** What an action was. */
export interface Sent {
  readonly transaction: Hex;
  readonly logs: readonly Log[];
}

/** Who acts on this page: a passkey's account, or a wallet's. */
export interface Actor {
  readonly kind: "passkey" | "wallet";
  readonly address: Address;
  /** Gas that the account pays for itself, wei of ETH; 0 where a sponsor pays. @throws where the first call would fail. */
  readonly costOf: (calls: readonly Call[]) => Promise<bigint>;
  /** Carries calls out: in one batch, or one after the other. @param say Told of each step. */
  readonly send: (calls: readonly Call[], say: (step: string) => void) => Promise<Sent>;
}

/** Gas of a later transaction of several, which cannot be tried before those in front of it. */
const LATER_GAS = 500_000n;
const GAS_PRICE_ORACLE = "0x420000000000000000000000000000000000000F";
const L1_ABI = parseAbi(["function getL1FeeUpperBound(uint256 size) view returns (uint256)"]);
/** Bytes of a signed transaction beside its data. */
const ENVELOPE = 130;

const listeners = new Set<() => void>();
const keyOf = ({ chainId, deployment }: Config) =>
  `drmp.passkey.${String(chainId)}.${deployment["PasskeyAccountFactory"] ?? ""}`;

/** The passkey that this browser uses; kept across reloads. */
export function usePasskey(): [Passkey | undefined, (passkey: Passkey | undefined) => void] {
  const config = useConfig();
  const key = keyOf(config);
  const text = useSyncExternalStore(
    (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    () => localStorage.getItem(key),
  );
  const passkey = useMemo(() => parsePasskey(text), [text]);
  const set = useCallback(
    (next: Passkey | undefined) => {
      if (next) localStorage.setItem(key, JSON.stringify(next));
      else localStorage.removeItem(key);
      for (const listener of listeners) listener();
    },
    [key],
  );
  return [passkey, set];
}

function parsePasskey(text: string | null): Passkey | undefined {
  try {
    const value = JSON.parse(text ?? "null") as Partial<Passkey> | null;
    const fine = value && typeof value.id === "string" && /^0x[0-9a-f]{40}$/i.test(value.account ?? "");
    return fine && typeof value.publicKey === "string" ? (value as Passkey) : undefined;
  } catch {
    return undefined;
  }
}

/** Who acts here; undefined as long as nobody is connected. */
export function useActor(): Actor | undefined {
  const config = useConfig();
  const client = useChainClient();
  const [passkey] = usePasskey();
  const connection = useConnection();
  const { mutateAsync } = useSendTransaction();
  return useMemo(() => {
    if (passkey) {
      return {
        kind: "passkey",
        address: passkey.account,
        costOf: () => Promise.resolve(0n),
        send: async (calls, say) => {
          say("Confirm with your passkey; the rest takes a few seconds.");
          return sendBatch(config, client, passkey, calls);
        },
      };
    }
    const { address, chainId } = connection;
    if (address === undefined) return undefined;
    return {
      kind: "wallet",
      address,
      costOf: (calls) => costOf(client, address, calls),
      send: async (calls, say) => {
        let last: Sent | undefined;
        const logs: Log[] = [];
        for (const [i, { to, data, what }] of calls.entries()) {
          if (chainId !== config.chainId)
            throw new ActionError(
              "WrongNetwork",
              `Your wallet is on chain ${String(chainId)}; switch it to ${config.network} (${String(config.chainId)}).`,
            );
          await client.call({ account: address, to, data });
          say(
            `Confirm in your wallet: ${what}${calls.length > 1 ? ` (${String(i + 1)} of ${String(calls.length)})` : ""}.`,
          );
          const hash = await mutateAsync({ to, data });
          last = await mined(client, hash, say);
          logs.push(...last.logs);
        }
        if (!last) throw new ActionError("Nothing", "There is nothing to do.");
        return { ...last, logs };
      },
    };
  }, [client, config, connection, mutateAsync, passkey]);
}

async function costOf(client: PublicClient, account: Address, calls: readonly Call[]): Promise<bigint> {
  const [first, ...later] = calls;
  if (!first) return 0n;
  const gas = await client.estimateGas({ account, to: first.to, data: first.data });
  const price = await client.getGasPrice();
  const bytes = calls.reduce((sum, { data }) => sum + (data.length - 2) / 2 + ENVELOPE, 0);
  // What the L1 costs; a chain without one has no such contract.
  const l1 = await client
    .readContract({ address: GAS_PRICE_ORACLE, abi: L1_ABI, functionName: "getL1FeeUpperBound", args: [BigInt(bytes)] })
    .catch(() => 0n);
  return (gas + LATER_GAS * BigInt(later.length)) * price + l1;
}

/** Waits for a transaction, or for the one that took its place. */
async function mined(client: PublicClient, hash: Hex, say: (step: string) => void): Promise<Sent> {
  say("Sent; waiting for the chain.");
  let replaced: "repriced" | "cancelled" | "replaced" | undefined;
  const receipt = await client.waitForTransactionReceipt({
    hash,
    timeout: 180_000,
    onReplaced: ({ reason }) => {
      replaced = reason;
    },
  });
  if (replaced === "cancelled" || replaced === "replaced") {
    throw new ActionError(
      "Replaced",
      "Another transaction took this one's place in your wallet; nothing was done here. Try again if you want it.",
    );
  }
  if (receipt.status === "reverted") {
    throw new ActionError(
      "Reverted",
      `The transaction ${receipt.transactionHash} failed on chain; something changed since it was tried. Try again.`,
    );
  }
  return { transaction: receipt.transactionHash, logs: receipt.logs };
}
