import { buildModule } from "@nomicfoundation/hardhat-ignition/modules";

import { deploySponsor } from "./accounts.ts";

/** A sponsor's paymaster, on any network: a sponsor deploys one. */
export default buildModule("Sponsor", (m) => deploySponsor(m));
