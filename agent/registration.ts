import { parseUnits, type Signer } from "ethers";

import { type OperatorConsent, signConsent } from "@verai/client/consent";
import { PRICE_UNIT } from "@verai/protocol/money/units";
import { ChainError } from "@verai/client/errors";
import { signPermit } from "@verai/client/permit";
import type { Session } from "@verai/client/session";
import { fundAndSubmit } from "@verai/client/simulate";
import { ENERGY_SOURCES, numberOf } from "@verai/client/enums";
import type { Logger } from "@verai/process/logger";
import type { AgentConfig } from "./config.ts";
import { firstAsk } from "./node/ask.ts";

/**
 * The node that belongs to the operator key; it is registered first if there is none and the owner's key is at hand.
 *
 * The stake that the capacity needs is taken from the owner by permit, in the same transaction.
 *
 * @param signer The operator key, which agrees to work for that owner.
 * @returns The node's id.
 * @throws ChainError with the remedy: unknown class, ask not on a tick, too little VER or ETH, no owner key.
 */
export async function ensureRegistered(
  session: Session,
  config: AgentConfig,
  signer: Pick<Signer, "getAddress" | "signTypedData">,
  endpoint: string,
  logger: Logger,
): Promise<number> {
  const operator = await signer.getAddress();
  const { reader } = session;
  const block = await reader.block();
  const known = await reader.nodeOfOperator(block, operator);
  if (known !== undefined) {
    await refuseForeignOwner(session, config, known, operator);
    return known;
  }
  if (!config.owner) {
    throw new ChainError(
      "NOT_REGISTERED",
      false,
      `No node is registered for the operator ${operator}. Register it from the owner's wallet, or name the owner's key in the configuration ("owner").`,
    );
  }
  const classes = await reader.classes(block);
  const found = classes.find(({ name }) => name === config.node.class);
  if (!found) {
    throw new ChainError(
      "UNKNOWN_CLASS",
      false,
      `There is no class "${config.node.class}" on this network. Use one of: ${classes.map(({ name }) => name).join(", ")}.`,
    );
  }
  const { stakePerUnit } = await reader.parameters(block);
  const stake = BigInt(config.node.capacity) * BigInt(stakePerUnit) * PRICE_UNIT;
  const ask = firstAsk(config.node.ask);
  const { capacity, powerThreshold, powerMax, energySource } = config.node;
  const owner = await session.queue(config.owner);
  const nodeId = await registerNode(session, owner, logger, {
    label: "register node",
    consent: await signConsent(session.contracts, signer, owner.signer.address),
    terms: { classId: found.id, capacity, ask: parseUnits(ask, 18) },
    profile: { energySource: numberOf(ENERGY_SOURCES, energySource), powerThreshold, powerMax, endpoint },
    stake,
  });
  logger.info({ node: nodeId, class: found.name, capacity, ask }, "registered");
  return nodeId;
}

/** A node to be registered. Money in wei. */
export interface Registration {
  /** What it is called in logs, and where it is confirmed. */
  readonly label: string;
  /** The agent's key, and that it agrees. */
  readonly consent: OperatorConsent;
  readonly terms: { readonly classId: number; readonly capacity: number; readonly ask: bigint };
  readonly profile: {
    readonly energySource: number;
    readonly powerThreshold: number;
    readonly powerMax: number;
    readonly endpoint: string;
  };
  readonly stake: bigint;
}

/**
 * Registers a node with its stake, which is taken from the owner by permit in the same transaction.
 *
 * @returns The node's id.
 * @throws ChainError with the remedy: ask not on a tick, too little VER or ETH.
 */
export async function registerNode(
  session: Session,
  owner: Awaited<ReturnType<Session["queue"]>>,
  log: Pick<Logger, "info">,
  { label, consent, terms, profile, stake }: Registration,
): Promise<number> {
  const { reader, contracts } = session;
  const permit = await signPermit(contracts, owner.signer, stake);
  const { nodes } = contracts;
  await fundAndSubmit(session, owner, stake, log, {
    label,
    prepare: () => nodes.registerWithPermit.populateTransaction({ ...consent }, terms, profile, stake, permit),
  });
  const nodeId = await reader.nodeOfOperator(await reader.block(), consent.operator);
  if (nodeId === undefined) throw new Error("the registration went through, but the node cannot be read yet");
  return nodeId;
}

/** A key may have agreed to work for another owner: with the owner's key at hand, only the owner's node is served. */
async function refuseForeignOwner(
  session: Session,
  config: AgentConfig,
  nodeId: number,
  operator: string,
): Promise<void> {
  if (!config.owner) return;
  const node = await session.reader.node(await session.reader.block(), nodeId);
  const { signer } = await session.queue(config.owner);
  if (!node || node.owner === signer.address) return;
  throw new ChainError(
    "FOREIGN_NODE",
    false,
    `Node ${String(nodeId)} names your operator ${operator}, but belongs to ${node.owner} and not to your owner key ` +
      `${signer.address}. Use another operator key, or the key of that owner.`,
  );
}
