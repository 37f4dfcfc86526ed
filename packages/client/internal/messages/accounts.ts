import { eth, time } from "../format.ts";
import { fixed, type ErrorMessages } from "./message.ts";

const day = (seconds: bigint): string => `${String(Number(seconds) / 86_400)} days`;

/** Sentences for the errors of passkey accounts, their factory and sponsors. */
export const ACCOUNTS: ErrorMessages = {
  "AccountUnauthorized(address)": {
    say: (a) => `${a.text("sender")} may not act for this account; sign with one of its passkeys.`,
  },
  "UnsupportedExecutionMode()": fixed("The account carries out batches of calls only; send one in mode 0x01."),
  "ERC7579DecodingError()": fixed("The batch of calls cannot be read; encode it as (address, uint256, bytes)[]."),
  "ERC7579UnsupportedExecType(bytes1)": {
    say: (a) =>
      `The account does not know the way ${a.text("execType")} to carry out a batch; use 0x00, in which a call that fails reverts all.`,
  },
  "OutOfRangeAccess()": fixed("The batch of calls is cut off; encode it again."),
  "InvalidInitialization()": fixed("The account has its first passkey already; add another one with addKey."),
  "NotInitializing()": fixed("This belongs to the creation of an account; create one with the factory."),
  "FailedDeployment()": fixed("The account could not be created; check that the factory belongs to this chain."),
  "InvalidKey(bytes32,bytes32)": {
    say: (a) =>
      `The key (${a.text("x")}, ${a.text("y")}) is no point of the curve P-256; create the passkey with ES256.`,
  },
  "KeyKnown(bytes32,bytes32)": {
    say: (a) => `The account has the passkey (${a.text("x")}, ${a.text("y")}) already; nothing is left to do.`,
  },
  "KeyUnknown(bytes32,bytes32)": {
    say: (a) => `The account has no passkey (${a.text("x")}, ${a.text("y")}); read its keys again.`,
  },
  "TooManyPasskeys(uint256)": {
    say: (a) => `The account has ${a.text("most")} passkeys, as many as it can have; remove one first.`,
  },
  "LastKey()": fixed("The last passkey of an account cannot be removed; add another one first."),
  "RecoveryWalletIsAccount()": fixed("An account cannot be its own recovery wallet; name another one."),
  "RecoveryDelayOutOfBounds(uint32,uint32,uint32)": {
    say: (a) =>
      `A recovery delay of ${day(a.int("delay"))} is out of bounds; choose ${day(a.int("min"))} to ${day(a.int("max"))}.`,
  },
  "NotRecoveryWallet(address)": {
    say: (a) => `${a.text("caller")} is not the recovery wallet of this account; use the wallet that its owner named.`,
  },
  "NoRecovery()": fixed("No recovery of this account is under way; start one with the recovery wallet."),
  "RecoveryNotReady(uint40)": {
    say: (a) => `The recovery can be finished from ${time(a.int("readyAt"))} on; wait until then.`,
    retryable: true,
  },
  "PaymasterUnauthorized(address)": {
    say: (a) => `${a.text("sender")} is not the entry point; send the operation there.`,
  },
  "OperationTooDear(uint256,uint256)": {
    say: (a) =>
      `The operation can cost ${eth(a.int("maxCost"))}, more than the ${eth(a.int("limit"))} that the sponsor pays for one; send fewer calls in it, or pay for it yourself.`,
  },
  "DayUsedUp(uint256,uint256)": {
    say: (a) =>
      `The sponsor pays ${eth(a.int("limit"))} a day, and this operation would make it ${eth(a.int("committed"))}; wait until tomorrow, or pay for it yourself.`,
    retryable: true,
  },
  "ValidityTooLong(uint48,uint48)": {
    say: (a) =>
      `The sponsor's signature holds from second ${a.text("validAfter")} to second ${a.text("validUntil")}; sign for an hour at most.`,
  },
  "OwnableUnauthorizedAccount(address)": {
    say: (a) => `${a.text("account")} does not own this contract; use its owner's account.`,
  },
  "OwnableInvalidOwner(address)": {
    say: (a) => `${a.text("owner")} cannot own this contract; name another owner.`,
  },
};
