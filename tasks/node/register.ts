import { PRICE_UNIT } from "@verai/protocol/money/units";
import { CommandError } from "../errors.ts";
import type { Environment } from "../session/environment.ts";

import type { Signer } from "ethers";

import { type OperatorConsent, parseConsent, signConsent } from "@verai/client/consent";
import { openSigner } from "@verai/client/keys";
import { LOCAL_CHAIN_ID } from "@verai/client/chains";
import { registerNode } from "@verai/agent/registration";
import { ENERGY_SOURCES, numberOf } from "@verai/client/enums";
import { formatVer, parseVer } from "@verai/protocol/money/ver";
import { type Context, write } from "../session/context.ts";
import type { WritingArguments } from "../session/options.ts";
import { parseAddress, parseAmount, parseClass, parseSource } from "./parse.ts";

interface Arguments extends WritingArguments {
  readonly operator: string;
  readonly consent: string;
  readonly class: string;
  readonly capacity: number;
  readonly ask: string;
  readonly stake: string;
  readonly endpoint: string;
  readonly powerThreshold: number;
  readonly powerMax: number;
  readonly energySource: string;
}

/** Registers a node. */
export default async function register(args: Arguments, environment: Environment): Promise<void> {
  await write(args, environment, async (context) => {
    const { session, output } = context;
    const { reader } = session;
    const block = await reader.block();
    const operator = parseAddress("operator", args.operator);
    const found = parseClass(await reader.classes(block), args.class);
    const ask = parseAmount("ask", args.ask);
    const energySource = numberOf(ENERGY_SOURCES, parseSource(args.energySource));
    if (args.capacity <= 0)
      throw new CommandError("OPTION_MISSING", "Name the units that the machine runs at once: --capacity 4");
    const { stakePerUnit } = await reader.parameters(block);
    const needed = BigInt(args.capacity) * BigInt(stakePerUnit) * PRICE_UNIT;
    const stake = args.stake === "" ? needed : parseVer(args.stake);

    const account = await context.account();
    const consent = await operatorConsent(context, account.signer, operator, args.consent);
    context.spends = stake;
    const { capacity, powerThreshold, powerMax, endpoint } = args;
    const log = { info: (_fields: unknown, message?: string) => output.say(message) };
    const nodeId = await registerNode(session, account, log, {
      label: `register a node of ${String(capacity)} units at ${formatVer(ask)} VER each, staking ${formatVer(stake)} VER`,
      consent,
      terms: { classId: found.id, capacity, ask },
      profile: { energySource, powerThreshold, powerMax, endpoint },
      stake,
    });
    output.say(`Node ${String(nodeId)} is registered. Start its agent with the operator's key.`);
    return { node: nodeId, owner: account.signer.address, operator, stake };
  });
}

/** Test accounts of a local chain, whose keys everybody knows. */
const TEST_ACCOUNTS = 100;

/**
 * The operator key's consent: the one that was given, or none where the owner names its own key; on a local chain a test
 * account signs it here.
 *
 * @throws Error saying how to make one.
 */
async function operatorConsent(
  { session, chainId }: Context,
  owner: Pick<Signer, "getAddress" | "signTypedData">,
  operator: string,
  given: string,
): Promise<OperatorConsent> {
  if (given !== "") return parseConsent(operator, given);
  const address = await owner.getAddress();
  if (operator.toLowerCase() === address.toLowerCase()) return signConsent(session.contracts, owner, address);
  for (let i = 0; chainId === LOCAL_CHAIN_ID && i < TEST_ACCOUNTS; i++) {
    const signer = await openSigner({ testAccount: i }, chainId);
    if (signer.address.toLowerCase() === operator.toLowerCase()) return signConsent(session.contracts, signer, address);
  }
  return parseConsent(operator, given);
}
