import { TASK_CANDIDATES, taskHolders } from "@verai/protocol/checkpoints/task-holders";
import type { Node } from "./entities.ts";
import { answer, blockTag, type Reader } from "./readers.ts";

/** Nodes that may be asked to hold a task's spec and inputs, in the order in which they are asked: those of the drawn that can be. */
export async function taskNodes(reader: Reader, taskId: number): Promise<Node[]> {
  const block = await reader.block();
  const count = Number(await answer(reader.contracts.nodes.nodeCount(blockTag(block))));
  const ids = taskHolders(taskId, count, TASK_CANDIDATES);
  const nodes = new Map((await reader.nodesById(block, ids)).map((node) => [node.id, node]));
  return ids.flatMap((id) => {
    const node = nodes.get(id);
    return node?.status === "active" && node.endpoint !== "" ? [node] : [];
  });
}

/** Multiaddrs of {@link taskNodes}. */
export async function taskEndpoints(reader: Reader, taskId: number): Promise<string[]> {
  return (await taskNodes(reader, taskId)).flatMap(({ endpoint }) => endpoint.split(",").filter((each) => each !== ""));
}
