import { CommandError } from "../errors.ts";
import type { Environment } from "../session/environment.ts";

import { ensureFunds } from "@verai/client/funds";
import type { Lease } from "@verai/client/entities";
import { ChainError } from "@verai/client/errors";
import { answer } from "@verai/client/readers";
import { simulateFunded } from "@verai/client/simulate";
import { formatVer, microToWei } from "@verai/protocol/money/ver";
import { write } from "../session/context.ts";
import type { WritingArguments } from "../session/options.ts";

/** Refuses the result of a lease, which an arbiter then rules on. The bond is locked until then. */
export default async function dispute(
  args: WritingArguments & { readonly lease: number },
  environment: Environment,
): Promise<void> {
  await write(args, environment, async (context) => {
    const { session, output } = context;
    const { reader, contracts } = session;
    const block = await reader.block();
    if (args.lease <= 0)
      throw new CommandError(
        "OPTION_MISSING",
        "Name the lease: --lease <id>. `npx hardhat task:status --task <id>` lists a task's.",
      );
    const [known, { disputeBondBps }] = await Promise.all([reader.leaseCount(block), reader.parameters(block)]);
    const [lease] = args.lease <= known ? await reader.leasesById(block, [args.lease]) : [];
    if (!lease)
      throw new CommandError(
        "NOT_FOUND",
        `There is no lease ${String(args.lease)}; \`npx hardhat round:leases\` lists all of them.`,
      );
    const bond = disputeBond(lease, disputeBondBps);
    const account = await context.account();
    await requireOwner(lease, account.signer.address, async (taskId) => (await reader.task(block, taskId))?.owner);
    context.spends = bond;
    const label = `dispute the result of lease ${String(lease.id)} with a bond of ${formatVer(bond)} VER`;
    const prepare = () => contracts.leases.dispute.populateTransaction(lease.id);
    const vault = await contracts.vault.getAddress();
    // The allowance comes first, and would be for nothing if the dispute were refused.
    await simulateFunded(session, account.signer.address, await prepare(), { amount: bond, spender: vault });
    await ensureFunds(session, account, bond, {
      info: (_fields, message) => {
        output.say(message);
      },
    });
    await account.queue.submit({
      label: `allow the vault to take the bond of ${formatVer(bond)} VER`,
      prepare: async () =>
        (await answer(contracts.token.allowance(account.signer.address, vault))) >= bond
          ? null
          : contracts.token.approve.populateTransaction(vault, bond),
    });
    await account.queue.submit({ label, prepare });
    const [after] = await reader.leasesById(await reader.block(), [lease.id]);
    const until = new Date((after?.due ?? 0) * 1000).toISOString();
    output.say(
      `Lease ${String(lease.id)} is disputed. The arbiter rules until ${until}: for you, the bond comes back and the units start ` +
        "afresh; otherwise the node is paid and gets the bond.",
    );
    return { lease: lease.id, task: lease.taskId, bond, status: after?.status, until: after?.due };
  });
}

/**
 * Bond of a dispute in wei: a share of the lease's price times its units, rounded up as LeaseRegistry does. Pure.
 *
 * @param bondBps `DisputeBondBps`, basis points.
 */
function disputeBond({ price, count }: Pick<Lease, "price" | "count">, bondBps: number): bigint {
  const share = BigInt(price) * BigInt(count) * BigInt(bondBps);
  return microToWei((share + 9_999n) / 10_000n);
}

async function requireOwner(
  { taskId, id }: Lease,
  signer: string,
  ownerOf: (taskId: number) => Promise<string | undefined>,
): Promise<void> {
  const owner = await ownerOf(taskId);
  if (owner === undefined || owner === signer) return;
  throw new ChainError(
    "NOT_OWNER",
    false,
    `Lease ${String(id)} belongs to task ${String(taskId)} of ${owner}, and ${signer} signs: only its owner can dispute it. Name the owner's key with --keystore or --account.`,
  );
}
