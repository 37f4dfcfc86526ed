import { open, readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";

import { LOCAL_CHAIN_ID } from "@verai/client/chains";
import type { Lease } from "@verai/client/entities";
import type { Session } from "@verai/client/session";
import { blockName } from "@verai/checkpoint-store/cids";
import { fromChainCid } from "@verai/protocol/checkpoints/cid";
import type { RpcProxy } from "./rpc-proxy.ts";
import type { ParticipantNode } from "./participants.ts";
import type { Processes } from "./processes.ts";
import type { Fault } from "./timeline.ts";

const LOOK_MS = 200;

/** The status of rounds, and of batches, that wait for their seed (contracts/interfaces). */
const SEEDING = 1n;

/** How long the oracle was silent, and which request was given up by then. */
export interface Silence {
  /** Such as "batch 3" or "round 2". */
  readonly request: string;
  readonly seconds: number;
}

/** What faults are done to. */
export interface FaultContext {
  readonly session: Session;
  readonly processes: Processes;
  /** Process and data directory of each node's agent. */
  readonly agents: readonly { readonly node: ParticipantNode; readonly process: string; readonly data: string }[];
  readonly say: (text: string) => void;
}

/** A node's id on chain, by its operator. */
export async function nodeIdOf({ reader, queue }: Session, { operatorAccount }: ParticipantNode): Promise<number> {
  const { signer } = await queue({ testAccount: operatorAccount });
  return (await reader.nodeOfOperator(await reader.block(), signer.address)) ?? 0;
}

/** Waits until something can be seen; forever, so bound it from outside. */
export async function seen<T>(look: () => Promise<T | undefined | false>): Promise<T> {
  for (;;) {
    const found = await look();
    if (found !== undefined && found !== false) return found;
    await delay(LOOK_MS);
  }
}

/** A node's active leases once each of them has so many checkpoints on chain, and there is one. */
export async function inTraining(session: Session, nodeId: number, checkpoints: number): Promise<Lease[] | undefined> {
  const { reader } = session;
  const block = await reader.block();
  const active = (await reader.leases(block)).filter((lease) => lease.nodeId === nodeId && lease.status === "active");
  const newest = await reader.checkpoints(
    block,
    active.map(({ id }) => id),
  );
  const ready = active.every(({ id }) => (newest.get(id)?.sequence ?? 0) >= checkpoints);
  return active.length > 0 && ready ? active : undefined;
}

/** Ends an agent at once in the middle of its training (SIGKILL). */
export async function killInTraining(context: FaultContext, node: ParticipantNode): Promise<Fault> {
  const { session, processes, say } = context;
  const nodeId = await nodeIdOf(session, node);
  // Two, so that there is one before the newest.
  const leases = await seen(() => inTraining(session, nodeId, 2));
  const at = Date.now();
  await processes.kill(processOf(context, node));
  // What it had sent is mined before anybody asks which checkpoint is the newest.
  await mined(session);
  say(`${node.name} is killed in mid-training (SIGKILL), holding ${units(leases)}`);
  return { what: `${node.name} killed`, at, leaseIds: leases.map(({ id }) => id) };
}

/**
 * Cuts an agent off from the chain in the middle of its training; its peers still reach it.
 *
 * @returns Nothing, with the agent on the chain again, if it is not in its training, or what it had sent before ended all of its leases.
 */
export async function cutOff(
  context: FaultContext,
  node: ParticipantNode,
  rpcProxy: RpcProxy,
): Promise<Fault | undefined> {
  const { session, say } = context;
  const nodeId = await nodeIdOf(session, node);
  const leases = await inTraining(session, nodeId, 1);
  if (!leases) return undefined;
  const at = Date.now();
  await rpcProxy.cut();
  await mined(session);
  const held = await active(
    session,
    leases.map(({ id }) => id),
  );
  if (held.length === 0) {
    await rpcProxy.plug();
    return undefined;
  }
  say(`${node.name} is cut off from the chain, holding ${units(held)}`);
  return { what: `${node.name} cut off`, at, leaseIds: held.map(({ id }) => id) };
}

/**
 * Overwrites a part of a lease's newest checkpoint on every disk that holds a copy but its producer's.
 *
 * @returns Names of the nodes whose copies are damaged now.
 */
export async function damageCopies(
  context: FaultContext,
  leaseId: number,
  producer: ParticipantNode,
): Promise<string[]> {
  const { reader } = context.session;
  const [newest] = await reader.newestCheckpoints(await reader.block(), leaseId);
  if (!newest) return [];
  const name = blockName(fromChainCid(newest)) ?? "";
  const damaged: string[] = [];
  for (const { node, data } of context.agents) {
    if (node.name === producer.name) continue;
    const file = join(data, "store", "blocks", name.slice(0, 2), name);
    const size = await stat(file).then(
      (found) => found.size,
      () => undefined,
    );
    if (size === undefined) continue;
    const handle = await open(file, "r+");
    await handle.write(Buffer.from("damaged"), 0, 7, Math.max(0, Math.floor(size / 2) - 7));
    await handle.close();
    damaged.push(node.name);
  }
  context.say(
    `a stored block of lease ${String(leaseId)}'s newest checkpoint is overwritten on the disk of ${damaged.join(" and ")}`,
  );
  return damaged;
}

/**
 * Stops the oracle until a batch or a round that waits for its seed is given up, and its work is back in the queue. To be
 * called when there will be one: with a lease whose node is gone.
 */
export async function silenceOracle(context: FaultContext): Promise<Silence> {
  const { session, processes, say } = context;
  const { rounds, reassignment } = session.contracts;
  const from = await session.provider.getBlockNumber();
  const started = performance.now();
  processes.freeze("oracle");
  say("the oracle falls silent");
  const request = await seen(async () => {
    const [batches, opened] = await Promise.all([
      reassignment.queryFilter(reassignment.filters.BatchAborted(), from + 1),
      rounds.queryFilter(rounds.filters.RoundAborted(), from + 1),
    ]);
    const [batch] = batches.filter(({ args }) => args.was === SEEDING);
    const [round] = opened.filter(({ args }) => args.was === SEEDING);
    if (batch) return `batch ${String(batch.args.batchId)}`;
    return round && `round ${String(round.args.roundId)}`;
  });
  processes.freeze("oracle", false);
  const seconds = (performance.now() - started) / 1000;
  say(`${request} is given up: its work is back in the queue; the oracle answers again`);
  return { request, seconds };
}

/**
 * Kills the keeper while a settlement is in flight, and starts it again.
 *
 * @param journals Directory of the keeper's journals.
 * @returns What was in flight.
 */
export async function restartKeeperInPost(
  context: FaultContext,
  journals: string,
  address: string,
  start: () => void,
): Promise<{ readonly label: string; readonly nonce: number }> {
  const file = join(journals, `${String(LOCAL_CHAIN_ID)}-${address}.json`);
  for (;;) {
    const text = await readFile(file, "utf8").catch(() => "{}");
    const { entries = [] } = JSON.parse(text) as { entries?: { label: string; nonce: number }[] };
    const post = entries.find(({ label }) => label.startsWith("settle round"));
    if (post) {
      await context.processes.kill("keeper");
      start();
      context.say(`the keeper is killed with "${post.label}" in flight, and started again`);
      return { label: post.label, nonce: post.nonce };
    }
    await delay(5);
  }
}

/** Which of these leases are active. */
export async function active({ reader }: Session, leaseIds: readonly number[]): Promise<Lease[]> {
  const leases = await reader.leases(await reader.block());
  return leases.filter(({ id, status }) => leaseIds.includes(id) && status === "active");
}

/** Waits until what has been sent by now is mined. */
async function mined({ provider }: Session): Promise<void> {
  const head = await provider.getBlockNumber();
  await seen(async () => (await provider.getBlockNumber()) >= head + 2);
}

function processOf({ agents }: FaultContext, node: ParticipantNode): string {
  return agents.find((agent) => agent.node.name === node.name)?.process ?? node.name;
}

function units(leases: readonly Lease[]): string {
  return `${String(leases.reduce((sum, { count }) => sum + count, 0))} units`;
}
