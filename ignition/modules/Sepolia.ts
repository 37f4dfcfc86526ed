import { buildModule } from "@nomicfoundation/hardhat-ignition/modules";

import { deployFaucet, deployProtocol } from "./core.ts";

/** BASE Sepolia: Chainlink's coordinator there, and a faucet of test VER. The mock's artifact has the coordinator's ABI. */
export default buildModule("Drmp", (m) => {
  const coordinator = m.contractAt("VRFCoordinatorV2_5Mock", m.getParameter<string>("vrfCoordinator"));
  const protocol = deployProtocol(m, coordinator);
  return { coordinator, ...protocol, ...deployFaucet(m, protocol.token) };
});
