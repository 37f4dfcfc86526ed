import { time, ver } from "../format.ts";
import { fixed, type ErrorMessages } from "./message.ts";

/** Sentences for the errors of the vault, the token, its permits and the faucet. */
export const MONEY: ErrorMessages = {
  "EscrowTooLow(uint32,uint256,uint256)": {
    say: (a) =>
      `The escrow of task ${a.text("taskId")} holds ${ver(a.int("available"))}, less than the ${ver(a.int("needed"))} asked for; ` +
      `this is a defect of the contracts, please report it.`,
  },
  "OutletTooFast(uint256,uint256,uint256)": {
    say: (a) =>
      `${ver(a.int("amount"))} are more than can be paid from the bounty pool until ${time(a.int("until"))}, which is ${ver(a.int("left"))}; pay less, or wait.`,
    retryable: true,
  },
  "FeesTooLow(uint32,uint256,uint256)": {
    say: (a) =>
      `The release fees held under task ${a.text("taskId")} are ${ver(a.int("available"))}, less than the ${ver(a.int("needed"))} asked for; ` +
      `this is a defect of the contracts, please report it.`,
  },
  "TaskNotEnded(uint32)": {
    say: (a) =>
      `Task ${a.text("taskId")} has not ended, so it is not known yet who gets the fees of leases that were given back; wait until it has.`,
    retryable: true,
  },
  "NoFees(uint32)": {
    say: (a) =>
      `No release fees are held under task ${a.text("taskId")}, or they were settled already; nothing is left to do.`,
  },
  "NothingToClaim(address)": {
    say: (a) => `${a.text("account")} has nothing to claim; payments appear when leases are accepted.`,
  },
  "InvalidReceiver()": fixed("VER cannot be sent to the zero address; name a receiver."),
  "ERC20InsufficientBalance(address,uint256,uint256)": {
    say: (a) =>
      `${a.text("sender")} holds ${ver(a.int("balance"))}, but ${ver(a.int("needed"))} are needed; ` +
      `get ${ver(a.int("needed") - a.int("balance"))} more.`,
  },
  "ERC20InsufficientAllowance(address,uint256,uint256)": {
    say: (a) =>
      `${a.text("spender")} is allowed to take ${ver(a.int("allowance"))}, but ${ver(a.int("needed"))} are needed; ` +
      `approve that amount of VER for it, or sign a permit.`,
  },
  "ERC20InvalidSender(address)": {
    say: (a) => `${a.text("sender")} cannot send VER; use another account.`,
  },
  "ERC20InvalidReceiver(address)": {
    say: (a) => `${a.text("receiver")} cannot receive VER; name another receiver.`,
  },
  "ERC20InvalidApprover(address)": {
    say: (a) => `${a.text("approver")} cannot approve VER; use another account.`,
  },
  "ERC20InvalidSpender(address)": {
    say: (a) => `${a.text("spender")} cannot be allowed to spend VER; name another spender.`,
  },
  "ERC20ExceededCap(uint256,uint256)": {
    say: (a) =>
      `The supply would become ${ver(a.int("increasedSupply"))}, above its cap of ${ver(a.int("cap"))}; mint less.`,
  },
  "ERC20InvalidCap(uint256)": {
    say: (a) => `A cap of ${ver(a.int("cap"))} is not possible; deploy the token with a cap above zero.`,
  },
  "ERC2612ExpiredSignature(uint256)": {
    say: (a) => `The permit expired at ${time(a.int("deadline"))}; sign a new one.`,
  },
  "ERC2612InvalidSigner(address,address)": {
    say: (a) =>
      `The permit was signed by ${a.text("signer")} but is for ${a.text("owner")}; sign with the owner's key, for this token, ` +
      `chain and nonce.`,
  },
  "InvalidAccountNonce(address,uint256)": {
    say: (a) =>
      `The permit's nonce was used already; ${a.text("account")} signs with nonce ${a.text("currentNonce")} next.`,
  },
  "ECDSAInvalidSignature()": fixed("The signature is not valid; sign again."),
  "ECDSAInvalidSignatureLength(uint256)": {
    say: (a) => `The signature is ${a.text("length")} bytes long instead of 65; sign again.`,
  },
  "ECDSAInvalidSignatureS(bytes32)": {
    say: (a) =>
      `The signature is malleable (its s is ${a.text("s")}); sign again with a wallet that makes canonical ones.`,
  },
  "InvalidShortString()": fixed("The token's name is damaged; this is a defect of the deployment, please report it."),
  "StringTooLong(string)": {
    say: (a) => `"${a.text("str")}" is too long for the token's name or version; deploy with a shorter one.`,
  },
  "SafeERC20FailedOperation(address)": {
    say: (a) => `The token ${a.text("token")} refused a transfer; check that it is the VER token of this deployment.`,
  },
  "AlreadyServed(address,uint256)": {
    say: (a) => `The faucet has already served ${a.text("account")}; it will again from ${time(a.int("next"))} on.`,
    retryable: true,
  },
  "FaucetEmpty(uint256,uint256)": {
    say: (a) =>
      `The faucet holds ${ver(a.int("balance"))}, less than the ${ver(a.int("drip_"))} it gives; ask its operator to fill it.`,
  },
};
