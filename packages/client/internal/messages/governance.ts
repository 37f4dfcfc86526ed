import { PARAMETERS, enumName } from "../../enums.ts";
import { fixed, type ErrorMessages } from "./message.ts";

/** Sentences for the errors of governance: parameters, wiring, and OpenZeppelin's access manager. */
export const GOVERNANCE: ErrorMessages = {
  "NotModule(address)": {
    say: (a) => `${a.text("caller")} may not call this; only another contract of the protocol may.`,
  },
  "AlreadyInitialised()": fixed("This contract's modules were named when it was deployed and cannot be changed."),
  "NotDeployer(address)": {
    say: (a) => `${a.text("caller")} did not deploy this contract; only its deployer may name its modules.`,
  },
  "ParameterOutOfBounds(uint8,uint64,uint64,uint64)": {
    say: (a) =>
      `The parameter ${enumName(PARAMETERS, a.int("param"))} cannot be ${a.text("value")}; its hard bounds are ${a.text("min")} to ${a.text("max")}.`,
  },
  "ParametersOutOfStep(uint8,uint256,uint8,uint256)": {
    say: (a) =>
      `With this change ${enumName(PARAMETERS, a.int("lower"))} asks for ${enumName(PARAMETERS, a.int("higher"))} of at least ` +
      `${a.text("needed")}, which is ${a.text("value")}; change the other parameter first.`,
  },
  "WrongParameterCount(uint256,uint256)": {
    say: (a) => `${a.text("given")} parameters were given where ${a.text("expected")} are needed; name each one once.`,
  },
  "AccessManagedUnauthorized(address)": {
    say: (a) =>
      `${a.text("caller")} does not hold the role that this needs; sign with a key that does, or have the role granted.`,
  },
  "AccessManagedRequiredDelay(address,uint32)": {
    say: (a) =>
      `${a.text("caller")} must announce this ${a.text("delay")} s ahead; schedule it at the access manager and execute it then.`,
  },
  "AccessManagedInvalidAuthority(address)": {
    say: (a) => `${a.text("authority")} is not an access manager; give the address of one.`,
  },
  "AccessManagerAlreadyScheduled(bytes32)": {
    say: (a) => `Operation ${a.text("operationId")} is scheduled already; execute or cancel it first.`,
  },
  "AccessManagerNotScheduled(bytes32)": {
    say: (a) => `Operation ${a.text("operationId")} is not scheduled; schedule it first.`,
  },
  "AccessManagerNotReady(bytes32)": {
    say: (a) => `The delay of operation ${a.text("operationId")} is not over; execute it later.`,
    retryable: true,
  },
  "AccessManagerExpired(bytes32)": {
    say: (a) => `Operation ${a.text("operationId")} was not executed in time; schedule it again.`,
  },
  "AccessManagerLockedRole(uint64)": {
    say: (a) => `Role ${a.text("roleId")} is built into the access manager and cannot be changed; choose another role.`,
  },
  "AccessManagerLockedFunction(bytes4)": {
    say: (a) => `Function ${a.text("selector")} belongs to the access manager itself and cannot be reassigned.`,
  },
  "AccessManagerBadConfirmation()": fixed(
    "A role can be renounced only by naming your own account; give the signer's address.",
  ),
  "AccessManagerUnauthorizedAccount(address,uint64)": {
    say: (a) => `${a.text("msgsender")} does not hold role ${a.text("roleId")}; sign with a key that does.`,
  },
  "AccessManagerUnauthorizedCall(address,address,bytes4)": {
    say: (a) =>
      `${a.text("caller")} may not call ${a.text("selector")} of ${a.text("target")}; sign with a key that holds its role.`,
  },
  "AccessManagerUnauthorizedConsume(address)": {
    say: (a) => `${a.text("target")} may not use up a scheduled operation; only the contract that it calls may.`,
  },
  "AccessManagerUnauthorizedCancel(address,address,address,bytes4)": {
    say: (a) =>
      `${a.text("msgsender")} may not cancel the operation of ${a.text("caller")} on ${a.text("target")} (${a.text("selector")}); ` +
      `its caller, an admin or the role's guardian may.`,
  },
  "AccessManagerInvalidInitialAdmin(address)": {
    say: (a) => `${a.text("initialAdmin")} cannot be the first admin; deploy with another account.`,
  },
  "AddressEmptyCode(address)": {
    say: (a) => `There is no contract at ${a.text("target")}; check the address and the network.`,
  },
  "FailedCall()": fixed("A call to another contract failed without a reason; simulate that call by itself to see why."),
  "InsufficientBalance(uint256,uint256)": {
    say: (a) =>
      `The contract holds ${a.text("balance")} wei, but ${a.text("needed")} wei are needed; send it the rest first.`,
  },
  "SafeCastOverflowedUintDowncast(uint8,uint256)": {
    say: (a) => `${a.text("value")} does not fit ${a.text("bits")} bits; use a smaller value.`,
  },
};
