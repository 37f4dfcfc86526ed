import type { InterfaceAbi } from "ethers";

import type { ContractName } from "./contract-names.ts";
import { ABIS } from "./generated/abis.ts";

export { CONTRACT_NAMES, type ContractName } from "./contract-names.ts";

/** A contract's ABI, as `npm run abi` took it from the compiler. */
export function abiOf(name: ContractName): InterfaceAbi {
  return ABIS[name];
}
