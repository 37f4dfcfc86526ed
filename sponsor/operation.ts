import { concat, dataLength, getAddress, TypedDataEncoder, toBeHex } from "ethers";
import { z } from "zod";

/** The entry point, version 0.8: at this address on every chain. */
export const ENTRY_POINT = "0x4337084D9E255Ff0702461CF8895CE9E3b5Ff108";

/** What is used of the entry point. */
export const ENTRY_POINT_ABI = [
  "function handleOps(tuple(address sender, uint256 nonce, bytes initCode, bytes callData, bytes32 accountGasLimits, uint256 preVerificationGas, bytes32 gasFees, bytes paymasterAndData, bytes signature)[] ops, address beneficiary)",
  "function getNonce(address sender, uint192 key) view returns (uint256)",
  "function balanceOf(address account) view returns (uint256)",
  "event UserOperationEvent(bytes32 indexed userOpHash, address indexed sender, address indexed paymaster, uint256 nonce, bool success, uint256 actualGasCost, uint256 actualGasUsed)",
  "error FailedOp(uint256 opIndex, string reason)",
  "error FailedOpWithRevert(uint256 opIndex, string reason, bytes inner)",
];

/** Bytes of an operation's data at most: a submission takes some 1,500. */
const MAX_DATA = 16 * 1024;

const quantity = z
  .string()
  .regex(/^0x[0-9a-fA-F]{1,64}$/, { error: "has to be a number in hexadecimal" })
  .transform(BigInt);
const gas = quantity.refine((value) => value < 1n << 128n, { error: "is too large" });
const bytes = z
  .string()
  .regex(/^0x(?:[0-9a-fA-F]{2})*$/, { error: "has to be bytes in hexadecimal" })
  .max(2 + 2 * MAX_DATA);
export const address = z
  .string()
  .regex(/^0x[0-9a-fA-F]{40}$/, { error: "has to be an address" })
  .transform((text) => getAddress(text.toLowerCase()));

/** An operation as wallets send it (ERC-4337 for entry points from 0.7 on). Unknown fields are dropped. */
export const operation = z.object({
  sender: address,
  nonce: quantity,
  factory: address.nullish(),
  factoryData: bytes.nullish(),
  callData: bytes,
  callGasLimit: gas.default(0n),
  verificationGasLimit: gas.default(0n),
  preVerificationGas: gas.default(0n),
  maxFeePerGas: gas.default(0n),
  maxPriorityFeePerGas: gas.default(0n),
  paymaster: address.nullish(),
  paymasterVerificationGasLimit: gas.default(0n),
  paymasterPostOpGasLimit: gas.default(0n),
  paymasterData: bytes.nullish(),
  signature: bytes.default("0x"),
});

/** One of them. */
export type Operation = z.output<typeof operation>;

/** An operation as the entry point takes it. */
export interface PackedOperation {
  readonly sender: string;
  readonly nonce: bigint;
  readonly initCode: string;
  readonly callData: string;
  readonly accountGasLimits: string;
  readonly preVerificationGas: bigint;
  readonly gasFees: string;
  readonly paymasterAndData: string;
  readonly signature: string;
}

const word = (high: bigint, low: bigint): string => concat([toBeHex(high, 16), toBeHex(low, 16)]);

/** Packs an operation. Pure. */
export function pack(op: Operation): PackedOperation {
  return {
    sender: op.sender,
    nonce: op.nonce,
    initCode: op.factory ? concat([op.factory, op.factoryData ?? "0x"]) : "0x",
    callData: op.callData,
    accountGasLimits: word(op.verificationGasLimit, op.callGasLimit),
    preVerificationGas: op.preVerificationGas,
    gasFees: word(op.maxPriorityFeePerGas, op.maxFeePerGas),
    paymasterAndData: op.paymaster
      ? concat([
          op.paymaster,
          word(op.paymasterVerificationGasLimit, op.paymasterPostOpGasLimit),
          op.paymasterData ?? "0x",
        ])
      : "0x",
    signature: op.signature,
  };
}

/** What an operation can cost at most, wei of ETH: all its gas at its highest fee, as the entry point reckons it. Pure. */
export function maxCost(op: Operation): bigint {
  const { callGasLimit, verificationGasLimit, preVerificationGas } = op;
  const { paymasterVerificationGasLimit, paymasterPostOpGasLimit } = op;
  const all =
    callGasLimit + verificationGasLimit + preVerificationGas + paymasterVerificationGasLimit + paymasterPostOpGasLimit;
  return all * op.maxFeePerGas;
}

/** The hash that names an operation and that its account's passkey signs (EIP-712). Pure. */
export function operationHash(op: PackedOperation, chainId: number): string {
  const domain = { name: "ERC4337", version: "1", chainId, verifyingContract: ENTRY_POINT };
  const fields = [
    ["address", "sender"],
    ["uint256", "nonce"],
    ["bytes", "initCode"],
    ["bytes", "callData"],
    ["bytes32", "accountGasLimits"],
    ["uint256", "preVerificationGas"],
    ["bytes32", "gasFees"],
    ["bytes", "paymasterAndData"],
  ].map(([type = "", name = ""]) => ({ type, name }));
  const { signature: _, ...signed } = op;
  return TypedDataEncoder.hash(domain, { PackedUserOperation: fields }, signed);
}

/** Gas of an operation that is not the account's: the bundle's transaction, its data, the entry point's own work. Pure. */
export function ownGas(op: PackedOperation): bigint {
  const bytes = dataLength(op.initCode) + dataLength(op.callData) + dataLength(op.paymasterAndData) + 700;
  return 55_000n + BigInt(bytes) * 12n;
}
