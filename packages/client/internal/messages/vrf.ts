import { fixed, type ErrorMessage, type ErrorMessages } from "./message.ts";

const SEE_SUBSCRIPTION = "check the subscription at Chainlink's coordinator";

/** Sentences for the errors of the seeds contract and of Chainlink's coordinator. */
export const VRF: ErrorMessages = {
  "OnlyCoordinatorCanFulfill(address,address)": {
    say: (a) => `${a.text("have")} may not bring seeds; only Chainlink's coordinator ${a.text("want")} may.`,
  },
  "OnlyOwnerOrCoordinator(address,address,address)": {
    say: (a) =>
      `${a.text("have")} may not do this; the owner ${a.text("owner")} or the coordinator ${a.text("coordinator")} may.`,
  },
  "ZeroAddress()": fixed("The zero address is no coordinator; give the address of Chainlink's coordinator."),
  "InvalidConsumer(uint256,address)": {
    say: (a) =>
      `${a.text("consumer")} is not a consumer of the VRF subscription ${a.text("subId")}; the subscription's owner has to add it ` +
      `(addConsumer at the coordinator).`,
  },
  "InvalidSubscription()": fixed(
    `The VRF subscription does not exist; ${SEE_SUBSCRIPTION} and the seeds contract's config.`,
  ),
  "InsufficientBalance()": fixed(
    `The VRF subscription has too little to pay the oracle; fund it at Chainlink's coordinator.`,
  ),
  "MustBeSubOwner(address)": {
    say: (a) => `Only ${a.text("owner")}, the owner of the VRF subscription, may do this; sign with its key.`,
  },
  "MustBeRequestedOwner(address)": {
    say: (a) => `The VRF subscription was offered to ${a.text("proposedOwner")}; only that account can accept it.`,
  },
  "InvalidRequest()": fixed("The coordinator knows no such open request; it may have been answered already."),
  "PendingRequestExists()": fixed(
    "The VRF subscription has requests that wait for an answer; try again when they are answered.",
  ),
  "TooManyConsumers()": fixed(`The VRF subscription takes no more consumers; remove one, and ${SEE_SUBSCRIPTION}.`),
  "BalanceInvariantViolated(uint256,uint256)": {
    say: (a) =>
      `The coordinator's accounts say ${a.text("internalBalance")}, but it holds ${a.text("externalBalance")}; ${SEE_SUBSCRIPTION}.`,
  },
  ...Object.fromEntries(
    (
      [
        ["FailedToSendNative()", "could not send ETH; use an account that can receive it"],
        ["FailedToTransferLink()", "could not transfer LINK; check its balance"],
        ["IndexOutOfRange()", "was asked for a page that does not exist; ask for an earlier one"],
        ["InvalidCalldata()", "was given calldata that it does not understand; check the versions"],
        [
          "InvalidExtraArgsTag()",
          "does not understand the request's extra arguments; check its version (v2.5 is needed)",
        ],
        ["InvalidRandomWords()", "was given a wrong number of random words; give one per word asked for"],
        ["LinkAlreadySet()", "has its LINK token set already; nothing is left to do"],
        ["LinkNotSet()", "has no LINK token; pay the oracle in ETH, or set it first"],
        ["NotImplemented()", "does not offer this; the mock of a local chain leaves it out"],
        ["OnlyCallableFromLink()", "takes this call from the LINK token only; fund it by transferAndCall"],
        ["Reentrant()", "was called from within its own call; call it apart"],
      ] as const
    ).map(([signature, what]): [string, ErrorMessage] => [signature, fixed(`Chainlink's coordinator ${what}.`)]),
  ),
};
