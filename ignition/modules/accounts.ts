import type { IgnitionModuleBuilder } from "@nomicfoundation/ignition-core";

/** The factory of accounts whose keys are passkeys. It belongs to nobody, and nothing else knows of it. */
export function deployAccountFactory(m: IgnitionModuleBuilder) {
  return { accountFactory: m.contract("PasskeyAccountFactory") };
}

/** A paymaster of a sponsor's own, which pays nothing until ETH is deposited. */
export function deploySponsor(m: IgnitionModuleBuilder) {
  const owner = m.getParameter<string>("sponsorOwner");
  const signer = m.getParameter<string>("sponsorSigner");
  return { sponsor: m.contract("SponsorPaymaster", [owner, signer, m.getParameter("sponsorLimits")]) };
}
