import { open } from "node:fs/promises";
import { join } from "node:path";

import type { ContentAccess } from "@verai/client/content-access";
import { ChainError } from "@verai/client/errors";
import {
  LOG_PART,
  LOG_PROTOCOL,
  type LogAnswer,
  logRequest,
  logSubject,
  MAX_LOG_BYTES,
} from "@verai/client/log-protocol";
import type { Session } from "@verai/client/session";
import type { Requester } from "@verai/checkpoint-store/messages/messenger";
import type { CheckpointStore } from "@verai/checkpoint-store/store";
import { systemCode } from "@verai/system/durable";
import { monotonicMs } from "@verai/system/clock";
import type { Workspace } from "../lease/workspace.ts";

/** For how long a permission counts without another look at the chain, milliseconds; permissions remembered. */
const [FRESH_MS, MAX_KNOWN] = [30_000, 512];

/** What logs are served with. */
export interface LogContext {
  readonly session: Pick<Session, "reader">;
  readonly store: Pick<CheckpointStore, "handle">;
  readonly access: Pick<ContentAccess, "sender" | "mayRead">;
  readonly workspace: Pick<Workspace, "folder">;
  readonly nodeId: number;
}

interface Permission {
  readonly until: number;
  /** Directory of the lease's work; undefined: there is no reason to read it. */
  readonly path: string | undefined;
}

/** Gives a task's developer, and keys that its spec names, the logs of its units as they are written. */
export class LogServer {
  readonly #context: LogContext;
  /** By address and lease, in the order in which they were looked up. */
  readonly #known = new Map<string, Permission>();

  constructor(context: LogContext) {
    this.#context = context;
  }

  /** Begins to answer. */
  async serve(): Promise<void> {
    const bounds = { maxBytes: MAX_LOG_BYTES, timeout: 20_000 };
    await this.#context.store.handle(LOG_PROTOCOL, (body, requester) => this.answer(body, requester), bounds);
  }

  /** Answers one request. */
  async answer(body: unknown, { peer, prove }: Pick<Requester, "peer" | "prove">): Promise<LogAnswer> {
    const parsed = logRequest.safeParse(body);
    if (!parsed.success) return refuse("the request is malformed");
    const { leaseId, unit, offset, proof } = parsed.data;
    const sender = await this.#context.access.sender({ root: logSubject(leaseId), peer }, proof);
    if ("wrong" in sender) return refuse(sender.wrong);
    let path: string | undefined;
    try {
      path = await this.#permitted(sender.address, leaseId);
    } catch (error) {
      if (!(error instanceof ChainError)) throw error;
      return refuse(`this node cannot look at the chain now: ${error.message}`);
    }
    if (path === undefined) return refuse(`no reason to read logs of lease ${String(leaseId)} here`);
    prove();
    return readPart(join(path, `unit-${String(unit)}`, "unit.log"), offset);
  }

  async #permitted(address: string | undefined, leaseId: number): Promise<string | undefined> {
    const { session, access, nodeId, workspace } = this.#context;
    const key = `${address ?? ""} ${String(leaseId)}`;
    const known = this.#known.get(key);
    if (known && monotonicMs() < known.until) return known.path;
    const { reader } = session;
    const [lease] = await reader.leasesThatExist(await reader.block(), [leaseId]);
    const isMine = lease?.nodeId === nodeId;
    const mayRead = isMine && (await access.mayRead(address, { kind: "log", leaseId }));
    const path = mayRead ? workspace.folder(leaseId, lease.fence).path : undefined;
    this.#known.delete(key);
    const [oldest] = this.#known.keys();
    if (this.#known.size >= MAX_KNOWN && oldest !== undefined) this.#known.delete(oldest);
    this.#known.set(key, { until: monotonicMs() + FRESH_MS, path });
    return path;
  }
}

async function readPart(file: string, wanted: number): Promise<LogAnswer> {
  try {
    const handle = await open(file, "r");
    try {
      const { size } = await handle.stat();
      // A log that was cut is shorter than what was read of it: from its beginning.
      const offset = wanted < 0 ? Math.max(0, size + wanted) : wanted > size ? 0 : wanted;
      const bytes = Buffer.alloc(Math.min(LOG_PART, size - offset));
      const { bytesRead } = await handle.read(bytes, 0, bytes.byteLength, offset);
      return { kind: "log", bytes: bytes.subarray(0, bytesRead).toString("base64"), offset, size };
    } finally {
      await handle.close();
    }
  } catch (error) {
    if (systemCode(error) === "ENOENT") return { kind: "log", bytes: "", offset: 0, size: 0 };
    throw error;
  }
}

function refuse(why: string): LogAnswer {
  return { kind: "refused", why: why.slice(0, 1_000) };
}
