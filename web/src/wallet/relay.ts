import { type Hex, type Log, toHex } from "viem";

import type { Config } from "../config.ts";
import { ActionError } from "./explain.ts";

/** Time for an answer of the relay, milliseconds. */
const ANSWER_MS = 20_000;

/** What a relay says of an operation that was carried out. */
interface OperationReceipt {
  readonly success: boolean;
  readonly receipt: { readonly transactionHash: Hex };
  readonly logs: readonly Log[];
}

/** What became of an operation; undefined as long as it is not carried out. */
export async function receiptOf(config: Config, hash: Hex): Promise<OperationReceipt | undefined> {
  return (await askRelay<OperationReceipt | null>(config, "eth_getUserOperationReceipt", [hash])) ?? undefined;
}

/** Asks the relay, or the paymaster if it is another service. Their errors are sentences already. */
export async function askRelay<T>(
  { relayUrl, paymasterUrl }: Config,
  method: string,
  params: readonly unknown[],
): Promise<T> {
  const url = (method.startsWith("pm_") ? paymasterUrl : undefined) ?? relayUrl ?? "";
  const body = JSON.stringify({ jsonrpc: "2.0", id: 1, method, params }, (_, value: unknown) =>
    typeof value === "bigint" ? toHex(value) : value,
  );
  const signal = AbortSignal.timeout(ANSWER_MS);
  const response = await fetch(url, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body,
    signal,
  }).catch((cause: unknown) => {
    throw new ActionError(
      "RelayUnreachable",
      "The relay that pays for gas cannot be reached; try again, or use a wallet.",
      cause,
    );
  });
  const answer = (await response.json().catch(() => ({}))) as { result?: T; error?: { message?: string } };
  if (answer.error) throw new ActionError("RelayRefused", answer.error.message ?? "The relay refused.");
  if (!("result" in answer))
    throw new ActionError("RelayFailed", `The relay answers ${String(response.status)}; try again.`);
  return answer.result;
}
