import { type Address, encodeFunctionData, type Hex, type PublicClient, toHex } from "viem";

import { passkeyAccountAbi } from "@verai/client/typed-abi/PasskeyAccount";
import type { Config } from "../config.ts";
import type { Call } from "./calls.ts";
import { ActionError } from "./explain.ts";
import { createPasskey, halves, type Passkey } from "./passkey.ts";

const DAY = 86_400;

/** Calls of an account that is made of passkeys, to itself, and of the wallet that may recover it. Pure. */
export function accountCalls(account: Address) {
  const call = (what: string, data: Hex): Call => ({ to: account, data, what });
  const abi = passkeyAccountAbi;
  return {
    addKey: (publicKey: Hex) =>
      call("add the passkey", encodeFunctionData({ abi, functionName: "addKey", args: halves(publicKey) })),
    removeKey: (x: Hex, y: Hex) =>
      call("remove the passkey", encodeFunctionData({ abi, functionName: "removeKey", args: [x, y] })),
    setRecoveryWallet: (wallet: Address, days: number) =>
      call(
        "name the recovery wallet",
        encodeFunctionData({ abi, functionName: "setRecoveryWallet", args: [wallet, days * DAY] }),
      ),
    cancelRecovery: () => call("stop the recovery", encodeFunctionData({ abi, functionName: "cancelRecovery" })),
    startRecovery: (publicKey: Hex) =>
      call("begin the recovery", encodeFunctionData({ abi, functionName: "startRecovery", args: halves(publicKey) })),
    finishRecovery: () => call("finish the recovery", encodeFunctionData({ abi, functionName: "finishRecovery" })),
  };
}

/** Whether a key of an account is a passkey's. Pure. */
export function isKeyOf({ x, y }: { readonly x: Hex; readonly y: Hex }, passkey: Passkey): boolean {
  const [px, py] = halves(passkey.publicKey);
  return x.toLowerCase() === px.toLowerCase() && y.toLowerCase() === py.toLowerCase();
}

/** What an account of passkeys is; undefined before its first operation, by which it comes to be. */
export async function accountState(client: PublicClient, account: Address) {
  if ((await client.getCode({ address: account })) === undefined) return undefined;
  const contract = { address: account, abi: passkeyAccountAbi } as const;
  const [keys, wallet, delay, readyAt, key, { timestamp }] = await Promise.all([
    client.readContract({ ...contract, functionName: "keys" }),
    client.readContract({ ...contract, functionName: "recoveryWallet" }),
    client.readContract({ ...contract, functionName: "recoveryDelay" }),
    client.readContract({ ...contract, functionName: "recoveryReadyAt" }),
    client.readContract({ ...contract, functionName: "recoveryKey" }),
    client.getBlock(),
  ]);
  return { keys, wallet, delayDays: delay / DAY, readyAt, key, now: Number(timestamp) };
}

/** Has this device make one more passkey, for an account that is there already. */
export async function passkeyFor(config: Config, client: PublicClient, account: Address): Promise<Passkey> {
  return { ...(await createPasskey(config, client)), account };
}

/**
 * Finds a passkey of an account on this device: the device asks which, and a signature shows which of the account's keys it is. For who
 * has changed browsers, or cleared this one.
 *
 * @throws ActionError if the device has none of the account's.
 */
export async function findPasskey(client: PublicClient, account: Address): Promise<Passkey> {
  const state = await accountState(client, account);
  if (!state) {
    throw new ActionError("NoAccount", `At ${account} there is no account of this network; check the address.`);
  }
  const { sign, verify } = await import("ox/WebAuthnP256");
  const challenge = toHex(crypto.getRandomValues(new Uint8Array(32)));
  const { id, metadata, signature } = await sign({ challenge, rpId: window.location.hostname });
  for (const { x, y } of state.keys) {
    const publicKey = { prefix: 4, x: BigInt(x), y: BigInt(y) } as const;
    if (verify({ challenge, metadata, publicKey, signature })) {
      return { id, publicKey: `0x${x.slice(2)}${y.slice(2)}`, account };
    }
  }
  throw new ActionError(
    "OtherPasskey",
    "This passkey is none of the account's; choose another, or have the recovery wallet recover the account.",
  );
}
