import { buildModule } from "@nomicfoundation/hardhat-ignition/modules";

import { deployAccountFactory } from "./accounts.ts";
import { deployProtocol } from "./core.ts";

/** BASE: Chainlink's coordinator there, and no faucet. */
export default buildModule("Drmp", (m) => {
  const coordinator = m.contractAt("IVrfCoordinator", m.getParameter<string>("vrfCoordinator"));
  return { coordinator, ...deployProtocol(m, coordinator), ...deployAccountFactory(m) };
});
