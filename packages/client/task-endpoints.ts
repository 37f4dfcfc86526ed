import { specHolders, taskHolders } from "@verai/protocol/checkpoints/task-holders";
import type { Node } from "./entities.ts";
import { answer, blockTag, type Reader } from "./readers.ts";

/** Nodes that may be asked to hold a task's spec and inputs, in the order in which they are asked: those of the drawn that can be. */
export async function taskNodes(reader: Reader, taskId: number): Promise<Node[]> {
  return reachable(reader, (count) => taskHolders(taskId, count));
}

/** Nodes that may be asked to hold a spec that no task names yet, in the order in which they are asked. */
export async function specNodes(reader: Reader, digest: string): Promise<Node[]> {
  return reachable(reader, (count) => specHolders(digest, count));
}

/** Multiaddrs of those who may hold a task's spec and inputs: drawn by its id, or by its spec from before it was submitted. */
export async function taskEndpoints(
  reader: Reader,
  { id, spec }: { readonly id: number; readonly spec: { readonly digest: string } },
): Promise<string[]> {
  const nodes = await reachable(reader, (count) => [
    ...new Set([...taskHolders(id, count), ...specHolders(spec.digest, count)]),
  ]);
  return nodes.flatMap(({ endpoint }) => endpoint.split(",").filter((each) => each !== ""));
}

async function reachable(reader: Reader, drawn: (nodeCount: number) => readonly number[]): Promise<Node[]> {
  const block = await reader.block();
  const ids = drawn(Number(await answer(reader.contracts.nodes.nodeCount(blockTag(block)))));
  const nodes = new Map((await reader.nodesById(block, ids)).map((node) => [node.id, node]));
  return ids.flatMap((id) => {
    const node = nodes.get(id);
    return node?.status === "active" && node.endpoint !== "" ? [node] : [];
  });
}
