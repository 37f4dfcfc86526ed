import { buildModule } from "@nomicfoundation/hardhat-ignition/modules";

import { deployAccountFactory } from "./accounts.ts";
import { deployFaucet, deployProtocol } from "./core.ts";

/** BASE Sepolia: Chainlink's coordinator there, and a faucet of test VER. */
export default buildModule("Drmp", (m) => {
  const coordinator = m.contractAt("IVrfCoordinator", m.getParameter<string>("vrfCoordinator"));
  const protocol = deployProtocol(m, coordinator);
  return { coordinator, ...protocol, ...deployFaucet(m, protocol.token), ...deployAccountFactory(m) };
});
