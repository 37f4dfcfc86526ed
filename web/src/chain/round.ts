import { hexlify, Interface } from "ethers";

import { abiOf } from "@verai/client/abi";
import { type BlockReference, blockReference } from "@verai/client/block-reference";
import { ROUND_STATUSES } from "@verai/client/enums";
import type { Reader } from "@verai/client/readers";
import { snapshotTask, supplySnapshot } from "@verai/client/snapshot";
import { buildProblem, objective, type Round } from "@verai/protocol/allocation/model";
import { verifyPost, type VerifiedPost } from "@verai/protocol/allocation/verify";
import { validateRound } from "@verai/protocol/allocation/validate";

/** A settled round as the chain has it: what it was about, and the transaction that settled it. */
export interface SettledRound {
  readonly round: Round;
  /** The bytes that settled it. */
  readonly post: Uint8Array;
  readonly keeper: string;
  readonly transaction: string;
  /** Block at which the listings were read: that of the round's opening. */
  readonly openedBlock: number;
  /** What the contracts granted in that transaction. */
  readonly granted: readonly {
    readonly taskId: number;
    readonly nodeId: number;
    readonly units: number;
    readonly price: number;
  }[];
}

const ROUNDS = new Interface(abiOf("RoundManager"));
const LEASES = new Interface(abiOf("LeaseRegistry"));

/** Blocks in which an endpoint is asked for a round's events at once. */
const RANGE = 2_000;

/**
 * Reads a settled round from the chain alone: the listings as they were frozen when it was opened, and the post that settled it.
 *
 * @param hint The indexer's blocks, which say only where to look.
 * @throws Error if the endpoint keeps no state of that time, or the round was not settled by a call of its own.
 */
export async function readSettledRound(
  reader: Reader,
  roundId: number,
  hint: { readonly openedBlock: number; readonly endedBlock: number },
): Promise<SettledRound> {
  const { contracts, provider } = reader;
  const address = await contracts.rounds.getAddress();
  const topics = ["RoundOpened", "RoundSettled"].map((name) => ROUNDS.getEvent(name)?.topicHash ?? "");
  const logs = await provider.getLogs({
    address,
    topics: [topics, `0x${roundId.toString(16).padStart(64, "0")}`],
    fromBlock: hint.openedBlock,
    toBlock: Math.min(hint.endedBlock, hint.openedBlock + RANGE),
  });
  const [opening, log] = topics.map((topic) => logs.find((each) => each.topics[0] === topic));
  if (!opening || !log) {
    throw new Error(
      `The chain has no opening and settlement of round ${String(roundId)} between blocks ${String(hint.openedBlock)} and ${String(hint.endedBlock)}, where the indexer says they were.`,
    );
  }
  const openedBlock = opening.blockNumber;
  const [view, sent, receipt] = await Promise.all([
    contracts.rounds.round(roundId),
    provider.getTransaction(log.transactionHash),
    provider.getTransactionReceipt(log.transactionHash),
  ]);
  if (ROUND_STATUSES[Number(view.status)] !== "settled" || !sent || !receipt) {
    throw new Error(`The chain does not have round ${String(roundId)} as settled.`);
  }
  const call = sent.to?.toLowerCase() === address.toLowerCase() ? ROUNDS.parseTransaction({ data: sent.data }) : null;
  if (call?.name !== "settle") {
    throw new Error(
      `Round ${String(roundId)} was settled through another contract: its post is not in the transaction's own data.`,
    );
  }
  const block: BlockReference = await blockReference(provider, openedBlock);
  const demands = view.demands.map(({ taskId, units }) => [Number(taskId), Number(units)] as const);
  const tasks = await historical(
    openedBlock,
    Promise.all(demands.map(async ([taskId, units]) => snapshotTask(reader, block, taskId, units))),
  );
  const accepted = new Set(tasks.flatMap(({ classes }) => classes.map(({ classId }) => classId)));
  const ids = [...accepted].sort((a, b) => a - b);
  const classes = await historical(openedBlock, supplySnapshot(reader, block, ids));
  const leases = (await contracts.leases.getAddress()).toLowerCase();
  const granted = receipt.logs
    .filter((each) => each.address.toLowerCase() === leases)
    .map((each) => LEASES.parseLog(each))
    .filter((event) => event?.name === "LeaseGranted")
    .map((event) => {
      const args = event?.args as unknown as Readonly<Record<"taskId" | "nodeId" | "count" | "priceMicroVer", bigint>>;
      // `count` is no method of ethers' results, `at` and others are.
      return {
        taskId: Number(args.taskId),
        nodeId: Number(args.nodeId),
        units: Number(args.count),
        price: Number(args.priceMicroVer),
      };
    });
  const round: Round = { roundId, seed: view.seed, tasks, classes };
  validateRound(round);
  return {
    round,
    post: Uint8Array.from(call.args[1] instanceof Uint8Array ? call.args[1] : bytesOf(String(call.args[1]))),
    keeper: sent.from,
    transaction: log.transactionHash,
    openedBlock,
    granted,
  };
}

/** What the check of a post found. */
export interface Checked {
  readonly verified: VerifiedPost;
  /** What the linear program minimises, micro-VER × 1024. */
  readonly objective: bigint;
  /** Whether the leases that the contracts granted are those that follow from the post. */
  readonly sameLeases: boolean;
}

/** Checks a round's post as the contracts did, and the leases against it. Pure. @throws Refusal naming what does not hold. */
export function checkRound({ round, post, granted }: SettledRound): Checked {
  const problem = buildProblem(round);
  const verified = verifyPost(round, post, problem);
  const open = round.tasks.map(
    ({ units }, t) => units - (verified.flows[t] ?? []).reduce((sum, each) => sum + each, 0),
  );
  const key = ({ taskId, nodeId, units, price }: { taskId: number; nodeId: number; units: number; price: number }) =>
    [taskId, nodeId, units, price].join(" ");
  const wanted = joined(verified.rows).map(key).sort();
  const found = joined(granted).map(key).sort();
  return {
    verified,
    objective: objective(problem, { flows: verified.flows, open }),
    sameLeases: wanted.length === found.length && wanted.every((each, i) => each === found[i]),
  };
}

type Share = { readonly taskId: number; readonly nodeId: number; readonly units: number; readonly price: number };

/** Units by task, node and price: a row may have become several leases, one for each range. */
function joined(rows: readonly Share[]): Share[] {
  const sums = new Map<string, Share>();
  for (const row of rows) {
    const key = [row.taskId, row.nodeId, row.price].join(" ");
    const before = sums.get(key)?.units ?? 0;
    sums.set(key, { taskId: row.taskId, nodeId: row.nodeId, price: row.price, units: before + row.units });
  }
  return [...sums.values()];
}

/** A post as hexadecimal digits. */
export function postText(post: Uint8Array): string {
  return hexlify(post);
}

function bytesOf(digits: string): number[] {
  return (digits.slice(2).match(/../g) ?? []).map((byte) => Number.parseInt(byte, 16));
}

async function historical<T>(block: number, work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (cause) {
    throw new Error(
      `The endpoint does not give the state of block ${String(block)}, in which the round was opened: an archive endpoint does.`,
      { cause },
    );
  }
}
