import type { ContentAccess } from "@verai/client/content-access";
import type { Task } from "@verai/client/entities";
import { exchangeSubject } from "@verai/client/exchange-claim";
import type { Requester } from "@verai/checkpoint-store/messages/messenger";
import type { CheckpointStore } from "@verai/checkpoint-store/store";
import { MAX_EXCHANGE_UNITS } from "@verai/executor/exchange";
import type { Seal } from "@verai/executor/sealed/seal";
import type { TaskSpec } from "@verai/executor/spec";
import { monotonicMs } from "@verai/system/clock";
import {
  CLAIMS_PER_ANSWER,
  EXCHANGE_PROTOCOL,
  type ExchangeAnswer,
  exchangeRequest,
  MAX_EXCHANGE_BYTES,
} from "./protocol.ts";
import { type ExchangeContext, type LocalUnit, TaskExchange } from "./task-exchange.ts";

/** How long a requester waits for something new before it gets an empty answer, milliseconds. */
const WAIT_MS = 2_000;
/** Time for looking at the request and answering, beyond the wait, milliseconds. */
const ANSWER_MS = 5_000;
/** How long files of a task are still served after its last unit here has ended: other units may be behind, milliseconds. */
const AFTER_MS = 60 * 60_000;

/** What exchanges are kept with. */
export interface ExchangesContext extends ExchangeContext {
  readonly store: ExchangeContext["store"] & Pick<CheckpointStore, "handle">;
  readonly access: Pick<ContentAccess, "prove" | "sender">;
}

/** The exchanges of all tasks whose units train one model and run on this node. */
export class Exchanges {
  readonly #context: ExchangesContext;
  readonly #tasks = new Map<number, TaskExchange>();
  /** When the last unit of a task has ended here, milliseconds. */
  readonly #endedAt = new Map<number, number>();

  constructor(context: ExchangesContext) {
    this.#context = context;
  }

  /** Begins to answer other nodes. */
  async serve(): Promise<void> {
    const bounds = { maxBytes: MAX_EXCHANGE_BYTES, timeout: WAIT_MS + ANSWER_MS };
    await this.#context.store.handle(EXCHANGE_PROTOCOL, (body, requester) => this.answer(body, requester), bounds);
  }

  /**
   * Lets a unit take part in its task's exchange.
   *
   * @param seal What the task's files are sealed with; undefined if it is not confidential.
   * @returns What ends its part; undefined if the spec asks for none.
   * @throws Error if the task has too many units for it.
   */
  async join(
    task: Pick<Task, "id" | "submittedAt" | "units">,
    { exchange }: Pick<TaskSpec, "exchange">,
    unit: LocalUnit,
    seal?: Seal,
  ): Promise<(() => Promise<void>) | undefined> {
    if (exchange === undefined) return undefined;
    if (task.units > MAX_EXCHANGE_UNITS) {
      throw new Error(
        `The task has ${String(task.units)} units, and its spec an "exchange": at most ${String(MAX_EXCHANGE_UNITS)} units ` +
          `train one model. Submit it with fewer units.`,
      );
    }
    const known = this.#tasks.get(task.id) ?? new TaskExchange(this.#context, task, exchange.fileMiB, seal);
    this.#tasks.set(task.id, known);
    this.#endedAt.delete(task.id);
    const leave = await known.join(unit);
    return async () => {
      await leave();
      if (!known.active) this.#endedAt.set(task.id, monotonicMs());
    };
  }

  /** Leases whose exchanged files are of use still. */
  get leaseIds(): ReadonlySet<number> {
    return new Set([...this.#tasks.values()].flatMap((task) => task.leaseIds));
  }

  /** Ends exchanges that nobody needs any longer. */
  async tidy(): Promise<void> {
    for (const [taskId, at] of this.#endedAt) {
      if (monotonicMs() - at < AFTER_MS) continue;
      await this.#tasks.get(taskId)?.close(true);
      this.#tasks.delete(taskId);
      this.#endedAt.delete(taskId);
    }
  }

  /** Ends all; what was exchanged stays for the next start. */
  async stop(): Promise<void> {
    await Promise.all([...this.#tasks.values()].map((task) => task.close(false)));
    this.#tasks.clear();
  }

  /** Answers one request: nodes that have units of the same task learn what was published. */
  async answer(body: unknown, { peer, prove }: Pick<Requester, "peer" | "prove">): Promise<ExchangeAnswer> {
    const parsed = exchangeRequest.safeParse(body);
    if (!parsed.success) return none("the request is malformed");
    const { taskId, epoch, since, proof } = parsed.data;
    const task = this.#tasks.get(taskId);
    if (!task) return none(`no unit of task ${String(taskId)} runs here`);
    const sender = await this.#context.access.sender({ root: exchangeSubject(taskId), peer }, proof);
    if ("wrong" in sender) return none(sender.wrong);
    if (sender.address === undefined || !task.fellowOf(sender.address)) {
      // A lease that was granted a moment ago is seen at the next look.
      task.doubt();
      return none(`no reason to know what units of task ${String(taskId)} exchange`);
    }
    prove();
    return { kind: "claims", ...(await task.since(epoch, since, CLAIMS_PER_ANSWER, WAIT_MS)) };
  }
}

function none(why: string): ExchangeAnswer {
  return { kind: "none", why: why.slice(0, 1_000) };
}
