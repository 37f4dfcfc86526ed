import { DrmpError } from "@verai/errors/drmp-error";

/** Codes of the JSON-RPC errors that wallets know (ERC-7769, ERC-7677). */
export const RPC_CODES = {
  parse: -32_700,
  request: -32_600,
  method: -32_601,
  parameters: -32_602,
  internal: -32_603,
  rejected: -32_500,
  paymaster: -32_501,
  busy: -32_504,
  signature: -32_507,
  reverted: -32_521,
} as const;

/** A request that is refused; the message goes to who asked. */
export class SponsorError extends DrmpError {
  override readonly name = "SponsorError";
  readonly rpc: number;

  constructor(code: string, rpc: keyof typeof RPC_CODES, message: string, retryable = false) {
    super(code, message, { retryable });
    this.rpc = RPC_CODES[rpc];
  }
}
