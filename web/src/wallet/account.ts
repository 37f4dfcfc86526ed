import { useCallback, useMemo, useSyncExternalStore } from "react";
import { type Address, type Hex, type Log, parseAbi, type PublicClient, type TransactionReceipt } from "viem";
import {
  type Config as WagmiConfig,
  useConfig as useWagmi,
  useConnection,
  useSendTransaction,
  useSignTypedData,
} from "wagmi";
import { getCapabilities, sendCalls, waitForCallsStatus } from "wagmi/actions";

import { useChainClient } from "../chain/client.ts";
import { type Config, useConfig } from "../config.ts";
import type { Call } from "./calls.ts";
import { ActionError } from "./explain.ts";
import { UnknownOutcome } from "./outcome.ts";
import { parsePasskey, type Passkey, sendBatch, signWithPasskey } from "./passkey.ts";
import { signedPermit } from "./permit.ts";
import { forgetSent, noteSent, type SentEntry, stopWaiting } from "./sent.ts";
import type { Signed, TypedRequest } from "./typed.ts";

/** What an action was. */
export interface Sent {
  readonly transaction: Hex;
  readonly logs: readonly Log[];
}

/** Who acts on this page: a passkey's account, or a wallet's. */
export interface Actor {
  readonly kind: "passkey" | "wallet";
  readonly address: Address;
  /** The calls as this account carries them out: a permit takes the place of an approval where it can sign one. */
  readonly prepare: (calls: readonly Call[]) => Promise<readonly Call[]>;
  /** Gas that the account pays for itself, wei of ETH; 0 where a sponsor pays. @throws where the first call would fail. */
  readonly costOf: (calls: readonly Call[]) => Promise<bigint>;
  /**
   * Carries calls out: in one batch, or one after the other.
   *
   * @param label What the button says that does it.
   * @param say Told of each step.
   * @throws UnknownOutcome if it was sent and the chain does not say in time what became of it.
   */
  readonly send: (calls: readonly Call[], label: string, say: (step: string) => void) => Promise<Sent>;
  /** Signs typed data; costs nothing. */
  readonly sign: (typed: TypedRequest) => Promise<Signed>;
}

/** Gas of a later transaction of several, which cannot be tried before those in front of it. */
const LATER_GAS = 500_000n;
const GAS_PRICE_ORACLE = "0x420000000000000000000000000000000000000F";
const L1_ABI = parseAbi(["function getL1FeeUpperBound(uint256 size) view returns (uint256)"]);
/** Time for a transaction to be in a block, and from one question to the next where the endpoint fails, milliseconds. */
const [MINED_MS, AGAIN_MS] = [180_000, 2_000];
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

/** Who acts here; undefined as long as nobody is connected. */
export function useActor(): Actor | undefined {
  const config = useConfig();
  const client = useChainClient();
  const [passkey] = usePasskey();
  const connection = useConnection();
  const wagmi = useWagmi();
  const { mutateAsync } = useSendTransaction();
  const { mutateAsync: signTyped } = useSignTypedData();
  return useMemo(() => {
    if (passkey) {
      return {
        kind: "passkey",
        address: passkey.account,
        prepare: (calls) => Promise.resolve(calls),
        costOf: () => Promise.resolve(0n),
        sign: (typed) => signWithPasskey(config, passkey, typed),
        send: async (calls, label, say) => {
          say("Confirm with your passkey; the rest takes a few seconds.");
          return sendBatch(config, client, passkey, calls, label);
        },
      };
    }
    const { address, chainId } = connection;
    if (address === undefined) return undefined;
    const sign = async (typed: TypedRequest): Promise<Signed> => {
      const signature = await signTyped(typed as never);
      return (await isContract(client, address)) ? { signature, account: address } : { signature };
    };
    const onNetwork = () => {
      if (chainId === config.chainId) return;
      throw new ActionError(
        "WrongNetwork",
        `Your wallet is on chain ${String(chainId)}; switch it to ${config.network} (${String(config.chainId)}).`,
      );
    };
    return {
      kind: "wallet",
      address,
      sign,
      prepare: async (calls) => {
        if (calls.length < 2 || (await isContract(client, address))) return calls;
        return (await takesBatches(wagmi, address, config.chainId)) ? calls : withPermits(calls);
      },
      costOf: (calls) => costOf(client, address, calls),
      send: async (calls, label, say) => {
        onNetwork();
        if (calls.length > 1 && (await takesBatches(wagmi, address, config.chainId))) {
          await client.call({ account: address, to: calls[0]?.to, data: calls[0]?.data });
          say(`Confirm in your wallet: ${calls.map(({ what }) => what).join(", ")}, in one batch.`);
          return sendBatchOfWallet(wagmi, config.chainId, { account: address, label }, calls, say);
        }
        let last: Sent | undefined;
        const logs: Log[] = [];
        for (const [i, call] of calls.entries()) {
          onNetwork();
          const { to, what } = call;
          let { data } = call;
          if (call.permit) {
            say("Sign in your wallet: the vault may take this VER, once. It costs nothing.");
            data = call.permit.data(await signedPermit(config, client, address, call.permit.amount, sign));
          }
          await client.call({ account: address, to, data });
          say(
            `Confirm in your wallet: ${what}${calls.length > 1 ? ` (${String(i + 1)} of ${String(calls.length)})` : ""}.`,
          );
          const hash = await mutateAsync({ to, data });
          last = await known(config.chainId, { account: address, label, kind: "transaction", id: hash }, () =>
            mined(client, hash, say),
          );
          logs.push(...last.logs);
        }
        if (!last) throw new ActionError("Nothing", "There is nothing to do.");
        return { ...last, logs };
      },
    };
  }, [client, config, connection, mutateAsync, passkey, signTyped, wagmi]);
}

/** Whether an account is a contract, whose signatures only it can judge. A key that lends itself code (EIP-7702) still signs. */
async function isContract(client: PublicClient, address: Address): Promise<boolean> {
  const code = await client.getCode({ address });
  return code !== undefined && code !== "0x" && !code.startsWith("0xef0100");
}

/** Whether the wallet carries several calls out as one (EIP-5792). Wallets that do not know the question do not. */
async function takesBatches(wagmi: WagmiConfig, account: Address, chainId: number): Promise<boolean> {
  try {
    const { atomic } = (await getCapabilities(wagmi, { account, chainId })) as { atomic?: { status?: string } };
    return atomic?.status === "supported" || atomic?.status === "ready";
  } catch {
    return false;
  }
}

/** Leaves an approval out in front of a call that takes a permit of its amount. Pure. */
export function withPermits(calls: readonly Call[]): Call[] {
  return calls.flatMap((call, i): Call[] => {
    const next = calls[i + 1];
    if (call.approves !== undefined && next?.permit?.amount === call.approves) return [];
    const before = calls[i - 1];
    if (call.permit && before?.approves === call.permit.amount) {
      return [{ ...call, what: `${call.what}, and sign that the vault may take this VER` }];
    }
    const { permit: _, ...plain } = call;
    return [plain];
  });
}

async function sendBatchOfWallet(
  wagmi: WagmiConfig,
  chainId: number,
  by: Pick<SentEntry, "account" | "label">,
  calls: readonly Call[],
  say: (step: string) => void,
): Promise<Sent> {
  const { id } = await sendCalls(wagmi, {
    chainId: chainId,
    forceAtomic: true,
    calls: calls.map(({ to, data }) => ({ to, data })) as never,
  });
  say("Sent; waiting for the chain.");
  const { status, receipts = [] } = await known(chainId, { ...by, kind: "batch", id }, () =>
    waitForCallsStatus(wagmi, { id, timeout: MINED_MS }).catch((error: unknown) => {
      throw new UnknownOutcome("The batch", error);
    }),
  );
  const last = receipts.at(-1);
  if (status !== "success" || !last) {
    throw new ActionError(
      "Reverted",
      "The batch failed: nothing of it was done. Something changed since it was tried; try again.",
    );
  }
  return { transaction: last.transactionHash, logs: receipts.flatMap(({ logs }) => logs as unknown as Log[]) };
}

async function costOf(client: PublicClient, account: Address, calls: readonly Call[]): Promise<bigint> {
  const [first, ...later] = calls;
  if (!first) return 0n;
  // What a permit pays for cannot be tried before it is signed.
  const gas = first.permit ? LATER_GAS : await client.estimateGas({ account, to: first.to, data: first.data });
  const price = await client.getGasPrice();
  const bytes = calls.reduce((sum, { data }) => sum + (data.length - 2) / 2 + ENVELOPE, 0);
  // What the L1 costs; a chain without one has no such contract.
  const l1 = await client
    .readContract({ address: GAS_PRICE_ORACLE, abi: L1_ABI, functionName: "getL1FeeUpperBound", args: [BigInt(bytes)] })
    .catch(() => 0n);
  return (gas + LATER_GAS * BigInt(later.length)) * price + l1;
}

/** Keeps what was sent for as long as it is not known what became of it. */
async function known<T>(chainId: number, entry: SentEntry, wait: () => Promise<T>): Promise<T> {
  noteSent(chainId, entry);
  try {
    const outcome = await wait();
    forgetSent(chainId, entry.id);
    return outcome;
  } catch (error) {
    if (error instanceof UnknownOutcome) stopWaiting(chainId, entry.id);
    else forgetSent(chainId, entry.id);
    throw error;
  }
}

/** Waits for a transaction, or for the one that took its place. @throws UnknownOutcome if the chain does not tell in time. */
async function mined(client: PublicClient, hash: Hex, say: (step: string) => void): Promise<Sent> {
  say("Sent; waiting for the chain.");
  let replaced: "repriced" | "cancelled" | "replaced" | undefined;
  let receipt: TransactionReceipt | undefined;
  let last: unknown;
  const end = performance.now() + MINED_MS;
  while (!receipt && performance.now() < end) {
    try {
      receipt = await client.waitForTransactionReceipt({
        hash,
        timeout: end - performance.now(),
        onReplaced: ({ reason }) => {
          replaced = reason;
        },
      });
    } catch (error) {
      // An endpoint that fails says nothing about what was sent: it is asked again.
      last = error;
      say("Sent; the chain's endpoint gives no answer, and is asked again. Do not send it again.");
      await new Promise((resolve) => setTimeout(resolve, AGAIN_MS));
    }
  }
  if (!receipt) throw new UnknownOutcome(`The transaction ${hash}`, last);
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
