import { Interface } from "ethers";
import type { HardhatRuntimeEnvironment } from "hardhat/types/hre";

import { ensureBalance } from "../../chain/balance.ts";
import { signPermit } from "../../chain/permit.ts";
import { answer } from "../../chain/readers.ts";
import type { Session } from "../../chain/session.ts";
import { fundAndSubmit, simulateFunded } from "../../chain/simulate.ts";
import { formatVer } from "../../protocol/money/ver.ts";
import { type Context, write } from "../session/context.ts";
import type { WritingArguments } from "../session/options.ts";
import { givenAmount, givenNode } from "./given.ts";

/** `addStake` with the permit in the same transaction. */
const WITH_PERMIT = new Interface([
  "function addStakeWithPermit(uint32 nodeId, uint256 amount, uint256 deadline, uint8 v, bytes32 r, bytes32 s)",
]);

/** Adds stake to a node, which may be somebody else's. */
export default async function stake(
  args: WritingArguments & { readonly node: number; readonly amount: string },
  hre: HardhatRuntimeEnvironment,
): Promise<void> {
  await write(args, hre, async (context) => {
    const { session, screen } = context;
    const { reader, contracts } = session;
    const node = await givenNode(reader, await reader.pin(), args.node);
    const amount = givenAmount("amount", args.amount);
    context.spends = amount;
    const label = `add ${formatVer(amount)} VER to the stake of node ${String(node.id)}`;
    const log = {
      info: (_fields: object, message: string) => {
        screen.say(message);
      },
    };
    const oneTransaction = contracts.nodes.interface.hasFunction(
      "addStakeWithPermit(uint32,uint256,uint256,uint8,bytes32,bytes32)",
    );
    if (oneTransaction) await addByPermit(context, session, node.id, amount, label, log);
    else await addByAllowance(context, session, node.id, amount, label, log);
    const after = await reader.node(await reader.pin(), node.id);
    screen.say(`The stake of node ${String(node.id)} is ${formatVer(after?.stake ?? 0n)} VER now.`);
    return { node: node.id, stake: after?.stake };
  });
}

interface Log {
  readonly info: (fields: object, message: string) => void;
}

/** In one transaction: the permit is signed, which costs nothing, and used by the very call that takes the stake. */
async function addByPermit(
  context: Context,
  session: Session,
  nodeId: number,
  amount: bigint,
  label: string,
  log: Log,
): Promise<void> {
  const { contracts } = session;
  const account = await context.account();
  const { deadline, v, r, s } = await signPermit(contracts, account.signer, amount);
  const to = await contracts.nodes.getAddress();
  const data = WITH_PERMIT.encodeFunctionData("addStakeWithPermit", [nodeId, amount, deadline, v, r, s]);
  await fundAndSubmit(session, account, amount, log, { label, prepare: () => ({ to, data }) });
}

/** For registries that take no permit: the allowance first. The second transaction is simulated before the first is sent. */
async function addByAllowance(
  context: Context,
  session: Session,
  nodeId: number,
  amount: bigint,
  label: string,
  log: Log,
): Promise<void> {
  const { contracts } = session;
  const { signer, lane } = await context.account();
  const vault = await contracts.vault.getAddress();
  const payload = await contracts.nodes.addStake.populateTransaction(nodeId, amount);
  await simulateFunded(session, signer.address, payload, { amount, spender: vault });
  await ensureBalance(session, { signer, lane }, amount, log);
  await lane.submit({
    label: `allow the vault to take ${formatVer(amount)} VER`,
    prepare: async () =>
      (await answer(contracts.token.allowance(signer.address, vault))) >= amount
        ? null
        : contracts.token.approve.populateTransaction(vault, amount),
  });
  await lane.submit({ label, prepare: () => contracts.nodes.addStake.populateTransaction(nodeId, amount) });
}
