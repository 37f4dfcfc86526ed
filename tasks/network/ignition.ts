import {
  errorDeploymentResultToExceptionMessage,
  HardhatArtifactResolver,
} from "@nomicfoundation/hardhat-ignition/helpers";
import {
  deploy,
  type DeploymentParameters,
  DeploymentResultType,
  type ExecutionEvent,
  type ExecutionEventListener,
  ExecutionEventType,
  type IgnitionModule,
} from "@nomicfoundation/ignition-core";
import type { HardhatRuntimeEnvironment } from "hardhat/types/hre";
import type { NetworkConnection } from "hardhat/types/network";

import { ChainError } from "@verai/client/errors";

/** What is deployed, and where its journal lies. */
export interface Deploying {
  readonly module: IgnitionModule;
  readonly parameters: DeploymentParameters;
  /** Directory of Ignition's journal; what it says is done is not done again. */
  readonly directory: string;
  /** Maximum that is offered per gas, wei. */
  readonly maxFeePerGas?: bigint;
  /** Blocks until a transaction counts; Ignition's default if left out. */
  readonly confirmations?: number;
  /** Told of each transaction that went through, and which step of the module it was. */
  readonly onTransaction: (step: string, hash: string) => void;
}

/**
 * Deploys a module with Ignition, or goes on where its journal ends.
 *
 * @throws {@link ChainError} `DEPLOYMENT_BROKEN` with the steps that failed and how to go on.
 */
export async function runIgnition(
  hre: HardhatRuntimeEnvironment,
  connection: NetworkConnection,
  { module, parameters, directory, maxFeePerGas, confirmations, onTransaction }: Deploying,
): Promise<void> {
  const result = await deploy({
    config: { ...hre.config.ignition, ...(confirmations !== undefined && { requiredConfirmations: confirmations }) },
    provider: connection.provider,
    artifactResolver: new HardhatArtifactResolver(hre.artifacts),
    deploymentDir: directory,
    ignitionModule: module,
    deploymentParameters: parameters,
    accounts: (await connection.provider.request({ method: "eth_accounts" })) as string[],
    executionEventListener: listener((event) => {
      if (event.type === ExecutionEventType.TRANSACTION_CONFIRM) onTransaction(event.futureId, event.hash);
    }),
    ...(maxFeePerGas !== undefined && { maxFeePerGasLimit: maxFeePerGas }),
  }).catch((cause: unknown) => {
    throw broken(cause instanceof Error ? cause.message : String(cause), cause);
  });
  if (result.type !== DeploymentResultType.SUCCESSFUL_DEPLOYMENT) {
    throw broken(errorDeploymentResultToExceptionMessage(result));
  }
}

/** One function that is told of every event. */
function listener(tell: (event: ExecutionEvent) => void): ExecutionEventListener {
  return new Proxy({} as ExecutionEventListener, { get: () => tell });
}

function broken(why: string, cause?: unknown): ChainError {
  return new ChainError(
    "DEPLOYMENT_BROKEN",
    false,
    `${why}\n\nWhat went through is kept: correct the cause and run the same command again. Where it says that a step is to be ` +
      "wiped first: npx hardhat ignition wipe <deployment id> <step>.",
    { cause },
  );
}
