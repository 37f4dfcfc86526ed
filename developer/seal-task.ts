import { lstat, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import type { CheckpointStore } from "@verai/checkpoint-store/store";
import { sealSpec } from "@verai/executor/sealed/envelope";
import { Seal } from "@verai/executor/sealed/seal";
import { decoderOf, sealTree } from "@verai/executor/sealed/tree";
import { parseSpec, specBytes } from "@verai/executor/spec";
import { toChainCid } from "@verai/protocol/checkpoints/cid";
import type { TaskKeys } from "./task-keys.ts";

/** Label of the pins of sealed inputs and specs until their task has an id. */
const PIN = "sealed";

/** What a task is sealed with. */
export interface SealParts {
  readonly store: Pick<CheckpointStore, "addDirectory" | "addFile" | "fetchTo" | "peerId">;
  readonly keys: TaskKeys;
  /** Multiaddrs of the hosts that give its key; empty: this machine, by its peer id. */
  readonly keyHosts: readonly string[];
}

/**
 * Seals a confidential task: its inputs, which must be in the store, and its spec. What is sealed once more is the same to the bit, so
 * that a submission that was cut off is found again. A spec that is not confidential is returned as it is.
 *
 * @param bytes Of a valid spec.
 * @returns The bytes to submit.
 */
export async function sealTask({ store, keys, keyHosts }: SealParts, bytes: Uint8Array): Promise<Uint8Array> {
  const spec = parseSpec(bytes);
  if (spec.confidential !== true) return bytes;
  const key = await keys.derive(bytes);
  const seal = new Seal(key);
  const scratch = await mkdtemp(join(tmpdir(), "drmp-seal-"));
  const inputs: Record<string, string> = {};
  try {
    for (const [i, [cid, path]] of Object.entries(spec.inputs).entries()) {
      const [plain, sealed] = [join(scratch, `plain-${String(i)}`), join(scratch, `sealed-${String(i)}`)];
      await store.fetchTo(cid, plain, { maxBytes: Infinity, stallTimeout: 10_000 });
      await sealTree(plain, sealed, seal);
      await rm(plain, { recursive: true });
      inputs[(await addTree(store, sealed)).toString()] = path;
      await rm(sealed, { recursive: true });
    }
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
  const hosts = keyHosts.length > 0 ? [...keyHosts] : [store.peerId];
  const clear = { keyHosts: hosts, inputs: Object.keys(inputs), readers: [...(spec.readers ?? [])] };
  const sealed = sealSpec(specBytes({ ...spec, inputs }), seal, clear);
  const { cid } = await store.addFile(sealed, { pin: PIN });
  await keys.save(toChainCid(cid).digest, key);
  return sealed;
}

/**
 * What opens what a task's nodes have made while it is fetched; nothing where the task is not confidential.
 *
 * @param digest Of the task's spec, as the chain has it.
 */
export async function openingOf(
  keys: Pick<TaskKeys, "find">,
  digest: string,
): Promise<{ readonly decoder?: ReturnType<typeof decoderOf> }> {
  const key = await keys.find(digest);
  return key ? { decoder: decoderOf(new Seal(key)) } : {};
}

async function addTree(store: SealParts["store"], path: string) {
  const isFolder = (await lstat(path)).isDirectory();
  return (await (isFolder ? store.addDirectory(path, { pin: PIN }) : store.addFile(path, { pin: PIN }))).cid;
}
