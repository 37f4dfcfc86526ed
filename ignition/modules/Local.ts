import { buildModule } from "@nomicfoundation/hardhat-ignition/modules";

import { deployAccountFactory, deploySponsor } from "./accounts.ts";
import { deployFaucet, deployProtocol } from "./core.ts";

/** A local chain: the protocol with Chainlink's own mock of its coordinator, which the oracle process fulfils, a faucet and a sponsor. */
export default buildModule("Drmp", (m) => {
  // Base fee, gas price and LINK rate of the mock, in wei: what a request costs the subscription.
  const coordinator = m.contract("VRFCoordinatorV2_5Mock", [10n ** 14n, 10n ** 9n, 4n * 10n ** 15n]);
  const protocol = deployProtocol(m, m.contractAt("IVrfCoordinator", coordinator));
  const accounts = { ...deployAccountFactory(m), ...deploySponsor(m) };
  return { coordinator, ...protocol, ...deployFaucet(m, protocol.token), ...accounts };
});
