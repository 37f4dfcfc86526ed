import { keccak256 } from "ethers";

import { type CompiledCode, maskedCode, variablePlaces } from "../../tasks/network/deployed-code.ts";

/** The part of an artifact that is looked at. */
export interface ReleasedArtifact extends CompiledCode {
  readonly contractName: string;
  readonly sourceName: string;
}

/** What a release says of a contract, for anyone who compares a deployment without compiling. */
export interface ReleasedContract {
  readonly source: string;
  readonly bytes: number;
  /** Of the code once deployed, with zeros where `masked` lies. */
  readonly keccak256: string;
  /** Bytes that differ from deployment to deployment, as start and length. */
  readonly masked: readonly (readonly [number, number])[];
}

/** What a release says of its contracts, by name; those without code are left out. Pure. */
export function releasedContracts(artifacts: readonly ReleasedArtifact[]): Record<string, ReleasedContract> {
  const released = artifacts
    .filter(({ deployedBytecode }) => deployedBytecode.length > 2)
    .map((artifact): [string, ReleasedContract] => {
      const code = maskedCode(artifact);
      const masked = variablePlaces(artifact).map(({ start, length }) => [start, length] as const);
      const { contractName, sourceName } = artifact;
      return [contractName, { source: sourceName, bytes: code.length, keccak256: keccak256(code), masked }];
    });
  return Object.fromEntries(released.toSorted(([a], [b]) => (a < b ? -1 : 1)));
}
