import {
  AbstractSigner,
  FetchRequest,
  getAddress,
  type Provider,
  resolveAddress,
  resolveProperties,
  toBeHex,
  Transaction,
  type TransactionRequest,
  type TypedDataDomain,
  TypedDataEncoder,
  type TypedDataField,
  verifyTypedData,
} from "ethers";

import { ChainError } from "./errors.ts";
import { secretsOf, shownName } from "./internal/rpc-redact.ts";

/** Time for an answer, milliseconds: a person may have to confirm on a device. */
const TIMEOUT_MS = 60_000;

/**
 * A signer whose key lives elsewhere: Web3Signer, Clef, or anything that answers `eth_signTransaction` and
 * `eth_signTypedData` over JSON-RPC. What comes back is checked: a signature of another key, or of something else than
 * was asked for, is never used.
 */
export class RemoteSigner extends AbstractSigner {
  readonly address: string;
  readonly #url: string;

  /** @param address Whose key is to sign; checksummed or not. */
  constructor(url: string, address: string, provider?: Provider) {
    super(provider);
    this.#url = url;
    this.address = getAddress(address);
  }

  /** @inheritdoc */
  override async getAddress(): Promise<string> {
    return this.address;
  }

  /** @inheritdoc */
  override connect(provider: Provider): RemoteSigner {
    return new RemoteSigner(this.#url, this.address, provider);
  }

  /** @inheritdoc */
  override async signTransaction(request: TransactionRequest): Promise<string> {
    const { from: _from, ...fields } = await resolveProperties(request);
    const wanted = Transaction.from({
      ...fields,
      to: fields.to ? await resolveAddress(fields.to, this.provider) : null,
    } as Parameters<typeof Transaction.from>[0] & object);
    const answer = await this.#ask("eth_signTransaction", [callOf(wanted, this.address)]);
    // Web3Signer answers with the bytes, Clef and Geth with an object around them.
    const raw = typeof answer === "object" && answer !== null && "raw" in answer ? answer.raw : answer;
    if (typeof raw !== "string") throw this.#unusable("its answer holds no signed transaction");
    const signed = Transaction.from(raw);
    if (signed.unsignedHash !== wanted.unsignedHash)
      throw this.#unusable("it signed another transaction than it was asked to");
    if (signed.from !== this.address) throw this.#unusable(`it signed with the key of ${String(signed.from)}`);
    return raw;
  }

  /** @inheritdoc */
  override async signTypedData(
    domain: TypedDataDomain,
    types: Record<string, TypedDataField[]>,
    value: Record<string, unknown>,
  ): Promise<string> {
    const payload = TypedDataEncoder.getPayload(domain, types, value) as object;
    const signature = await this.#ask("eth_signTypedData", [this.address, payload]);
    if (typeof signature !== "string") throw this.#unusable("its answer is no signature");
    const by = verifyTypedData(domain, types, value, signature);
    if (by !== this.address)
      throw this.#unusable(`it signed with the key of ${by}, or something else than it was asked to`);
    return signature;
  }

  /** Not needed by the protocol. */
  override async signMessage(): Promise<string> {
    throw new ChainError("SIGNER_UNUSABLE", false, "A remote signer is never asked to sign plain messages.");
  }

  async #ask(method: string, params: readonly unknown[]): Promise<unknown> {
    const request = new FetchRequest(this.#url);
    request.timeout = TIMEOUT_MS;
    request.retryFunc = async () => false;
    request.setHeader("content-type", "application/json");
    request.body = JSON.stringify({ jsonrpc: "2.0", id: 1, method, params });
    let body: { result?: unknown; error?: { message?: string } };
    try {
      const response = await request.send();
      body = response.bodyJson as typeof body;
    } catch (error) {
      // The error itself is not kept: it holds the whole address, which may hold an access key.
      const code = error instanceof Error && "code" in error ? String(error.code) : "unknown";
      throw new ChainError(
        "SIGNER_UNREACHABLE",
        true,
        `The remote signer at ${this.#place} gave no answer (${code}); check that it runs and can be reached.`,
        { details: { code } },
      );
    }
    if (body.error) {
      throw this.#unusable(secretsOf(this.#url)(body.error.message ?? "it refused without a reason"));
    }
    return body.result;
  }

  #unusable(why: string): ChainError {
    return new ChainError(
      "SIGNER_UNUSABLE",
      false,
      `The remote signer at ${this.#place} did not sign for ${this.address}: ${why}. Check its keys and policy.`,
    );
  }

  /** Without path and credentials. */
  get #place(): string {
    return shownName(this.#url);
  }
}

/** A transaction as JSON-RPC writes it. */
function callOf(transaction: Transaction, from: string): Record<string, unknown> {
  const quantity = (value: bigint | number | null) =>
    value === null ? undefined : toBeHex(value).replace(/^0x0+(?=.)/, "0x");
  return {
    from,
    to: transaction.to ?? undefined,
    gas: quantity(transaction.gasLimit),
    maxFeePerGas: quantity(transaction.maxFeePerGas),
    maxPriorityFeePerGas: quantity(transaction.maxPriorityFeePerGas),
    value: quantity(transaction.value),
    nonce: quantity(transaction.nonce),
    data: transaction.data,
    chainId: quantity(transaction.chainId),
  };
}
