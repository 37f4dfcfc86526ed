/** What a node says about a call or transaction in words of its own. */
export interface RpcMessage {
  readonly says: RegExp;
  /** Stable code of the {@link ChainError} that it becomes. */
  readonly code: string;
  readonly retryable: boolean;
  readonly sentence: string;
  /** It says something about this node, not about the chain: another endpoint may accept what this one refuses. */
  readonly local?: true;
}

/**
 * Sentences of nodes (Geth, op-geth, Reth, Nethermind, Erigon, Besu, Hardhat) that are answers: the transaction or call
 * was looked at, and this came of it. A sentence that is not listed here is no answer. The first match wins, so the
 * narrower one comes first.
 */
export const RPC_MESSAGES: readonly RpcMessage[] = [
  {
    // The allowance is the RPC's own gas cap where it is large, and what the balance pays for where it is small.
    says: /gas required exceeds allowance \(\d{1,7}\)/i,
    code: "ETH_TOO_LOW",
    retryable: false,
    sentence: "The sender has too little ETH for the call's gas; send it some ETH on this chain.",
  },
  {
    says: /insufficient (funds|balance)|(doesn't|does not) have enough (funds|balance)|INSUFFICIENT_?FUNDS|upfront cost exceeds account balance|would cause overdraft/i,
    code: "ETH_TOO_LOW",
    retryable: false,
    sentence: "The sender has too little ETH for the transaction's gas; send it some ETH on this chain.",
  },
  {
    says: /nonce too low|nonce is too low|nonce has already been used|NONCE_EXPIRED|OldNonce|nonce below current/i,
    code: "NONCE_TOO_LOW",
    retryable: true,
    sentence:
      "The nonce was used by another transaction of the same key; try again, and give each program a key of its own.",
  },
  {
    says: /gapped-nonce|nonce too high|nonce gap|nonce (is )?too (distant|far)|NonceGap|nonce has max value/i,
    code: "NONCE_TOO_HIGH",
    retryable: true,
    sentence:
      "An earlier transaction of the same key is missing at this node; wait until it is mined, or send it again first.",
    local: true,
  },
  {
    says: /future transaction tries to replace pending/i,
    code: "NONCE_TOO_HIGH",
    retryable: true,
    sentence:
      "The node's pool keeps the place for transactions that are next in line; wait until the earlier ones of this key are mined.",
    local: true,
  },
  {
    says: /replacement (transaction|fee)|REPLACEMENT_UNDERPRICED|ReplacementNotAllowed/i,
    code: "REPLACEMENT_UNDERPRICED",
    retryable: true,
    sentence:
      "Another transaction with this nonce waits, and the new one pays too little to replace it; wait, or pay at least 12.5 % more.",
  },
  {
    says: /already known|AlreadyKnown|\bknown transaction|already imported|already exists in the (pool|mempool)/i,
    code: "ALREADY_KNOWN",
    retryable: false,
    sentence: "The node has this very transaction already; wait for its receipt.",
  },
  {
    // Before all that speaks of caps: this one is about money, set by the node's operator, not about gas.
    says: /tx fee .*exceeds the configured cap|transaction fee cap exceeded|fee exceeds the (configured )?(maximum|cap)/i,
    code: "RPC_FEE_CAP",
    retryable: false,
    sentence:
      "The RPC endpoint refuses transactions whose fee may exceed a cap of its own; lower maxFeePerGas, or use an endpoint without such a cap.",
    local: true,
  },
  {
    says: /max ?priority ?fee ?per ?gas.*(higher|greater|above|exceeds)|priority fee.*(higher|greater) than|tip.*(higher|above) than .*fee ?cap/i,
    code: "FEES_CONTRADICT",
    retryable: false,
    sentence: "The tip per gas is higher than the whole fee per gas; lower priorityFeePerGas, or raise maxFeePerGas.",
  },
  {
    says: /less than block base fee|lower than the (block's|next block's|current) base|max fee per gas less than|fee ?cap (is )?(too low|less than)|underpriced|maxFeePerGas.*too low|FeeTooLow|below the minimum.*(fee|price)|gas price (is )?(too low|below)/i,
    code: "FEE_TOO_LOW",
    retryable: true,
    sentence: "The fee per gas is below what the chain takes now; try again with a fresh fee.",
  },
  {
    says: /(tx|transaction) ?pool is full|pool (is )?full|pool overflow|account (limit|slots?) (exceeded|reached)|too many pending transactions/i,
    code: "POOL_FULL",
    retryable: true,
    sentence: "The node's pool of waiting transactions is full; try again later, or use another endpoint.",
    local: true,
  },
  {
    says: /address already reserved|in-flight transaction limit reached/i,
    code: "SENDER_LIMITED",
    retryable: true,
    sentence:
      "The node allows this key no further transaction while earlier ones wait (it has a delegation, or sent blobs); wait until they are mined.",
    local: true,
  },
  {
    says: /interop tx filtered|transaction (was )?(rejected|filtered)|blocked by (the )?(policy|filter)/i,
    code: "TRANSACTION_FILTERED",
    retryable: true,
    sentence: "The RPC endpoint filters this transaction by a rule of its own; try again, or use another endpoint.",
    local: true,
  },
  {
    says: /intrinsic gas too high|intrinsic gas exceeds|exceeds (the )?(max(imum)? |block )?gas limit|gas limit (is )?too high|transaction gas cap|gas.*(exceeds|greater than|higher than).*(gas (limit|cap)|\bcap\b)/i,
    code: "GAS_TOO_HIGH",
    retryable: false,
    sentence: "The transaction needs more gas than one transaction may use (16,777,216); do less in one transaction.",
  },
  {
    says: /intrinsic gas too low|intrinsic gas.*too low|gas limit (is )?below intrinsic|gas floor|floor data gas/i,
    code: "GAS_TOO_LOW",
    retryable: false,
    sentence: "The transaction's gas limit does not even pay for its data; raise the gas limit.",
  },
  {
    says: /out of gas|ran out of gas|gas required exceeds|gas uint64 overflow/i,
    code: "OUT_OF_GAS",
    retryable: false,
    sentence: "The call ran out of gas; do less at once.",
  },
  {
    says: /invalid (sender|signature)|only replay-protected|invalid chain ?id|wrong chain ?id|(transaction|tx) type not supported|type not supported|oversized data|max initcode size|initcode size|negative value|typed transaction too short|^rlp: |could not decode .*transaction/i,
    code: "TRANSACTION_INVALID",
    retryable: false,
    sentence:
      "The node takes no transaction of this form; check that the endpoint serves the chain that the key signs for.",
  },
  {
    says: /invalid opcode|invalid jump|stack (under|over)flow|stack limit reached|write protection|return data out of bounds|max code size|contract (address )?collision|InvalidFEOpcode|StaticStateChange|transaction reverted|VM (execution )?(error|exception)|EVM error|always failing transaction/i,
    code: "REVERTED_WITHOUT_REASON",
    retryable: false,
    sentence: "The call failed without a reason; check that the deployment belongs to this chain.",
  },
];
