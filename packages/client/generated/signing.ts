// Written by `npm run abi` from the contracts; do not edit.

/** The EIP-712 types of everything that is signed, by the name of the outermost type. */
export const TYPED_DATA = {
  CheckpointReceipt: {
    CheckpointReceipt: [
      { name: "leaseId", type: "uint32" },
      { name: "fence", type: "uint24" },
      { name: "digest", type: "bytes32" },
      { name: "codec", type: "uint16" },
      { name: "progress", type: "uint40" },
      { name: "size", type: "uint64" },
      { name: "nodeId", type: "uint32" },
    ],
  },
  OperatorConsent: {
    OperatorConsent: [
      { name: "owner", type: "address" },
      { name: "operator", type: "address" },
      { name: "deadline", type: "uint256" },
    ],
  },
  Permit: {
    Permit: [
      { name: "owner", type: "address" },
      { name: "spender", type: "address" },
      { name: "value", type: "uint256" },
      { name: "nonce", type: "uint256" },
      { name: "deadline", type: "uint256" },
    ],
  },
  Report: {
    Report: [
      { name: "nodeId", type: "uint32" },
      { name: "sequence", type: "uint32" },
      { name: "load", type: "uint16" },
      { name: "latency", type: "uint16" },
      { name: "watts", type: "uint32" },
      { name: "renewable", type: "bool" },
    ],
  },
  UserOperationRequest: {
    UserOperationRequest: [
      { name: "sender", type: "address" },
      { name: "nonce", type: "uint256" },
      { name: "initCode", type: "bytes" },
      { name: "callData", type: "bytes" },
      { name: "accountGasLimits", type: "bytes32" },
      { name: "preVerificationGas", type: "uint256" },
      { name: "gasFees", type: "bytes32" },
      { name: "paymasterVerificationGasLimit", type: "uint256" },
      { name: "paymasterPostOpGasLimit", type: "uint256" },
      { name: "validAfter", type: "uint48" },
      { name: "validUntil", type: "uint48" },
    ],
  },
} as const;

/** Name and version of the EIP-712 domain of the protocol's contracts; the token has its own. */
export const SIGNING_DOMAIN = { name: "DRMP", version: "1" } as const;
