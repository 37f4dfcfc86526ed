import { useQuery } from "@tanstack/react-query";

import {
  ENERGY_SCOPES,
  BATCH_STATUSES,
  PARAMETERS,
  ROUND_STATUSES,
  numberOf,
  type ParameterName,
} from "@verai/client/enums";
import { energyLedgerAbi } from "@verai/client/typed-abi/EnergyLedger";
import { iVrfCoordinatorAbi } from "@verai/client/typed-abi/IVrfCoordinator";
import { parametersAbi } from "@verai/client/typed-abi/Parameters";
import { reassignmentAbi } from "@verai/client/typed-abi/Reassignment";
import { roundManagerAbi } from "@verai/client/typed-abi/RoundManager";
import { telemetryAbi } from "@verai/client/typed-abi/Telemetry";
import { vaultAbi } from "@verai/client/typed-abi/Vault";
import { vrfSeedsAbi } from "@verai/client/typed-abi/VrfSeeds";
import { addressOf, useConfig } from "../config.ts";
import { useChainClient } from "./client.ts";

const EVERY_MS = 15_000;

/** What the chain itself says of the network: energy, money, the oracle and the rounds, all at one block. */
export function useChainNetwork() {
  const config = useConfig();
  const client = useChainClient();
  return useQuery({
    queryKey: ["chain", "network"],
    refetchInterval: EVERY_MS,
    queryFn: async () => {
      const { number: blockNumber, timestamp } = await client.getBlock({ blockTag: "latest" });
      const at = { blockNumber } as const;
      const [energy, reports, money, isPaused, values, round, batch, vrf] = await Promise.all([
        client.readContract({
          ...at,
          address: addressOf(config, "EnergyLedger"),
          abi: energyLedgerAbi,
          functionName: "summaryOf",
          args: [numberOf(ENERGY_SCOPES, "network"), 0],
        }),
        client.readContract({
          ...at,
          address: addressOf(config, "Telemetry"),
          abi: telemetryAbi,
          functionName: "totals",
        }),
        client.readContract({ ...at, address: addressOf(config, "Vault"), abi: vaultAbi, functionName: "totals" }),
        client.readContract({
          ...at,
          address: addressOf(config, "Parameters"),
          abi: parametersAbi,
          functionName: "intakePaused",
        }),
        client.readContract({
          ...at,
          address: addressOf(config, "Parameters"),
          abi: parametersAbi,
          functionName: "all",
        }),
        client.readContract({
          ...at,
          address: addressOf(config, "RoundManager"),
          abi: roundManagerAbi,
          functionName: "current",
        }),
        client.readContract({
          ...at,
          address: addressOf(config, "Reassignment"),
          abi: reassignmentAbi,
          functionName: "current",
        }),
        client.readContract({
          ...at,
          address: addressOf(config, "VrfSeeds"),
          abi: vrfSeedsAbi,
          functionName: "config",
        }),
      ]);
      const coordinator = config.deployment["IVrfCoordinator"] ?? config.deployment["VRFCoordinatorV2_5Mock"];
      const subscription =
        coordinator === undefined
          ? undefined
          : await client
              .readContract({
                ...at,
                address: coordinator as `0x${string}`,
                abi: iVrfCoordinatorAbi,
                functionName: "getSubscription",
                args: [vrf.subscriptionId],
              })
              .then(([link, native]) => ({ link, native }))
              .catch(() => undefined);
      const parameters = Object.fromEntries(
        PARAMETERS.map((name, i) => [name, Number(values[i]?.value ?? 0)]),
      ) as Record<ParameterName, number>;
      return {
        block: Number(blockNumber),
        time: Number(timestamp),
        energy,
        reports,
        money,
        isPaused,
        parameters,
        round: {
          id: round.id,
          status: ROUND_STATUSES[round.status] ?? "none",
          openedAt: round.openedAt,
          closedAt: round.closedAt,
        },
        batch: { id: batch.id, status: BATCH_STATUSES[batch.status] ?? "none", openedAt: batch.openedAt },
        subscription: subscription && { ...subscription, native: subscription.native, paysNative: vrf.nativePayment },
      };
    },
  });
}

export type ChainNetwork = NonNullable<ReturnType<typeof useChainNetwork>["data"]>;
