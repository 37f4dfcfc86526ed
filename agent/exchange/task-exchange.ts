import { lstat, mkdir, rename, rm } from "node:fs/promises";
import { dirname, join } from "node:path";

import type { Signer, TypedDataDomain } from "ethers";
import PQueue from "p-queue";
import { z } from "zod";

import type { ContentAccess } from "@verai/client/content-access";
import type { Task } from "@verai/client/entities";
import { exchangeSigner, exchangeSubject, signExchange, type SignedExchangeClaim } from "@verai/client/exchange-claim";
import type { Session } from "@verai/client/session";
import type { CheckpointStore } from "@verai/checkpoint-store/store";
import { EXCHANGE_DIRECTORIES, EXCHANGE_KINDS, EXCHANGE_READY, exchangeName, heldName } from "@verai/executor/exchange";
import { show } from "@verai/executor/inside";
import { WorkloadError } from "@verai/executor/errors";
import type { UnitFolder } from "@verai/executor/executor";
import type { Seal } from "@verai/executor/sealed/seal";
import { decoderOf } from "@verai/executor/sealed/tree";
import type { Logger } from "@verai/process/logger";
import { fromChainCid, toChainCid } from "@verai/protocol/checkpoints/cid";
import { monotonicMs, pause } from "@verai/system/clock";
import { writeDurably } from "@verai/system/durable";
import { loadState, saveState, type StateKind } from "@verai/system/state-file";
import { claimRefusal, ExchangeLedger, kindOf } from "./ledger.ts";
import { readOutbox, type Outbox, takeFile, tidyInbox } from "./outbox.ts";
import { CLAIMS_PER_ANSWER, EXCHANGE_PROTOCOL, exchangeAnswer, MAX_EXCHANGE_BYTES, signedClaim } from "./protocol.ts";
import { type Fellow, TaskLeases, type TaskLeasesView } from "./task-leases.ts";

/** Pause between two looks at what programs have published, milliseconds. */
const LOOK_MS = 250;
/** Pause between two looks at the task's leases, milliseconds. */
const LEASES_MS = 5_000;
/** Shortest pause between two questions to one node, the one after it could not be reached, and the time for an answer, milliseconds. */
const [ASK_MS, AGAIN_MS, ANSWER_MS] = [100, 1_000, 8_000];
/** After so long a unit begins, even if some nodes have not answered, milliseconds. */
const READY_MS = 20_000;
/** Time for fetching one file, and how long nothing may arrive, milliseconds. */
const [FETCH_MS, STALL_MS] = [600_000, 8_000];
/** Files that are fetched at the same time. */
const FETCHES = 4;
/** Pause before a file that could not be had is tried again, milliseconds. */
const RETRY_MS = 2_000;
const MIB = 1024 * 1024;

const FILE = {
  what: "list of exchanged files",
  version: 1,
  schema: z.object({ claims: z.array(signedClaim) }),
} satisfies StateKind<z.ZodType>;

/** What files are exchanged with. */
export interface ExchangeContext {
  readonly session: Session;
  readonly store: Pick<CheckpointStore, "addFile" | "fetchTo" | "request" | "unpin" | "collectGarbage" | "peerId">;
  readonly access: Pick<ContentAccess, "prove">;
  readonly signer: Pick<Signer, "signTypedData">;
  readonly domain: TypedDataDomain;
  readonly nodeId: number;
  readonly logger: Logger;
}

/** A unit of this node that takes part. */
export interface LocalUnit {
  readonly unit: number;
  readonly leaseId: number;
  readonly fence: number;
  readonly folder: UnitFolder;
}

interface Local extends LocalUnit {
  /** Versions of its files that are published, by name. */
  readonly published: Map<string, string>;
  /** Whether its program runs: what has ended publishes nothing more. */
  active: boolean;
  outbox: Outbox;
  readonly joinedAt: number;
  ready: boolean;
}

/** Label of the pins of what units under a lease exchange. */
export function exchangeLabel(leaseId: number): string {
  return `exchange-${String(leaseId)}`;
}

/**
 * The exchange of one task, for the units that this node runs of it: publishes what their programs leave in `out/`, asks the
 * other nodes of the task what is new, and lays it in `in/`, each file fetched block by block and verified by its CID.
 *
 * It decides nothing about rounds: that is the programs' part.
 */
export class TaskExchange {
  readonly task: Pick<Task, "id" | "submittedAt">;
  readonly #context: ExchangeContext;
  readonly #maxBytes: number;
  readonly #seal: Seal | undefined;
  readonly #ledger = new ExchangeLedger();
  readonly #leases: TaskLeases;
  readonly #locals = new Map<number, Local>();
  readonly #stop = new AbortController();
  readonly #fetches = new PQueue({ concurrency: FETCHES });
  /** Files being fetched, or that were tried a moment ago, by path. */
  readonly #tried = new Map<string, number>();
  readonly #asking = new Map<number, Promise<void>>();
  readonly #answered = new Set<number>();
  /** Called when something is new. */
  readonly #waiting = new Set<() => void>();
  /** Changes with each start: places in the ledger are of this process. */
  readonly epoch = 1 + Math.floor(Math.random() * 2 ** 50);
  #view: TaskLeasesView | undefined;
  #lookDue = 0;
  #running: Promise<void> | undefined;

  /**
   * @param fileMiB Largest file.
   * @param seal What files are sealed with before they leave; undefined if the task is not confidential.
   */
  constructor(context: ExchangeContext, task: Pick<Task, "id" | "submittedAt">, fileMiB: number, seal?: Seal) {
    this.#context = context;
    this.task = task;
    this.#seal = seal;
    // Blocks that name others come on top, and 32 bytes for each sealed segment.
    this.#maxBytes = fileMiB * MIB + Math.ceil(fileMiB * MIB * 0.001) + 64 * 1024;
    this.#leases = new TaskLeases(context.session, task, context.nodeId);
  }

  /** Whether programs of it run here. */
  get active(): boolean {
    return [...this.#locals.values()].some((local) => local.active);
  }

  /** Leases of the units that have taken part here. */
  get leaseIds(): number[] {
    return [...new Set([...this.#locals.values()].map(({ leaseId }) => leaseId))];
  }

  /** Lets a unit take part. @returns What ends its part: whatever it has published until then is still published. */
  async join(unit: LocalUnit): Promise<() => Promise<void>> {
    const { folder } = unit;
    for (const name of EXCHANGE_DIRECTORIES) await mkdir(join(folder.exchange, name), { recursive: true });
    await rm(join(folder.exchange, "in", EXCHANGE_READY), { force: true });
    const known = await loadState(claimsFile(folder), FILE, this.#context.logger);
    // They were verified when they were written down.
    for (const claim of known?.claims ?? []) this.#ledger.add(claim);
    const empty: Outbox = { files: [], wants: [] };
    const local: Local = {
      ...unit,
      ...{ published: new Map<string, string>(), active: true, outbox: empty, joinedAt: monotonicMs(), ready: false },
    };
    this.#locals.set(unit.unit, local);
    this.#running ??= this.#run();
    return async () => {
      await this.#publish(local).catch((error: unknown) => {
        this.#context.logger.warn(
          { task: this.task.id, unit: unit.unit, err: error },
          "its last files are not published",
        );
      });
      local.active = false;
    };
  }

  /** Which of the task's other nodes has this operator key; undefined if none has. */
  fellowOf(address: string): Fellow | undefined {
    return this.#view?.fellows.find(({ operator }) => operator === address);
  }

  /** Has the task's leases be looked at soon. */
  doubt(): void {
    this.#lookDue = Math.min(this.#lookDue, monotonicMs() + 500);
  }

  /** What is new since a place in the ledger; waits a while for it. */
  async since(epoch: number, since: number, most: number, ms: number) {
    const from = epoch === this.epoch ? since : 0;
    for (const end = monotonicMs() + ms; ;) {
      const found = this.#ledger.after(from, most);
      const left = end - monotonicMs();
      if (found.claims.length > 0 || left <= 0 || this.#stop.signal.aborted) return { epoch: this.epoch, ...found };
      const woken = new AbortController();
      const wake = () => {
        woken.abort();
      };
      this.#waiting.add(wake);
      await pause(left, woken.signal);
      this.#waiting.delete(wake);
    }
  }

  /** Ends it. @param forget Lets go of all files that were exchanged. */
  async close(forget: boolean): Promise<void> {
    this.#stop.abort(new Error("the exchange has ended"));
    this.#notify();
    await this.#running;
    await Promise.all(this.#asking.values());
    await this.#fetches.onIdle();
    if (forget) await this.#letGo(this.#ledger.all());
  }

  async #run(): Promise<void> {
    const { signal } = this.#stop;
    const { logger } = this.#context;
    for (; !signal.aborted; await pause(LOOK_MS, signal)) {
      try {
        await this.#cycle();
      } catch (error) {
        logger.warn({ task: this.task.id, err: error }, "exchange of files failed, will be tried again");
        await pause(AGAIN_MS, signal);
      }
    }
  }

  async #cycle(): Promise<void> {
    for (const local of this.#locals.values()) if (local.active) await this.#publish(local);
    if (monotonicMs() >= this.#lookDue) {
      this.#lookDue = monotonicMs() + LEASES_MS;
      this.#view = await this.#leases.look();
    }
    for (const fellow of this.#view?.fellows ?? []) {
      if (this.#asking.has(fellow.nodeId)) continue;
      const asking = this.#ask(fellow.nodeId).finally(() => this.#asking.delete(fellow.nodeId));
      this.#asking.set(fellow.nodeId, asking);
    }
    const old = this.#ledger.prune();
    if (old.length > 0) await this.#letGo(old);
    for (const local of this.#locals.values()) {
      if (!local.active) continue;
      this.#lay(local);
      await this.#tellReady(local);
    }
  }

  /** Publishes what a program has left. */
  async #publish(local: Local): Promise<void> {
    const { signer, domain, logger } = this.#context;
    const { unit, leaseId, fence, folder } = local;
    local.outbox = await readOutbox(join(folder.exchange, "out"));
    for (const { kind, round, path, version } of local.outbox.files) {
      const name = exchangeName(kind, round);
      if (local.published.get(name) === version) continue;
      if ((await lstat(path)).size > this.#maxBytes) {
        local.published.set(name, version);
        logger.warn(
          { task: this.task.id, unit, name },
          "file is larger than the spec's exchange.fileMiB: not exchanged",
        );
        continue;
      }
      let added: Awaited<ReturnType<CheckpointStore["addFile"]>>;
      try {
        added = await this.#add(local, path);
      } catch (error) {
        // What is no plain file any longer is the program's fault, and must not hold others up.
        if (!(error instanceof WorkloadError)) throw error;
        local.published.set(name, version);
        logger.warn({ task: this.task.id, unit, name, err: error }, "file cannot be taken: not exchanged");
        continue;
      }
      const { cid, size } = added;
      const { digest, codec } = toChainCid(cid);
      const place = EXCHANGE_KINDS.indexOf(kind);
      const claim = { taskId: this.task.id, unit, leaseId, fence, kind: place, round, digest, codec, size };
      const isNew = this.#ledger.add(await signExchange(signer, domain, claim));
      local.published.set(name, version);
      if (!isNew) continue;
      logger.info({ task: this.task.id, unit, name, bytes: size }, "file published for the task's other units");
      await this.#keep();
      this.#notify();
    }
    for (const name of local.published.keys()) {
      const isThere = local.outbox.files.some((file) => exchangeName(file.kind, file.round) === name);
      if (!isThere) local.published.delete(name);
    }
  }

  /** Adds a file to the store, sealed if the task is confidential. */
  async #add({ leaseId, folder }: Local, path: string) {
    const scratch = join(folder.root, "exchange-out");
    try {
      const taken = await takeFile(path, scratch, this.#maxBytes, this.#seal);
      return await this.#context.store.addFile(taken, { pin: exchangeLabel(leaseId) });
    } finally {
      await rm(scratch, { recursive: true, force: true });
    }
  }

  /** Asks a node what is new, for as long as it has units of the task. */
  async #ask(nodeId: number): Promise<void> {
    const { store, access, domain, logger } = this.#context;
    let [epoch, since] = [0, 0];
    for (let began = -Infinity; !this.#stop.signal.aborted;) {
      await pause(ASK_MS - (monotonicMs() - began), this.#stop.signal);
      const fellow = this.#view?.fellows.find((each) => each.nodeId === nodeId);
      const [lease] = this.leaseIds;
      if (!fellow || !this.active) return;
      began = monotonicMs();
      try {
        const proof = await access.prove({ root: exchangeSubject(this.task.id), peer: store.peerId }, lease);
        const request = { taskId: this.task.id, epoch, since, proof };
        const options = { timeout: ANSWER_MS, maxBytes: MAX_EXCHANGE_BYTES, signal: this.#stop.signal };
        const addresses = fellow.endpoint.split(",");
        const answer = exchangeAnswer.parse(await store.request(addresses, EXCHANGE_PROTOCOL, request, options));
        if (answer.kind === "claims") {
          const { claims } = answer;
          // Of a lease that was granted a moment ago: it is asked again once that is seen.
          if (claims.some(({ leaseId }) => this.#view?.leases.has(leaseId) !== true)) {
            this.doubt();
            await pause(AGAIN_MS, this.#stop.signal);
            continue;
          }
          ({ epoch, since } = answer);
          let isNew = false;
          for (const claim of claims) isNew = this.#accept(claim, exchangeSigner(domain, claim)) || isNew;
          if (isNew) {
            await this.#keep();
            this.#notify();
            for (const local of this.#locals.values()) if (local.active) this.#lay(local);
          }
          if (claims.length < CLAIMS_PER_ANSWER) this.#answered.add(nodeId);
        } else {
          this.#answered.add(nodeId);
          await pause(AGAIN_MS, this.#stop.signal);
        }
      } catch (error) {
        logger.debug({ task: this.task.id, node: nodeId, err: error }, "cannot ask what its units have published");
        await pause(AGAIN_MS, this.#stop.signal);
      }
    }
  }

  #accept(claim: SignedExchangeClaim, signer: string | undefined): boolean {
    if (!this.#view) return false;
    const view = { taskId: this.task.id, leases: this.#view.leases, maxBytes: this.#maxBytes };
    const why = claimRefusal(claim, signer, view);
    if (why === undefined) return this.#ledger.add(claim);
    this.#context.logger.debug({ task: this.task.id, unit: claim.unit, why }, "exchanged file refused");
    return false;
  }

  /** Begins to fetch what a unit lacks. */
  #lay(local: Local): void {
    const now = monotonicMs();
    for (const claim of this.#ledger.wanted(local, local.outbox.wants)) {
      const path = this.#pathOf(local, claim);
      const tried = this.#tried.get(path);
      if (tried !== undefined && now < tried) continue;
      this.#tried.set(path, Infinity);
      void this.#fetches.add(async () => {
        const isThere = await this.#fetch(local, claim, path).catch((error: unknown) => {
          if (!this.#stop.signal.aborted) {
            const { unit, round, kind } = claim;
            this.#context.logger.warn(
              { task: this.task.id, unit, round, kind, err: error },
              "exchanged file cannot be had yet",
            );
          }
          return false;
        });
        this.#tried.set(path, isThere ? Infinity : monotonicMs() + RETRY_MS);
      });
    }
  }

  async #fetch(local: Local, claim: SignedExchangeClaim, path: string): Promise<boolean> {
    if ((await lstat(path).catch(() => undefined)) !== undefined) return true;
    if (!this.#ledger.all().includes(claim)) return true;
    const { store, logger } = this.#context;
    const cid = fromChainCid(claim).toString();
    const incoming = join(local.folder.exchange, "in", `incoming-${String(claim.unit)}-${cid}`);
    await rm(incoming, { recursive: true, force: true });
    const fellows = this.#view?.fellows ?? [];
    // Who published it first, then all others, which may have it by now.
    const ordered = [...fellows].sort(
      (a, b) => Number(b.leaseId === claim.leaseId) - Number(a.leaseId === claim.leaseId),
    );
    const began = monotonicMs();
    await store.fetchTo(cid, incoming, {
      from: ordered.flatMap(({ endpoint }) => endpoint.split(",").filter((address) => address !== "")),
      maxBytes: claim.size,
      timeout: FETCH_MS,
      stallTimeout: STALL_MS,
      signal: this.#stop.signal,
      pin: exchangeLabel(local.leaseId),
      hint: local.leaseId,
      ...(this.#seal && { decoder: decoderOf(this.#seal) }),
    });
    if (!(await lstat(incoming)).isFile()) {
      await rm(incoming, { recursive: true, force: true });
      throw new Error(`${cid} is no file`);
    }
    await mkdir(dirname(path), { recursive: true });
    await show(dirname(path), "directory");
    await show(incoming, "file");
    await rename(incoming, path);
    const { unit, round, size } = claim;
    const isOwn = this.#locals.has(unit) && this.#locals.get(unit)?.leaseId === claim.leaseId;
    const ms = Math.round(monotonicMs() - began);
    const name = exchangeName(kindOf(claim) ?? "state", round);
    if (!isOwn)
      logger.info({ task: this.task.id, to: local.unit, unit, name, bytes: size, ms }, "exchanged file fetched");
    return true;
  }

  /** Tells a program that the others were asked, once they have answered or had their time. */
  async #tellReady(local: Local): Promise<void> {
    if (local.ready || !this.#view) return;
    const isAnswered = this.#view.fellows.every(({ nodeId }) => this.#answered.has(nodeId));
    if (!isAnswered && monotonicMs() - local.joinedAt < READY_MS) return;
    const records = this.#ledger.wanted(local, []).filter((claim) => kindOf(claim) === "record");
    // What is known is there before it is told that it is.
    const missing = records.filter((claim) => this.#tried.get(this.#pathOf(local, claim)) !== Infinity);
    if (missing.length > 0 || this.#fetches.size + this.#fetches.pending > 0) {
      if (monotonicMs() - local.joinedAt < 2 * READY_MS) return;
    }
    await writeDurably(join(local.folder.exchange, "in", EXCHANGE_READY), "");
    local.ready = true;
  }

  #pathOf(local: Local, claim: SignedExchangeClaim): string {
    const name = exchangeName(kindOf(claim) ?? "state", claim.round);
    const { unit, fence } = claim;
    return join(local.folder.exchange, "in", name, heldName({ unit, fence, cid: fromChainCid(claim).toString() }));
  }

  /** Writes down what is known: a unit passes on what others have published, also after a restart. */
  async #keep(): Promise<void> {
    const claims = this.#ledger.all();
    for (const { folder, active } of this.#locals.values()) {
      if (active) await saveState(claimsFile(folder), FILE, { claims });
    }
  }

  async #letGo(claims: readonly SignedExchangeClaim[]): Promise<void> {
    const { store } = this.#context;
    const kept = new Set(this.#ledger.all().map((claim) => claim.digest));
    const isEnd = this.#stop.signal.aborted;
    for (const claim of claims) {
      if (kept.has(claim.digest) && !isEnd) continue;
      for (const leaseId of this.leaseIds) await store.unpin(fromChainCid(claim).toString(), exchangeLabel(leaseId));
    }
    await store.collectGarbage();
    for (const local of this.#locals.values()) {
      const paths = this.#ledger.all().map((claim) => this.#pathOf(local, claim));
      const inbox = join(local.folder.exchange, "in");
      if (local.active) await tidyInbox(inbox, new Set(paths.map((path) => path.slice(inbox.length + 1))));
      for (const path of this.#tried.keys()) {
        if (path.startsWith(`${inbox}/`) && !paths.includes(path)) this.#tried.delete(path);
      }
    }
  }

  #notify(): void {
    for (const wake of this.#waiting) wake();
  }
}

function claimsFile({ root }: UnitFolder): string {
  return join(root, "exchange-claims.json");
}
