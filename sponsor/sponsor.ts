import { dataLength, type Signer, type TypedDataDomain, toQuantity, zeroPadValue, toBeHex, concat } from "ethers";

import type { TransactionQueue } from "@verai/client/tx/queue";
import { TYPED_DATA } from "@verai/client/generated/signing";
import { carriedOutIn, handleOps, MAX_CALL_GAS, type SponsorChain } from "./chain.ts";
import { SponsorError } from "./errors.ts";
import type { Ledger } from "./ledger.ts";
import { maxCost, type Operation, operationHash, ownGas, pack, type PackedOperation } from "./operation.ts";
import { creationKey, requirePaid, type Rules } from "./rules.ts";

/** Time that a signature holds, seconds. */
const VALIDITY = 600;
/** How far the chain's clock may be behind, seconds. */
const CLOCK_SLACK = 60;
/** Gas to check a passkey's signature: four keys at most, by the chain's own contract for P-256. */
const VERIFICATION_GAS = 250_000n;
/** Gas to create an account. */
const CREATION_GAS = 350_000n;
/** Gas for the paymaster. */
const PAYMASTER_GAS = 100_000n;
/** Operations that are sent at once, and wait. */
const MAX_WAITING = 64;
/** Wei per gas that a tip may be beside a tenth of the base fee: what is more would be earned by the sender of the operation. */
const TIP_FLOOR = 1_000_000n;

/** What wallets fill an operation in with. */
export interface PaymasterFields {
  readonly paymaster: string;
  readonly paymasterData: string;
  readonly paymasterVerificationGasLimit: string;
  readonly paymasterPostOpGasLimit: string;
}

/** What a sponsor works with. */
export interface SponsorContext {
  readonly chain: SponsorChain;
  readonly chainId: number;
  readonly rules: Rules;
  readonly ledger: Ledger;
  readonly paymaster: string;
  /** EIP-712 domain of the paymaster. */
  readonly domain: TypedDataDomain;
  readonly signer: Pick<Signer, "signTypedData">;
  readonly relayer: { readonly address: string; readonly queue: Pick<TransactionQueue, "submit"> };
  /** The account of a passkey. */
  readonly accountOf: (x: string, y: string) => Promise<string>;
  readonly onSent: (hash: string, transaction: string, success: boolean) => void;
  readonly onFailure: (hash: string, error: unknown) => void;
}

/** Signs for operations, sends them, and keeps count: what anybody may ask a sponsor for. */
export class Sponsor {
  readonly #context: SponsorContext;
  readonly #sending = new Map<string, Promise<void>>();

  constructor(context: SponsorContext) {
    this.#context = context;
  }

  /** What an operation will need, with enough to spare that it does not fail; ERC-7769. */
  async estimate(op: Operation): Promise<Record<string, string>> {
    await this.#requirePaid(op);
    const { chain } = this.#context;
    const [gas, { baseFee }] = await Promise.all([chain.batchGas(op), chain.head()]);
    const callGasLimit = (gas * 115n) / 100n + 30_000n;
    const own = await this.#ownGas(op, op.maxFeePerGas === 0n ? baseFee + 1n : op.maxFeePerGas);
    return {
      callGasLimit: toQuantity(callGasLimit < MAX_CALL_GAS ? callGasLimit : MAX_CALL_GAS),
      verificationGasLimit: toQuantity(VERIFICATION_GAS + (op.factory ? CREATION_GAS : 0n)),
      preVerificationGas: toQuantity(own),
      paymasterVerificationGasLimit: toQuantity(PAYMASTER_GAS),
      paymasterPostOpGasLimit: toQuantity(1n),
    };
  }

  /** What stands in for the sponsor's data while a wallet estimates; ERC-7677. Signs nothing. */
  stub(op: Operation): PaymasterFields & { readonly isFinal: false } {
    requirePaid(this.#context.rules, op);
    return { ...this.#fields(concat([times(1, 1), `0x${"ff".repeat(64)}1c`])), isFinal: false };
  }

  /**
   * Signs for an operation, once it is counted; ERC-7677.
   *
   * @param client Who asks, as limits count it.
   * @throws SponsorError saying what is not paid for, or which limit is reached.
   */
  async sponsor(op: Operation, client: string): Promise<PaymasterFields> {
    const { chain, chainId, ledger, domain, signer } = this.#context;
    await this.#requirePaid(op);
    const head = await chain.head();
    await this.#requireFair(op, head.baseFee);
    await chain.tryBatch(op);
    const [from, until] = [head.time - CLOCK_SLACK, head.time + VALIDITY];
    const complete: Operation = {
      ...op,
      paymaster: this.#context.paymaster,
      paymasterVerificationGasLimit: PAYMASTER_GAS,
      paymasterPostOpGasLimit: 1n,
    };
    const { signature: _, paymasterAndData: __, ...request } = pack(complete);
    const signature = await signer.signTypedData(
      domain,
      { UserOperationRequest: [...TYPED_DATA.UserOperationRequest.UserOperationRequest] },
      {
        ...request,
        paymasterVerificationGasLimit: PAYMASTER_GAS,
        paymasterPostOpGasLimit: 1n,
        validAfter: from,
        validUntil: until,
      },
    );
    const paymasterData = concat([times(from, until), signature]);
    const signed: Operation = { ...complete, paymasterData };
    // Counted before the signature leaves: whatever becomes of it, the limits hold.
    ledger.reserve(
      {
        hash: operationHash(pack(signed), chainId),
        account: op.sender,
        nonce: op.nonce,
        client,
        creates: Boolean(op.factory),
        maxCost: maxCost(signed),
        validUntil: until,
        block: head.number,
      },
      head.time,
    );
    return this.#fields(paymasterData);
  }

  /**
   * Sends an operation that the sponsor has signed for. Sent again it is the same operation, and paid for once.
   *
   * @returns Its hash, once it will be sent.
   */
  async send(op: Operation): Promise<string> {
    const { chain, chainId, ledger, paymaster, relayer } = this.#context;
    const packed = pack(op);
    const hash = operationHash(packed, chainId);
    const entry = ledger.find(hash);
    if (op.paymaster !== paymaster || !entry) {
      throw new SponsorError(
        "NOT_SIGNED",
        "paymaster",
        "Only operations that this sponsor has signed for are sent; ask pm_getPaymasterData first.",
      );
    }
    if (entry.state !== "signed") return hash;
    if (this.#sending.size >= MAX_WAITING) {
      throw new SponsorError("BUSY", "busy", "Too many operations wait to be sent; ask again in a few seconds.", true);
    }
    await chain.tryOperation(packed, relayer.address);
    // What failed would be paid for as well: nothing is sent that fails now.
    await chain.tryBatch(op, op.callGasLimit + 60_000n);
    if (!ledger.claim(hash)) return hash;
    const sending = this.#relay(hash, packed).finally(() => this.#sending.delete(hash));
    this.#sending.set(hash, sending);
    return hash;
  }

  async #relay(hash: string, packed: PackedOperation): Promise<void> {
    const { chain, ledger, relayer, onSent, onFailure } = this.#context;
    try {
      const receipt = await relayer.queue.submit({
        label: `operation ${hash.slice(0, 10)}`,
        prepare: async () => {
          await chain.tryOperation(packed, relayer.address);
          return handleOps(packed, relayer.address);
        },
      });
      const found = receipt?.logs.map((log) => carriedOutIn(log)).find((each) => each?.hash === hash);
      if (!found) return ledger.unclaim(hash);
      ledger.settle(hash, found.success, found.cost, found.transaction);
      onSent(hash, found.transaction, found.success);
    } catch (error) {
      // It may be on its way nevertheless: the next look at the chain finds it, or that it can no longer come.
      ledger.unclaim(hash);
      onFailure(hash, error);
    }
  }

  /** What became of an operation; null as long as it is not known. ERC-7769. */
  async receipt(hash: string): Promise<object | null> {
    const { chain, ledger, paymaster } = this.#context;
    const entry = ledger.find(hash);
    if (!entry || entry.transaction === "") return null;
    const receipt = await chain.receipt(entry.transaction);
    const found = receipt?.logs.map((log) => carriedOutIn(log)).find((each) => each?.hash === hash);
    if (!receipt || !found) return null;
    const { account: sender, nonce, success, cost, gasUsed } = found;
    return {
      ...{ userOpHash: hash, sender, paymaster, success, logs: receipt.logs, receipt: receipt.raw },
      nonce: toQuantity(nonce),
      actualGasCost: toQuantity(cost),
      actualGasUsed: toQuantity(gasUsed),
    };
  }

  /** Looks what became of operations that others may have sent, or whose time is over. Level-triggered. */
  async look(): Promise<void> {
    const { chain, ledger, paymaster } = this.#context;
    const head = await chain.head();
    for (const { hash, account, nonce, validUntil, block } of ledger.open()) {
      if (this.#sending.has(hash)) continue;
      const used = (await chain.nonce(account, nonce >> 64n)) > nonce;
      // By account and nonce: of two operations with one nonce the other one may have been carried out.
      const found = used ? await chain.carriedOut(paymaster, account, nonce, block) : undefined;
      if (found) ledger.settle(hash, found.success, found.cost, found.transaction);
      else if (used || head.time > validUntil + CLOCK_SLACK) ledger.discard(hash);
    }
    ledger.forget(head.time);
  }

  /** Waits for what is being sent, the rest is looked for after the next start. */
  async stop(): Promise<void> {
    await Promise.all(this.#sending.values());
  }

  /** @throws SponsorError for whatever is not DRMP's. */
  async #requirePaid(op: Operation): Promise<void> {
    const { chain, rules, accountOf } = this.#context;
    requirePaid(rules, op);
    const exists = await chain.exists(op.sender);
    const key = creationKey(op);
    if (exists && key)
      throw new SponsorError("ACCOUNT_EXISTS", "rejected", `${op.sender} exists; leave its creation out.`);
    if (!exists && !key)
      throw new SponsorError("NO_ACCOUNT", "rejected", `${op.sender} does not exist; create it in the operation.`);
    if (key && (await accountOf(...key)) !== op.sender) {
      throw new SponsorError("NOT_ITS_ACCOUNT", "rejected", `${op.sender} is not the account of this passkey.`);
    }
  }

  /** @throws SponsorError where an operation offers more than it costs: its sender would keep the rest. */
  async #requireFair(op: Operation, baseFee: bigint): Promise<void> {
    const refuse = (code: string, what: string, value: bigint, most: bigint) => {
      const message = `${what} is ${String(value)}, and at most ${String(most)} are paid for; estimate again.`;
      throw new SponsorError(code, "paymaster", message, true);
    };
    const maxTip = baseFee / 10n + TIP_FLOOR;
    const maxFee = 3n * baseFee + maxTip;
    const own = await this.#ownGas(op, op.maxFeePerGas);
    const verification = VERIFICATION_GAS + (op.factory ? CREATION_GAS : 0n);
    if (op.maxFeePerGas > maxFee) refuse("FEE_TOO_HIGH", "maxFeePerGas", op.maxFeePerGas, maxFee);
    if (op.maxPriorityFeePerGas > maxTip) {
      refuse("TIP_TOO_HIGH", "maxPriorityFeePerGas", op.maxPriorityFeePerGas, maxTip);
    }
    if (op.preVerificationGas > (own * 13n) / 10n) {
      refuse("OWN_GAS_TOO_HIGH", "preVerificationGas", op.preVerificationGas, (own * 13n) / 10n);
    }
    if (op.verificationGasLimit > verification) {
      refuse("VERIFICATION_TOO_HIGH", "verificationGasLimit", op.verificationGasLimit, verification);
    }
    if (op.callGasLimit > MAX_CALL_GAS) refuse("CALL_GAS_TOO_HIGH", "callGasLimit", op.callGasLimit, MAX_CALL_GAS);
  }

  /** Gas beside the account's own: the bundle's transaction, and its L1 data fee in gas of the operation's fee. */
  async #ownGas(op: Operation, fee: bigint): Promise<bigint> {
    const packed = pack(op);
    const bytes = dataLength(packed.callData) + dataLength(packed.initCode) + 1_200;
    const l1 = await this.#context.chain.l1Fee(bytes);
    return ownGas(packed) + (fee === 0n ? 0n : l1 / fee);
  }

  #fields(paymasterData: string): PaymasterFields {
    return {
      paymaster: this.#context.paymaster,
      paymasterData,
      paymasterVerificationGasLimit: toQuantity(PAYMASTER_GAS),
      paymasterPostOpGasLimit: toQuantity(1n),
    };
  }
}

/** From when and until when a signature holds, as the paymaster reads it. */
function times(from: number, until: number): string {
  return concat([zeroPadValue(toBeHex(from), 6), zeroPadValue(toBeHex(until), 6)]);
}
