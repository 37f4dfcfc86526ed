import type { TransactionReceipt } from "ethers";

import type { Task } from "@verai/client/entities";
import { LOCAL_CHAIN_ID } from "@verai/client/chains";
import type { KeySource } from "@verai/client/keys";
import type { SignedTransaction } from "@verai/client/tx/queue";
import { submittedTask } from "@verai/client/outcomes";
import { signPermit } from "@verai/client/permit";
import type { Session } from "@verai/client/session";
import { fundAndSubmit } from "@verai/client/simulate";
import type { CheckpointStore } from "@verai/checkpoint-store/store";
import { isSealed } from "@verai/executor/sealed/envelope";
import { parseSpec } from "@verai/executor/spec";
import { toChainCid } from "@verai/protocol/checkpoints/cid";
import { formatPrice, microToWei } from "@verai/protocol/money/ver";
import { auditChanceOf } from "./audit-chance.ts";
import { carbonTerms } from "./carbon.ts";
import { Submission } from "./submission.ts";
import { defaultUnitTime, type RequestedClass, type TaskRequest, termsOf } from "./task-request.ts";

/** Where it is remembered what was submitted, so that nothing is paid for twice. */
export interface SubmitOnce {
  /** Directory of the records. */
  readonly directory: string;
  /** Name of this submission: the same spec with the same terms is paid for once for each name. */
  readonly name: string;
}

/** Told what happens; the part of a logger that is used here. */
export interface Notices {
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
}

/**
 * Submits a task: adds the spec to the checkpoint network and puts escrow and submission fee into the vault by permit,
 * in one transaction. What was submitted before under the same name is found again instead, also if the process was
 * killed in between.
 *
 * @param spec Bytes of a valid spec.
 * @param once Left out: submits it whatever was submitted before.
 * @returns The task's id and its spec's CID.
 * @throws ChainError with the remedy: a request that the contracts refuse, too little VER or ETH.
 */
export async function submitTask(
  session: Session,
  key: KeySource,
  store: CheckpointStore,
  spec: Uint8Array,
  request: TaskRequest,
  logger: Notices,
  once?: SubmitOnce,
): Promise<{ taskId: number; specCid: string }> {
  const { reader, contracts } = session;
  const classes = await withCarbon(session, request, logger);
  const { cid } = await store.addFile(spec, { pin: "spec" });
  const { digest, codec } = toChainCid(cid);
  const specCid = cid.toString();
  const record = once && (await openRecord(session, key, digest, request, once));
  if (record) {
    const taskId = await submittedBefore(session, key, record, digest, request.units);
    if (taskId !== undefined) {
      logger.info({ task: taskId, spec: specCid }, "this is submitted already and not paid for again");
      return { taskId, specCid };
    }
  }
  const { units, maxPrice, checkpointInterval, replicas, within } = request;
  const block = await reader.block();
  const auditChance = auditChanceOf(
    request.auditChance,
    isSealed(spec) ? undefined : parseSpec(spec),
    (await reader.parameters(block)).feeBps,
  );
  const deposit = await reader.depositFor(block, { units, maxPrice, auditChance });
  const { signer, queue } = await session.queue(key);
  const needed = deposit.escrow + deposit.fee;
  const permit = await signPermit(contracts, signer, needed);
  /** The receipt of an earlier transaction, if this one turns out to be no longer needed. */
  let earlier: TransactionReceipt | undefined;
  const sent = await fundAndSubmit(session, { signer, queue }, needed, logger, {
    label: LABEL,
    ...(record && { signed: (signed: SignedTransaction) => record.note(signed) }),
    prepare: async () => {
      const outcome = record && record.signed.length > 0 && (await queue.outcomeOf(LABEL, record.signed));
      if (outcome && outcome.kind === "mined") {
        earlier = outcome.receipt;
        return null;
      }
      const now = await reader.block();
      return contracts.tasks.submitWithPermit.populateTransaction(
        {
          specDigest: digest,
          specCodec: codec,
          units,
          maxPrice,
          checkpointInterval,
          maxUnitTime: request.maxUnitTime ?? defaultUnitTime(request),
          replicas,
          auditChance,
          deadline: now.timestamp + within,
          classIds: classes.map(({ classId }) => classId),
          surcharges: classes.some(({ surcharge }) => surcharge > 0n) ? classes.map((each) => each.surcharge) : [],
        },
        permit,
      );
    },
  });
  const taskId = await taskIdIn(session, sent ?? earlier);
  if (taskId === undefined) throw new Error("the transaction went through without submitting a task");
  await record?.done(taskId);
  logger.info({ task: taskId, spec: specCid, units, auditChance }, "task submitted");
  return { taskId, specCid };
}

/** What the transaction is called in logs and journals. */
const LABEL = "submit task";

async function openRecord(
  { provider, contracts, queue }: Session,
  key: KeySource,
  spec: string,
  request: TaskRequest,
  { directory, name }: SubmitOnce,
): Promise<Submission> {
  const { signer } = await queue(key);
  const { chainId } = provider;
  // A local chain starts again from nothing under the same id and with the same addresses.
  const first = chainId === LOCAL_CHAIN_ID ? await provider.getBlock(0) : null;
  const registry = await contracts.tasks.getAddress();
  const genesis = first?.hash ?? "";
  const terms = termsOf(request);
  return Submission.open(directory, { chainId, genesis, registry, owner: signer.address, spec, terms, name });
}

/**
 * The task that an earlier run submitted; undefined if it is certain that there is none.
 *
 * @throws TransactionUnconfirmedError if it cannot be told now.
 */
async function submittedBefore(
  session: Session,
  key: KeySource,
  record: Submission,
  digest: string,
  units: number,
): Promise<number | undefined> {
  const { reader } = session;
  const { signer, queue } = await session.queue(key);
  const isOurs = (task: Task | undefined): task is Task =>
    task?.owner === signer.address && task.spec.digest === digest && task.units === units;
  if (record.taskId !== undefined && isOurs(await reader.task(await reader.block(), record.taskId)))
    return record.taskId;
  if (record.signed.length === 0 && record.damage === undefined) return undefined;
  await queue.recover();
  if (record.signed.length > 0) {
    const outcome = await queue.outcomeOf(LABEL, record.signed);
    const taskId = outcome.kind === "mined" ? await taskIdIn(session, outcome.receipt) : undefined;
    if (taskId !== undefined) await record.done(taskId);
    return taskId;
  }
  // The record was damaged: only the chain knows.
  const found = (await reader.tasks(await reader.block())).findLast(isOurs);
  if (found) await record.done(found.id);
  return found?.id;
}

async function taskIdIn(
  { contracts }: Session,
  receipt: TransactionReceipt | null | undefined,
): Promise<number | undefined> {
  return receipt ? (await submittedTask(contracts, receipt))?.taskId : undefined;
}

/** The classes, with what the task's carbon price comes to in each added to its surcharge. */
async function withCarbon(
  { reader }: Session,
  { classes, carbonPrice, maxPrice }: TaskRequest,
  logger: Notices,
): Promise<readonly RequestedClass[]> {
  if (carbonPrice === 0) return classes;
  const carbon = await carbonTerms(reader, await reader.block(), classes, carbonPrice);
  const dearer = classes.map((each) => ({
    ...each,
    surcharge: each.surcharge + microToWei(carbon.get(each.classId)?.surcharge ?? 0),
  }));
  logger.info({ carbonPrice: formatPrice(carbonPrice), classes: [...carbon.values()] }, "carbon preference");
  const out = dearer.filter(({ surcharge }) => surcharge >= maxPrice).map(({ name }) => name);
  if (out.length > 0) {
    logger.warn(
      { classes: out },
      "with this carbon price these classes can never serve the task: raise maxPrice, or lower carbonPrice",
    );
  }
  return dearer;
}
