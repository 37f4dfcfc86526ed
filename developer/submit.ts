import { parseUnits } from "ethers";

import { ChainError } from "../chain/errors.ts";
import type { KeySource } from "../chain/keys.ts";
import { signPermit } from "../chain/permit.ts";
import type { Session } from "../chain/session.ts";
import { fundAndSubmit } from "../chain/simulate.ts";
import type { CheckpointStore } from "../checkpoints/store.ts";
import { toChainCid } from "../protocol/checkpoints/cid.ts";
import { microToWei, parsePrice } from "../protocol/money/ver.ts";
import { carbonTerms } from "./carbon.ts";
import type { TaskTerms } from "./config.ts";

/** Told what happens; the part of a logger that is used here. */
export interface Notices {
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
}

/**
 * Submits a task: adds the spec to the checkpoint network and puts escrow and submission fee into the vault by permit,
 * in one transaction.
 *
 * @param spec Bytes of a valid spec.
 * @returns The task's id and its spec's CID.
 * @throws ChainError with the remedy: unknown class, price off the grid, too little VER or ETH.
 */
export async function submitTask(
  session: Session,
  key: KeySource,
  store: CheckpointStore,
  spec: Uint8Array,
  terms: TaskTerms,
  logger: Notices,
): Promise<{ taskId: number; specCid: string }> {
  const { reader, contracts } = session;
  const pin = await reader.pin();
  const known = new Map((await reader.classes(pin)).map(({ id, name }) => [name, id]));
  const classes = Object.entries(terms.classes)
    .map(([name, surcharge]) => {
      const id = known.get(name);
      if (id === undefined) {
        throw new ChainError(
          "UNKNOWN_CLASS",
          false,
          `There is no class "${name}" on this network. Use one or more of: ${[...known.keys()].join(", ")}.`,
        );
      }
      return { id, name, surcharge: parseUnits(surcharge, 18) };
    })
    .sort((a, b) => a.id - b.id);
  await addCarbon(session, classes, terms, logger);
  const { cid } = await store.addFile(spec, { pin: "spec" });
  const { digest, codec } = toChainCid(cid);
  const maxPrice = parseUnits(terms.maxPrice, 18);
  const deposit = await reader.depositFor(pin, terms.units, maxPrice);
  const { signer, lane } = await session.lane(key);
  const needed = deposit.escrow + deposit.fee;
  const permit = await signPermit(contracts, signer, needed);
  const receipt = await fundAndSubmit(session, { signer, lane }, needed, logger, {
    label: "submit task",
    prepare: async () => {
      const now = await reader.pin();
      return contracts.tasks.submitWithPermit.populateTransaction(
        {
          specDigest: digest,
          specCodec: codec,
          units: terms.units,
          maxPrice,
          checkpointInterval: terms.checkpointInterval,
          replicas: terms.replicas,
          deadline: now.timestamp + terms.within,
          classIds: classes.map(({ id }) => id),
          surcharges: classes.some(({ surcharge }) => surcharge > 0n) ? classes.map((each) => each.surcharge) : [],
        },
        permit.deadline,
        permit.v,
        permit.r,
        permit.s,
      );
    },
  });
  const event = receipt?.logs
    .map((log) => contracts.tasks.interface.parseLog(log))
    .find((parsed) => parsed?.name === "TaskSubmitted");
  if (!event) throw new Error("the transaction went through without submitting a task");
  const taskId = Number(event.args["taskId"]);
  logger.info({ task: taskId, spec: cid.toString(), units: terms.units }, "task submitted");
  return { taskId, specCid: cid.toString() };
}

/** Adds what the task's carbon price comes to in each class. */
async function addCarbon(
  { reader }: Session,
  classes: { id: number; name: string; surcharge: bigint }[],
  terms: TaskTerms,
  logger: Notices,
): Promise<void> {
  const carbonPrice = parsePrice(terms.carbonPrice ?? "0");
  if (carbonPrice === 0) return;
  const carbon = await carbonTerms(reader, await reader.pin(), classes, carbonPrice);
  for (const each of classes) each.surcharge += microToWei(carbon.get(each.id)?.surcharge ?? 0);
  logger.info({ carbonPrice: terms.carbonPrice, classes: [...carbon.values()] }, "carbon preference");
  const maxPrice = parseUnits(terms.maxPrice, 18);
  const out = classes.filter(({ surcharge }) => surcharge >= maxPrice).map(({ name }) => name);
  if (out.length > 0) {
    logger.warn(
      { classes: out },
      "with this carbon price these classes can never serve the task: raise maxPrice, or lower carbonPrice",
    );
  }
}
