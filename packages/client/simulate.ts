import { AbiCoder, keccak256, toBeHex, type TransactionReceipt, zeroPadValue } from "ethers";

import { ensureFunds, type Log } from "./funds.ts";
import { ContractRefusalError } from "./errors.ts";
import { explain } from "./error-messages.ts";
import type { OpenSigner } from "./keys.ts";
import type { TransactionRequest, Payload } from "./tx/types.ts";
import type { TransactionQueue } from "./tx/queue.ts";
import { answer } from "./readers.ts";
import type { Session } from "./session.ts";

/** Storage slots among which the token's balances are looked for. */
const SLOTS = 12;

/** What a simulation has shown. */
export interface Simulation {
  /** Gas that the transaction would take; undefined where the endpoint cannot say. */
  readonly gas: bigint | undefined;
}

/** What a transaction needs of VER before it can go through. */
export interface Needs {
  /** Wei of VER that it takes from the sender. */
  readonly amount: bigint;
  /** Contract that takes them by allowance; left out where the transaction carries a permit. */
  readonly spender?: string;
}

/**
 * Simulates a transaction as if its sender held (and had allowed) enough VER already, so that whatever else a contract
 * dislikes is told before the faucet is asked, and before anything is sent. The token's storage is overridden in the call.
 *
 * @param payload What would be sent once the VER has arrived.
 * @returns What was seen; undefined if the sender has all that is needed (the transaction is simulated as it is then, right
 * before it is sent), or if the endpoint knows no overrides.
 * @throws ContractRefusalError if the transaction would be refused.
 */
export async function simulateFunded(
  { contracts, provider }: Pick<Session, "contracts" | "provider">,
  from: string,
  payload: Payload | null,
  { amount, spender }: Needs,
): Promise<Simulation | undefined> {
  if (!payload) return undefined;
  const { token } = contracts;
  const address = await token.getAddress();
  const code = (name: "balanceOf" | "allowance", args: readonly string[]) =>
    token.interface.encodeFunctionData(name as "balanceOf", args as [string]);
  const wanted = [{ read: code("balanceOf", [from]), path: [from], has: await answer(token.balanceOf(from)) }];
  if (spender !== undefined) {
    const has = await answer(token.allowance(from, spender));
    wanted.push({ read: code("allowance", [from, spender]), path: [from, spender], has });
  }
  const missing = wanted.filter(({ has }) => has < amount);
  if (missing.length === 0) return undefined;
  const stateDiff: Record<string, string> = {};
  for (const { read, path } of missing) {
    const key = await findKey(path, async (tried) => {
      const override = { [address]: { stateDiff: { [tried]: word(amount) } } };
      const call = { to: address, data: read };
      const found: unknown = await provider.send("eth_call", [call, "latest", override]).catch(() => "0x");
      return typeof found === "string" && found !== "0x" && BigInt(found) === amount;
    });
    if (key === undefined) return undefined;
    stateDiff[key] = word(amount);
  }
  const { to, data = "0x", value = 0n } = payload;
  const call = provider.getRpcTransaction({ from, to, data, value });
  const override = { [address]: { stateDiff } };
  try {
    await provider.send("eth_call", [call, "latest", override]);
  } catch (error) {
    const explained = explain(error);
    if (explained instanceof ContractRefusalError) throw explained;
    return undefined;
  }
  const gas: unknown = await provider.send("eth_estimateGas", [call, "latest", override]).catch(() => undefined);
  return { gas: typeof gas === "string" ? BigInt(gas) : undefined };
}

/**
 * Sends a transaction that takes VER from its sender. It is simulated first as if the VER were there already; only then is
 * the faucet asked for what is missing.
 *
 * @throws ContractRefusalError if the transaction would be refused: nothing was sent, and the faucet not asked; what
 * {@link ensureFunds} and {@link TransactionQueue.submit} throw.
 */
export async function fundAndSubmit(
  session: Pick<Session, "contracts" | "provider">,
  account: { readonly signer: OpenSigner; readonly queue: TransactionQueue },
  amount: bigint,
  log: Log,
  request: TransactionRequest,
): Promise<TransactionReceipt | null> {
  const { address } = account.signer;
  const seen = await simulateFunded(session, address, await request.prepare(), { amount });
  if (seen) {
    const gas = seen.gas === undefined ? "" : `, for about ${String(seen.gas)} gas`;
    log.info({ account: address }, `simulated: "${request.label}" goes through once the VER has arrived${gas}`);
  }
  await ensureFunds(session, account, amount, log);
  return account.queue.submit(request);
}

/** Key of a (nested) mapping's entry, at the first slot where an override of it is seen to work. */
async function findKey(path: readonly string[], works: (key: string) => Promise<boolean>): Promise<string | undefined> {
  const coder = AbiCoder.defaultAbiCoder();
  for (let slot = 0; slot < SLOTS; slot++) {
    const key = path.reduce(
      (at, one) => keccak256(coder.encode(["address", "bytes32"], [one, at])),
      word(BigInt(slot)),
    );
    if (await works(key)) return key;
  }
  return undefined;
}

function word(value: bigint): string {
  return zeroPadValue(toBeHex(value), 32);
}
