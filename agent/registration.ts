import { parseUnits } from "ethers";

import { ChainError } from "../chain/errors.ts";
import { ensureBalance } from "../chain/balance.ts";
import { signPermit } from "../chain/permit.ts";
import type { Session } from "../chain/session.ts";
import { ENERGY_SOURCES, numberOf } from "../chain/words.ts";
import type { Logger } from "../service/logger.ts";
import type { AgentConfig } from "./config.ts";

/**
 * The node that belongs to the operator key; it is registered first if there is none and the owner's key is at hand.
 *
 * The stake that the capacity needs is taken from the owner by permit, in the same transaction.
 *
 * @returns The node's id.
 * @throws ChainError with the remedy: unknown class, ask not on a tick, too little VER or ETH, no owner key.
 */
export async function ensureRegistered(
  session: Session,
  config: AgentConfig,
  operator: string,
  endpoint: string,
  logger: Logger,
): Promise<number> {
  const { reader, contracts } = session;
  const pin = await reader.pin();
  const known = await reader.nodeOfOperator(pin, operator);
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
  const classes = await reader.classes(pin);
  const found = classes.find(({ name }) => name === config.node.class);
  if (!found) {
    throw new ChainError(
      "UNKNOWN_CLASS",
      false,
      `There is no class "${config.node.class}" on this network. Use one of: ${classes.map(({ name }) => name).join(", ")}.`,
    );
  }
  const { stakePerUnit } = await reader.parameters(pin);
  const stake = BigInt(config.node.capacity) * BigInt(stakePerUnit) * 10n ** 12n;
  const { signer, lane } = await session.lane(config.owner);
  await ensureBalance(session, { signer, lane }, stake, logger);
  const permit = await signPermit(contracts, signer, stake);
  await lane.submit({
    label: "register node",
    prepare: () =>
      contracts.nodes.registerWithPermit.populateTransaction(
        operator,
        { classId: found.id, capacity: config.node.capacity, ask: parseUnits(config.node.ask, 18) },
        {
          energySource: numberOf(ENERGY_SOURCES, config.node.energySource),
          powerThreshold: config.node.powerThreshold,
          powerMax: config.node.powerMax,
          endpoint,
        },
        stake,
        permit.deadline,
        permit.v,
        permit.r,
        permit.s,
      ),
  });
  const nodeId = await reader.nodeOfOperator(await reader.pin(), operator);
  if (nodeId === undefined) throw new Error("the registration went through, but the node cannot be read yet");
  logger.info({ node: nodeId, class: found.name, capacity: config.node.capacity, ask: config.node.ask }, "registered");
  return nodeId;
}

/** Anyone can name anyone's operator key when registering: with the owner's key at hand, only the owner's node is served. */
async function refuseForeignOwner(
  session: Session,
  config: AgentConfig,
  nodeId: number,
  operator: string,
): Promise<void> {
  if (!config.owner) return;
  const node = await session.reader.node(await session.reader.pin(), nodeId);
  const { signer } = await session.lane(config.owner);
  if (!node || node.owner === signer.address) return;
  throw new ChainError(
    "FOREIGN_NODE",
    false,
    `Node ${String(nodeId)} names your operator ${operator}, but belongs to ${node.owner} and not to your owner key ` +
      `${signer.address}. Use another operator key, or the key of that owner.`,
  );
}
