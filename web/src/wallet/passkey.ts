import {
  type Address,
  concatHex,
  encodeAbiParameters,
  encodeFunctionData,
  type Hex,
  type Log,
  type PublicClient,
  toHex,
} from "viem";

import { passkeyAccountAbi } from "@verai/client/typed-abi/PasskeyAccount";
import { passkeyAccountFactoryAbi } from "@verai/client/typed-abi/PasskeyAccountFactory";
import { addressOf, type Config } from "../config.ts";
import type { Call } from "./calls.ts";
import { ActionError } from "./explain.ts";
import { UnknownOutcome } from "./outcome.ts";
import { askRelay, receiptOf } from "./relay.ts";
import { forgetSent, noteSent, stopWaiting } from "./sent.ts";
import type { Signed, TypedRequest } from "./typed.ts";

/** A passkey that this browser has used, and its account. */
export interface Passkey {
  readonly id: string;
  /** Both coordinates, 64 bytes. */
  readonly publicKey: Hex;
  readonly account: Address;
}

/** A passkey as it was kept; undefined for anything else. */
export function parsePasskey(text: string | null): Passkey | undefined {
  try {
    const value = JSON.parse(text ?? "null") as Partial<Passkey> | null;
    const fine = value && typeof value.id === "string" && /^0x[0-9a-f]{40}$/i.test(value.account ?? "");
    return fine && typeof value.publicKey === "string" ? (value as Passkey) : undefined;
  } catch {
    return undefined;
  }
}

/** A batch in which a call that fails reverts all (ERC-7821). */
const BATCH: Hex = `0x01${"00".repeat(31)}`;
/** Time for an operation to be carried out, milliseconds. */
const CARRIED_OUT_MS = 90_000;
const LOOK_MS = 500;
/** Wei per gas beside the base fee. */
const TIP = 1_000_000n;

const NO_LIMITS = { paymasterVerificationGasLimit: "0x0", paymasterPostOpGasLimit: "0x0" } as const;
/** Of the form and size of a passkey's signature, for estimates. */
const STAND_IN = {
  signature: `0x${"11".repeat(64)}`,
  webauthn: {
    authenticatorData: `0x${"11".repeat(32)}0500000000`,
    clientDataJSON: `{"type":"webauthn.get","challenge":"${"A".repeat(43)}","origin":"https://app.example.org","crossOrigin":false}`,
  },
} as const;

/** Whether passkey accounts can be used here: a relay, a factory, and a host that passkeys belong to. */
export function passkeysHere({ relayUrl, deployment }: Config): boolean {
  return relayUrl !== undefined && deployment["PasskeyAccountFactory"] !== undefined && "credentials" in navigator;
}

/** Whether the page's host can have passkeys: one by name, not a numeric address. */
export function hostHasPasskeys(): boolean {
  return window.isSecureContext && !/^[\d.]+$|^\[/.test(window.location.hostname);
}

/** Both coordinates of a public key. Pure. */
export function halves(publicKey: Hex): readonly [Hex, Hex] {
  const digits = publicKey.slice(-128);
  return [`0x${digits.slice(0, 64)}`, `0x${digits.slice(64)}`];
}

/** Has the device make a passkey. Its account exists from the first operation on. */
export async function createPasskey(config: Config, client: PublicClient): Promise<Passkey> {
  const { createWebAuthnCredential } = await import("viem/account-abstraction");
  const name = `DRMP ${config.network}`;
  // An id of its own: a passkey of the same id would replace the one before on the device.
  const user = { id: crypto.getRandomValues(new Uint8Array(16)), name, displayName: name };
  const { id, publicKey } = await createWebAuthnCredential({
    user,
    rp: { name: "DRMP", id: window.location.hostname },
  });
  const account = await client.readContract({
    address: addressOf(config, "PasskeyAccountFactory"),
    abi: passkeyAccountFactoryAbi,
    functionName: "accountOf",
    args: halves(publicKey),
  });
  return { id, publicKey, account };
}

/** What became of an operation. */
export interface Carried {
  readonly hash: Hex;
  readonly transaction: Hex;
  readonly logs: readonly Log[];
}

/**
 * Carries a batch out for a passkey's account: the sponsor pays, the device asks its user once.
 *
 * @param label What the button says that does it.
 */
export async function sendBatch(
  config: Config,
  client: PublicClient,
  passkey: Passkey,
  calls: readonly Call[],
  label: string,
): Promise<Carried> {
  const { entryPoint08Abi, entryPoint08Address, getUserOperationHash, toWebAuthnAccount } =
    await import("viem/account-abstraction");
  const [x, y] = halves(passkey.publicKey);
  const factory = addressOf(config, "PasskeyAccountFactory");
  const [nonce, code, { baseFeePerGas }] = await Promise.all([
    client.readContract({
      address: entryPoint08Address,
      abi: entryPoint08Abi,
      functionName: "getNonce",
      args: [passkey.account, 0n],
    }),
    client.getCode({ address: passkey.account }),
    client.getBlock(),
  ]);
  const data = encodeAbiParameters(
    [{ type: "tuple[]", components: [{ type: "address" }, { type: "uint256" }, { type: "bytes" }] }],
    [calls.map(({ to, data: each }) => [to, 0n, each] as const)] as never,
  );
  const bare = {
    sender: passkey.account,
    nonce,
    ...(code === undefined && {
      factory,
      factoryData: encodeFunctionData({ abi: passkeyAccountFactoryAbi, functionName: "create", args: [x, y] }),
    }),
    callData: encodeFunctionData({ abi: passkeyAccountAbi, functionName: "execute", args: [BATCH, data] }),
    maxFeePerGas: 2n * (baseFeePerGas ?? 0n) + TIP,
    maxPriorityFeePerGas: TIP,
    signature: fieldsOf(STAND_IN),
  };
  const fields = await sponsored(config, entryPoint08Address, bare);
  const operation = {
    ...bare,
    callGasLimit: BigInt(fields.callGasLimit),
    verificationGasLimit: BigInt(fields.verificationGasLimit),
    preVerificationGas: BigInt(fields.preVerificationGas),
    paymaster: fields.paymaster,
    paymasterData: fields.paymasterData,
    paymasterVerificationGasLimit: BigInt(fields.paymasterVerificationGasLimit),
    paymasterPostOpGasLimit: BigInt(fields.paymasterPostOpGasLimit),
  };
  const hash = getUserOperationHash({
    userOperation: operation,
    entryPointAddress: entryPoint08Address,
    entryPointVersion: "0.8",
    chainId: config.chainId,
  });
  const owner = toWebAuthnAccount({ credential: passkey, rpId: window.location.hostname });
  const signature = fieldsOf(await owner.sign({ hash }));
  noteSent(config.chainId, { account: passkey.account, label, kind: "operation", id: hash });
  try {
    await askRelay(config, "eth_sendUserOperation", [{ ...operation, signature }, entryPoint08Address]).catch(
      (error: unknown) => {
        // Without an answer it may be under way all the same.
        if (error instanceof ActionError && error.name === "RelayRefused") throw error;
      },
    );
    const carried = await carriedOut(config, hash);
    forgetSent(config.chainId, hash);
    return carried;
  } catch (error) {
    if (error instanceof UnknownOutcome) stopWaiting(config.chainId, hash);
    else forgetSent(config.chainId, hash);
    throw error;
  }
}

/** Signs typed data for a passkey's account, so that its contract knows the signature as its own (ERC-1271, ERC-7739). */
export async function signWithPasskey(config: Config, passkey: Passkey, typed: TypedRequest): Promise<Signed> {
  const [{ toWebAuthnAccount }, { hashTypedData, wrapTypedDataSignature }] = await Promise.all([
    import("viem/account-abstraction"),
    import("viem/experimental/erc7739"),
  ]);
  const verifierDomain = {
    name: "DRMP passkey account",
    version: "1",
    chainId: config.chainId,
    verifyingContract: passkey.account,
    salt: `0x${"00".repeat(32)}`,
  } as const;
  const hash = hashTypedData({ ...typed, verifierDomain } as never);
  const owner = toWebAuthnAccount({ credential: passkey, rpId: window.location.hostname });
  const signature = wrapTypedDataSignature({ ...typed, signature: fieldsOf(await owner.sign({ hash })) } as never);
  return { signature, account: passkey.account };
}

/** What a paymaster adds to an operation; the limits may come from the relay's estimate instead. */
interface PaymasterFields {
  readonly paymaster: Address;
  readonly paymasterData: Hex;
  readonly paymasterVerificationGasLimit?: Hex;
  readonly paymasterPostOpGasLimit?: Hex;
}

type GasFields = Readonly<Record<"callGasLimit" | "verificationGasLimit" | "preVerificationGas", Hex>>;

/**
 * Has an operation estimated and paid for (ERC-7677): what stands in for the paymaster's data counts in the relay's estimate, and the
 * paymaster signs for what was estimated.
 */
async function sponsored(config: Config, entryPoint: Address, operation: object) {
  const place = [entryPoint, toHex(config.chainId), {}] as const;
  const { isFinal, paymaster, paymasterData, ...limits } = await askRelay<
    PaymasterFields & { readonly isFinal?: boolean }
  >(config, "pm_getPaymasterStubData", [operation, ...place]);
  const stub = { paymaster, paymasterData, ...NO_LIMITS, ...limits };
  const estimated = await askRelay<GasFields & Partial<PaymasterFields>>(config, "eth_estimateUserOperationGas", [
    { ...operation, ...stub },
    entryPoint,
  ]);
  const all = { ...stub, ...estimated };
  if (isFinal === true) return all;
  const signed = await askRelay<PaymasterFields>(config, "pm_getPaymasterData", [{ ...operation, ...all }, ...place]);
  return { ...all, ...signed };
}

/** The six fields of an assertion, as the account's library reads them. */
function fieldsOf(signed: {
  readonly signature: Hex;
  readonly webauthn: {
    readonly authenticatorData: Hex;
    readonly clientDataJSON: string;
    readonly challengeIndex?: number | undefined;
    readonly typeIndex?: number | undefined;
  };
}): Hex {
  const { authenticatorData, clientDataJSON, challengeIndex, typeIndex } = signed.webauthn;
  return encodeAbiParameters(
    ["bytes32", "bytes32", "uint256", "uint256", "bytes", "string"].map((type) => ({ type })),
    [
      concatHex([`0x${signed.signature.slice(2, 66)}`]),
      concatHex([`0x${signed.signature.slice(66, 130)}`]),
      BigInt(challengeIndex ?? clientDataJSON.indexOf('"challenge"')),
      BigInt(typeIndex ?? clientDataJSON.indexOf('"type"')),
      authenticatorData,
      clientDataJSON,
    ],
  );
}

/**
 * Waits until an operation is carried out. A relay that gives no answer meanwhile is asked again: the operation is under way.
 *
 * @throws UnknownOutcome if it is not known in time.
 */
async function carriedOut(config: Config, hash: Hex): Promise<Carried> {
  let last: unknown;
  for (const end = performance.now() + CARRIED_OUT_MS; performance.now() < end;) {
    const found = await receiptOf(config, hash).catch((error: unknown) => {
      last = error;
      return undefined;
    });
    if (found) {
      if (found.success) return { hash, transaction: found.receipt.transactionHash, logs: found.logs };
      throw new ActionError(
        "OperationFailed",
        "The operation was carried out and failed: something changed since it was tried. Try again.",
      );
    }
    await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
  }
  throw new UnknownOutcome(`The operation ${hash}`, last);
}
