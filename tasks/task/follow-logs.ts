import { StringDecoder } from "node:string_decoder";
import { setTimeout as delay } from "node:timers/promises";

import type { ContentAccess } from "@verai/client/content-access";
import type { Lease } from "@verai/client/entities";
import { RpcUnavailableError } from "@verai/client/errors";
import { LeaseIndex } from "@verai/client/lease-index";
import { LOG_PROTOCOL, type LogAnswer, logAnswer, logSubject, MAX_LOG_BYTES } from "@verai/client/log-protocol";
import type { Reader } from "@verai/client/readers";
import type { CheckpointStore } from "@verai/checkpoint-store/store";
import type { Output } from "../session/output.ts";

/** Pause between two looks at the logs, and at the chain, milliseconds. */
const [LOG_MS, CHAIN_MS] = [1_000, 5_000];
/** Bytes of what was written before that are shown at first. */
const TAIL = 8 * 1024;
/** Time for one answer, milliseconds. */
const ANSWER_MS = 10_000;
/** Units whose logs are followed at a time. */
const MAX_UNITS = 64;

/** What logs are followed with. */
export interface FollowParts {
  readonly reader: Reader;
  readonly store: Pick<CheckpointStore, "request" | "peerId">;
  readonly access: Pick<ContentAccess, "prove">;
  readonly output: Output;
  readonly signal: AbortSignal;
}

interface Stream {
  offset: number;
  /** What stands before each line. */
  readonly name: string;
  readonly decoder: StringDecoder;
  /** A line that is not whole yet. */
  rest: string;
  told: string | undefined;
}

/**
 * Shows what a task's units write, from the nodes that run them and while they do, until the task has ended or the signal. A unit
 * that changes hands is followed at its new node.
 *
 * @param unit One unit only; negative: all.
 * @returns Bytes shown.
 */
export async function followLogs(parts: FollowParts, taskId: number, unit: number): Promise<number> {
  const { reader, output, signal } = parts;
  const index = new LeaseIndex(reader);
  const streams = new Map<string, Stream>();
  let [shown, due, ended] = [0, 0, false];
  let live: { readonly lease: Lease; readonly peer: readonly string[] }[] = [];
  while (!signal.aborted) {
    if (performance.now() >= due) {
      try {
        const { block } = await index.refresh();
        const task = await reader.task(block, taskId);
        const leases = index.all().filter((lease) => lease.taskId === taskId && isRunning(lease));
        const nodes = await reader.nodesById(block, [...new Set(leases.map(({ nodeId }) => nodeId))]);
        live = leases.map((lease) => {
          const endpoint = nodes.find(({ id }) => id === lease.nodeId)?.endpoint ?? "";
          return { lease, peer: endpoint.split(",").filter((address) => address.includes("/p2p/")) };
        });
        ended = task?.status === "ended";
      } catch (error) {
        if (!(error instanceof RpcUnavailableError)) throw error;
        output.say(error.message);
      }
      due = performance.now() + CHAIN_MS;
    }
    const wanted = live
      .flatMap(({ lease, peer }) =>
        Array.from({ length: lease.count }, (_, i) => ({ lease, peer, at: lease.start + i })),
      )
      .filter(({ at }) => unit < 0 || at === unit)
      .slice(0, MAX_UNITS);
    for (const { lease, peer, at } of wanted) {
      const key = `${String(lease.id)} ${String(at)}`;
      const name = `unit ${String(at)} `;
      const stream = streams.get(key) ?? {
        offset: -TAIL,
        name,
        decoder: new StringDecoder(),
        rest: "",
        told: undefined,
      };
      streams.set(key, stream);
      shown += await showNext(parts, lease.id, at, peer, stream);
    }
    if (ended) break;
    await delay(LOG_MS, undefined, { signal }).catch(() => undefined);
  }
  return shown;
}

/** A result that is not decided yet may have logs that were not shown. */
function isRunning({ status }: Lease): boolean {
  return ["active", "moving", "delivered"].includes(status);
}

/** Shows what is new in a log. @returns bytes */
async function showNext(
  { store, access, output }: FollowParts,
  leaseId: number,
  unit: number,
  peer: readonly string[],
  stream: Stream,
): Promise<number> {
  let got: LogAnswer;
  try {
    const proof = await access.prove({ root: logSubject(leaseId), peer: store.peerId });
    const body = { leaseId, unit, offset: stream.offset, proof };
    got = logAnswer.parse(
      await store.request(peer, LOG_PROTOCOL, body, { timeout: ANSWER_MS, maxBytes: MAX_LOG_BYTES }),
    );
  } catch (error) {
    got = { kind: "refused", why: error instanceof Error ? error.message : String(error) };
  }
  if (got.kind === "refused") {
    if (stream.told !== got.why) output.say(`${stream.name}| (${got.why})`);
    stream.told = got.why;
    return 0;
  }
  stream.told = undefined;
  const bytes = Buffer.from(got.bytes, "base64");
  stream.offset = got.offset + bytes.byteLength;
  const lines = (stream.rest + stream.decoder.write(bytes)).split("\n");
  stream.rest = lines.pop() ?? "";
  for (const line of lines) output.say(`${stream.name}| ${line}`);
  return bytes.byteLength;
}
