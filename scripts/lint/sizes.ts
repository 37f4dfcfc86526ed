/** Bytes of code that a contract may have (EIP-170). */
const CODE_LIMIT = 24_576;

/** The aim: a tenth of the limit stays free, so that a change has room. */
export const CODE_AIM = Math.floor((CODE_LIMIT * 9) / 10);

/** A contract as it was built. */
export interface BuiltContract {
  readonly contractName: string;
  /** Code that is stored on chain, as hex with 0x. */
  readonly deployedBytecode: string;
}

/** What is said of each contract that is above the aim, the largest first. Pure. O(contracts). */
export function tooLarge(contracts: readonly BuiltContract[]): string[] {
  return contracts
    .map(({ contractName, deployedBytecode }) => ({ contractName, bytes: (deployedBytecode.length - 2) / 2 }))
    .filter(({ bytes }) => bytes > CODE_AIM)
    .sort((a, b) => b.bytes - a.bytes)
    .map(
      ({ contractName, bytes }) =>
        `${contractName} has ${String(bytes)} bytes of code, at most ${String(CODE_AIM)} (90 % of EIP-170): split it`,
    );
}
