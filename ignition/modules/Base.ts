import { buildModule } from "@nomicfoundation/hardhat-ignition/modules";

import { deployProtocol } from "./core.ts";

/** BASE: Chainlink's coordinator there, and no faucet. The mock's artifact has the coordinator's ABI. */
export default buildModule("Drmp", (m) => {
  const coordinator = m.contractAt("VRFCoordinatorV2_5Mock", m.getParameter<string>("vrfCoordinator"));
  return { coordinator, ...deployProtocol(m, coordinator) };
});
