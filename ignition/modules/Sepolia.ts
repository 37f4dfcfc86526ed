import { buildModule } from "@nomicfoundation/hardhat-ignition/modules";

import { deployProtocol } from "./core.ts";

/** BASE Sepolia: Chainlink's coordinator there, and a faucet of test VER. The mock's artifact has the coordinator's ABI. */
export default buildModule("Drmp", (m) => {
  const coordinator = m.contractAt("VRFCoordinatorV2_5Mock", m.getParameter<string>("vrfCoordinator"));
  return { coordinator, ...deployProtocol(m, coordinator, { faucet: true }) };
});
