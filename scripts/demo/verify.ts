import { join } from "node:path";

import { PRICE_UNIT } from "@verai/protocol/money/units";
import type { Lease } from "@verai/client/entities";
import { ACCOUNTS, AUDITED, CHEAT, NODES, TASKS } from "@verai/devnet/participants";
import { readLog } from "@verai/devnet/logs";
import { gasByStep, readLedgerTotals } from "@verai/devnet/observe";
import { jointOptimum } from "./optimum.ts";
import { openAccess } from "@verai/client/open-access";
import { fetchCheckpoints, readTrained } from "./results.ts";
import type { Report } from "./report.ts";
import type { Output } from "@verai/devnet/output";
import { MACHINES, type Scenario } from "./scenario.ts";
import { readHappenings, recoveries } from "@verai/devnet/timeline";

/** Collects all that the demo's tables show, and checks it. @param data Directory of the demo. */
export async function verify(scenario: Scenario, output: Output, data: string): Promise<Report> {
  const { session, firstBlock, clock, faults, developers, reference } = scenario;
  const { reader, contracts, provider } = session;
  const block = await reader.block();
  const [nodes, classes, leases, tasks] = await Promise.all([
    reader.nodes(block),
    reader.classes(block),
    reader.leases(block),
    reader.tasks(block),
  ]);
  // Nodes registered in any order: an owner's account tells who is who.
  const accountOf = new Map<string, string>();
  for (const node of MACHINES) {
    const { signer } = await session.queue({ testAccount: node.ownerAccount });
    accountOf.set(signer.address, node.name);
  }
  const names = new Map(nodes.map(({ id, owner }) => [id, accountOf.get(owner) ?? `node ${String(id)}`]));
  const nameOf = (id: number) => names.get(id) ?? `node ${String(id)}`;
  const developerOf = await Promise.all(
    developers.map(async ({ participant, folder }) => {
      const { signer } = await session.queue({ testAccount: participant.account });
      const task = tasks.find(({ owner }) => owner === signer.address);
      return { participant, taskId: task?.id ?? 0, results: join(folder, "results"), address: signer.address };
    }),
  );
  const keeper = (await session.queue({ testAccount: ACCOUNTS.keeper })).signer.address;
  const accounts = [...nodes.map(({ owner }) => owner), ...developerOf.map(({ address }) => address), keeper];

  output.say("fetching every lease's last checkpoint back from another node");
  const paid = leases.filter(({ status }) => status === "paid");
  // Nobody but its developer, and those who work on it, reads what a task leaves.
  const accessOf = async (taskId: number) => {
    const account = developerOf.find((each) => each.taskId === taskId)?.participant.account ?? 0;
    return openAccess(session, (await session.queue({ testAccount: account })).signer);
  };
  const checkpoints = await fetchCheckpoints(session, paid, nodes, nameOf, join(data, "check"), accessOf);
  const trained = await readTrained(developerOf, leases);
  const totals = await readLedgerTotals(contracts, block.number, accounts);
  const gas = await gasByStep(provider, contracts, firstBlock);
  const logs = join(data, "logs");
  const agentLogs = await Promise.all(MACHINES.map(({ name }) => readLog(join(logs, `agent-${name}.log`))));
  const happenings = await readHappenings(session, clock, firstBlock, {
    keeper: await readLog(join(logs, "keeper.log")),
    agents: agentLogs.flat(),
  });
  const timeline = recoveries(faults, happenings);
  const optimum = jointOptimum(NODES, TASKS);
  const wei = (list: readonly Lease[]) =>
    list.reduce((sum, { count, price }) => sum + BigInt(count) * BigInt(price) * PRICE_UNIT, 0n);
  // The audited task comes later, to a class of nodes that are not in the first round.
  const auditedId = developerOf.find(({ participant }) => participant === AUDITED)?.taskId ?? 0;
  const first = leases.filter(({ parent, taskId }) => parent === 0 && taskId !== auditedId);
  const searched = TASKS.reduce((sum, each) => sum + each.units, 0);
  const units = searched + AUDITED.units;
  const best = developerOf.map(({ taskId }) =>
    Math.max(...trained.filter((each) => each.taskId === taskId).map(({ accuracy }) => accuracy)),
  );
  const equal = trained.filter(({ taskId, unit, weightsSha256 }) => {
    const account = developerOf.find((each) => each.taskId === taskId)?.participant.account ?? 0;
    return reference.get(account)?.[unit] === weightsSha256;
  });
  const highest = Math.max(...gas.map((each) => each.highest));
  const failed = faults.flatMap(({ leaseIds }) => leases.filter(({ id }) => leaseIds.includes(id)));
  const restored = new Set(happenings.restored.map(({ leaseId }) => leaseId));
  // A successor may fail in its turn: what counts is who was paid, and that nobody started from nothing.
  const lost = failed.filter(({ id, count }) => {
    const after = paid.filter((lease) => descends(lease, id, leases) && restored.has(lease.id));
    return after.reduce((sum, lease) => sum + lease.count, 0) !== count;
  });
  const { settled, reverted } = await keeperPosts(scenario, keeper);
  const { audit } = scenario;
  const ended = await contracts.audits.queryFilter(contracts.audits.filters.AuditEnded(), firstBlock);
  const passed = ended.filter(({ args }) => args.status === 6n).length;
  const cheat = nodes.find(({ id }) => nameOf(id) === CHEAT.name);
  const wentOn = happenings.restored.find(({ leaseId }) => leaseId === audit.successor);
  return {
    rpcUrl: scenario.chain.rpcUrl,
    nodes: nodes.map((node) => {
      const own = paid.filter(({ nodeId }) => nodeId === node.id);
      return {
        name: nameOf(node.id),
        class: classes.find(({ id }) => id === node.classId)?.name ?? "",
        capacity: node.capacity,
        askMicroVer: node.askTick * (classes.find(({ id }) => id === node.classId)?.tickSize ?? 0),
        leases: own.length,
        units: own.reduce((sum, lease) => sum + lease.count, 0),
        earnedWei: wei(own),
        stakeWei: node.stake,
      };
    }),
    cost: { grantedWei: wei(first), optimumWei: optimum.paid, paidWei: wei(paid) },
    recoveries: timeline.map((row) => ({ ...row, node: nameOf(row.nodeId) })),
    audit: { ...audit, passed },
    faults: { damaged: scenario.damaged, silence: scenario.silence, inFlight: scenario.inFlight },
    tasks: developerOf.map(({ participant, taskId }, i) => ({
      id: taskId,
      name: participant.name,
      units: participant.units,
      accuracies: trained.filter((each) => each.taskId === taskId).map(({ accuracy }) => accuracy),
      best: best[i] ?? 0,
    })),
    checkpoints,
    gas,
    totals,
    checks: [
      {
        what: "every task has ended and every unit is paid, once",
        ok:
          tasks.length === 3 &&
          tasks.every((t) => t.status === "ended" && t.paidUnits === t.units) &&
          once(paid, units),
      },
      {
        what: "the first round granted everything at exactly what the joint optimum costs",
        ok: wei(first) === optimum.paid && optimum.served === searched,
      },
      {
        what: "every unit of a failed lease went on elsewhere, from a checkpoint",
        ok: failed.length > 0 && lost.length === 0,
      },
      {
        what: "the segment with the skipped steps was drawn and found wrong, and its node lost its stake; all other work that was audited passed",
        ok:
          ended.filter(({ args }) => args.status === 7n).length === 1 &&
          ended.length === passed + 1 &&
          cheat?.stake === 0n,
      },
      {
        what: "the cheat's work went on elsewhere, from the last honest state",
        ok: wentOn !== undefined && wentOn.cid === audit.lastHonest,
      },
      {
        what: `all ${String(units)} models have the very weights of an undisturbed training`,
        ok: trained.length === units && equal.length === units,
      },
      {
        what: "the best model of each task reads more than 90 % of unseen digits",
        ok: best.length === 3 && best.every((accuracy) => accuracy > 0.9),
      },
      {
        what: "the keeper that was killed in the middle of a post settled that round once, and paid for it once",
        ok: settled === 1 && reverted === 0,
      },
      {
        what: "the last checkpoint of every lease that posted one came back whole from another node, if it is in the market still",
        ok: checkpoints.length >= tasks.length && checkpoints.every(({ verified }) => verified),
      },
      { what: "no transaction used more than 2^24 gas", ok: highest > 0 && highest <= 2 ** 24 },
      {
        what: "the vault's totals balance to the wei, and no escrow is left",
        ok: totals.balanced && totals.escrow === 0n,
      },
    ],
  };
}

/** Whether a lease goes on from another one, or from what goes on from that. O(hands). */
function descends({ parent }: Lease, from: number, leases: readonly Lease[]): boolean {
  if (parent === 0 || parent === from) return parent === from;
  const before = leases.find(({ id }) => id === parent);
  return before !== undefined && descends(before, from, leases);
}

/** Whether leases hold so many units, none of them twice. */
function once(leases: readonly Lease[], units: number): boolean {
  const held = leases.flatMap(({ taskId, start, count }) =>
    Array.from({ length: count }, (_, i) => `${String(taskId)}/${String(start + i)}`),
  );
  return held.length === units && new Set(held).size === units;
}

/**
 * How often the first round was settled, and how many of the keeper's transactions that should settle it failed. Others may:
 * a batch of orphaned ranges can get its turn between a look at the chain and the block. O(blocks).
 */
async function keeperPosts(
  { session, firstBlock }: Scenario,
  keeper: string,
): Promise<{ settled: number; reverted: number }> {
  const { rounds } = session.contracts;
  const settled = (await rounds.queryFilter(rounds.filters.RoundSettled(), firstBlock)).filter(
    ({ args }) => Number(args.roundId) === 1,
  ).length;
  const target = await rounds.getAddress();
  let reverted = 0;
  const last = await session.provider.getBlockNumber();
  for (let number = firstBlock; number <= last; number++) {
    const block = await session.provider.getBlock(number, true);
    for (const { from, to, hash, data } of block?.prefetchedTransactions ?? []) {
      if (from !== keeper || to !== target) continue;
      const call = rounds.interface.parseTransaction({ data });
      if (call?.name !== "settle" || Number(call.args["roundId"]) !== 1) continue;
      if ((await session.provider.getTransactionReceipt(hash))?.status !== 1) reverted += 1;
    }
  }
  return { settled, reverted };
}
