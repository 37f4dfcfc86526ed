import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { expect } from "chai";
import { pino } from "pino";
import { Registry } from "prom-client";

import { AuditBook, type Examined } from "@verai/agent/audit/audit-book";
import { AuditDuties } from "@verai/agent/audit/audit-duties";
import { auditMetrics } from "@verai/agent/audit/audit-metrics";
import { PostedSegments } from "@verai/agent/audit/posted-segments";
import { ProducerTraces } from "@verai/agent/audit/producer-traces";
import { SegmentRetention } from "@verai/agent/audit/segment-retention";
import { ContentAccess } from "@verai/client/content-access";
import type { Session } from "@verai/client/session";
import { openClient, openMarket } from "@verai/devnet/market";
import { traceRoot, traceUnits, type UnitTrace } from "@verai/protocol/audits/trace";
import { unitAt } from "@verai/protocol/audits/draws";
import { leaseUnits } from "../support/leases.ts";

const MILLI = 10n ** 15n;
const quiet = pino({ level: "silent" });
const word = (n: number) => `0x${n.toString(16).padStart(64, "0")}`;

type Market = Awaited<ReturnType<typeof openMarket>>;
type Client = Awaited<ReturnType<typeof openClient>>;

/** States of two units of which each has gone on by four local checkpoints. */
const traceOf = (salt: number): UnitTrace[] =>
  [0, 1].map((unit) => ({
    unit,
    leaves: [1, 2, 3, 4].map((step) => ({ step: step * 10, digest: word(1000 * salt + 10 * unit + step) })),
  }));

/** A node with its key and its disk; it can end anywhere and begin again. */
class Participant {
  readonly client: Client;
  readonly nodeId: number;
  readonly #folder: string;
  readonly #session: Session;
  /** What it finds when it runs a segment again. */
  finds: (salt: string) => Examined = honest;
  examinations = 0;
  #duties: AuditDuties | undefined;

  constructor(client: Client, nodeId: number, folder: string) {
    this.client = client;
    this.nodeId = nodeId;
    this.#folder = folder;
    const { provider, contracts, reader } = client;
    this.#session = { provider, contracts, reader } as unknown as Session;
  }

  /** A new process on the same disk. */
  restart(): AuditDuties {
    const { traces, posted } = this.disk();
    return (this.#duties = new AuditDuties({
      ...{ session: this.#session, nodeId: this.nodeId, posted, traces, logger: quiet },
      book: new AuditBook(join(this.#folder, "open")),
      retention: new SegmentRetention(this.#session, posted),
      examiner: {
        examine: async ({ salt }) => {
          this.examinations += 1;
          return this.finds(salt);
        },
        tidy: async () => undefined,
      },
      ...{ verify: true, atOnce: 2, metrics: auditMetrics(new Registry()) },
      send: (label, prepare) => this.client.queue.submit({ label, prepare }),
    }));
  }

  disk() {
    const traces = new ProducerTraces(join(this.#folder, "traces"));
    return { traces, posted: new PostedSegments(join(this.#folder, "posted"), traces) };
  }

  /** One look, as a process that goes on, or as one that has just begun. */
  async cycle(anew = true): Promise<AuditDuties> {
    const duties = anew ? this.restart() : (this.#duties ?? this.restart());
    await duties.cycle();
    // What it examines beside the cycles ends in a moment here.
    await duties.stop();
    return duties;
  }

  async files(): Promise<string[]> {
    return (await readdir(join(this.#folder, "open")).catch(() => [])).filter((name) => name !== "cursor.json");
  }
}

/** What an honest verifier of the segment after `traceOf(2)` finds. */
function honest(salt: string): Examined {
  const units = traceOf(2);
  const place = unitAt(salt, units.length);
  const { unit, leaves } = units[place] ?? { unit: 0, leaves: [] };
  return { vouched: true, outcome: { kind: "verified", units: units.length, place, unit, leaves, cpuSeconds: 1 } };
}

/** The same, where the posted checkpoint says the hashes of the segment's units. */
function informed(salt: string): Examined {
  const { vouched, outcome } = honest(salt);
  return { vouched, outcome: outcome.kind === "verified" ? { ...outcome, hashes: traceUnits(traceOf(2)) } : outcome };
}

const forged = (): Examined => ({ vouched: true, outcome: { kind: "unusable", why: "its state is another one" } });

describe("audits by agents", () => {
  let market: Market;
  let folder: string;
  let producer: Participant;
  let verifiers: Participant[];
  let leaseId: number;

  const all = () => [producer, ...verifiers];
  const status = async (sequence: number) => Number((await market.contracts.audits.auditOf(leaseId, sequence)).status);
  const seed = async (value: bigint) => {
    const { requestId } = await market.contracts.auditEpochs.epoch(await market.contracts.auditEpochs.epochCount());
    await market.contracts.coordinator.fulfillRandomWordsWithOverride(requestId, market.contracts.seeds, [value]);
  };

  /** Posts a checkpoint, with its trace on disk before. */
  async function post(sequence: number): Promise<void> {
    const units = traceOf(sequence);
    const root = traceRoot(units);
    const { traces, posted } = producer.disk();
    const digest = word(77 + sequence);
    const ends = units.map(({ unit, leaves }) => ({ unit, ...leaves[3]! }));
    await traces.save(root, { digest, units: units.map((each) => ({ ...each, leaves: [...each.leaves] })), ends });
    const about = { digest, codec: 0x70, size: 10, progress: 5_000 * sequence };
    await posted.add(leaseId, { sequence, cid: `cid-${String(sequence)}`, root, ...about });
    const lease = await market.contracts.leases.lease(leaseId);
    const claim = { leaseId, fence: Number(lease.fence), ...about };
    const { checkpoints } = producer.client.contracts;
    await producer.client.queue.submit({
      label: "post",
      prepare: () => checkpoints.postTraced.populateTransaction(claim, root, []),
    });
  }

  /** The epoch that decides on what was posted, and the audit of the second segment, whichever seed draws it. */
  async function openAudit(): Promise<void> {
    const { auditEpochs, audits, checkpoints } = market.contracts;
    await market.pass(30);
    await auditEpochs.openEpoch(leaseId);
    const epochId = await auditEpochs.epochCount();
    const events = await checkpoints.queryFilter(checkpoints.filters.CheckpointTraced(leaseId));
    const links = await Promise.all(
      events.map(async (event, i) => ({
        ...{ sequence: i + 1, digest: event.args.digest, traceRoot: traceRoot(traceOf(i + 1)) },
        ...{ progress: event.args.progress, codec: event.args.codec, size: event.args.size },
        at: (await event.getBlock()).timestamp,
      })),
    );
    for (let word = 1n; ; word++) {
      const before = await market.connection.networkHelpers.takeSnapshot();
      await seed(word);
      const salt = await auditEpochs.saltOf(epochId, leaseId, 2);
      const segment = { leaseId, salt, before: links[0]!, end: links[1]! };
      const proof = { segment, head: `0x${"0".repeat(64)}`, later: [] };
      const opened = await audits.open(proof, epochId).then(
        () => true,
        () => false,
      );
      if (opened && (await status(2)) === 1) return;
      await before.restore();
    }
  }

  beforeEach(async () => {
    market = await openMarket();
    folder = await mkdtemp(join(tmpdir(), "drmp-audits-"));
    const clients = [];
    for (let n = 0; n < 4; n++) clients.push(await openClient(market, 6 + n));
    for (const [n, client] of clients.entries()) {
      await market.addNode({ classId: 0, capacity: 2, ask: BigInt(n + 1) * MILLI }, client.signer, 10 + n);
    }
    const people = clients.map((client, n) => new Participant(client, n + 1, join(folder, String(n))));
    [producer, ...verifiers] = people as [Participant, ...Participant[]];
    // Each enlists by itself, and once.
    for (const each of all()) await each.cycle();
    for (const each of all()) {
      expect((await market.contracts.auditEpochs.enlistmentOf(each.nodeId)).enlistedAt).to.be.above(0n);
      const nonce = await each.client.provider.getTransactionCount(each.client.signer);
      await each.cycle();
      expect(await each.client.provider.getTransactionCount(each.client.signer)).to.equal(nonce);
    }
    await leaseUnits(market, producer.client, 2, 100);
    leaseId = Number(await market.contracts.leases.leaseCount());
    await post(1);
    await market.pass(60);
    await post(2);
    await openAudit();
  });
  afterEach(async () => {
    for (const { client } of all()) client.provider.destroy();
    await market.close();
    await rm(folder, { recursive: true, force: true });
  });

  const drawn = async () => {
    const { verifierId } = await market.contracts.audits.auditOf(leaseId, 2);
    const found = verifiers.find(({ nodeId }) => nodeId === Number(verifierId));
    if (!found) throw new Error("nobody is drawn");
    return found;
  };

  it("pass, with every process begun again before every step, and leave nothing", async () => {
    const verifier = await drawn();
    const owner = await market.contracts.vault.claimable((await market.contracts.nodes.keysOf(verifier.nodeId))[0]);
    const seen: number[] = [];
    for (let round = 0; round < 12 && (await status(2)) < 6; round++) {
      for (const each of all()) await each.cycle();
      const now = await status(2);
      if (seen.at(-1) !== now) seen.push(now);
    }
    expect(seen.at(-1)).to.equal(6);
    expect(verifier.examinations).to.equal(1);
    const paid = await market.contracts.vault.claimable((await market.contracts.nodes.keysOf(verifier.nodeId))[0]);
    expect(paid).to.be.above(owner);
    for (const each of all()) {
      const duties = await each.cycle();
      expect(duties.summary.open).to.deep.equal([]);
      expect(await each.files()).to.deep.equal([]);
      // The events that name them are still there, and begin nothing again.
      await each.cycle();
      expect(await each.files()).to.deep.equal([]);
    }
  });

  it("are over once the verifier opens itself what it has found to be posted, without the producer", async () => {
    const verifier = await drawn();
    verifier.finds = informed;
    const [owner] = await market.contracts.nodes.keysOf(verifier.nodeId);
    const before = await market.contracts.vault.claimable(owner);
    for (let round = 0; round < 4; round++) await verifier.cycle();
    expect(await status(2)).to.equal(6);
    expect(verifier.examinations).to.equal(1);
    expect(await market.contracts.vault.claimable(owner)).to.be.above(before);
    const { audits } = market.contracts;
    expect(await audits.queryFilter(audits.filters.AnswerCommitted())).to.have.length(0);
    for (const each of all()) {
      await each.cycle();
      expect(await each.files()).to.deep.equal([]);
    }
  });

  it("go the long way where the hashes of the other units are wrong, and pass as well", async () => {
    const verifier = await drawn();
    verifier.finds = (salt) => {
      const { vouched, outcome } = informed(salt);
      return { vouched, outcome: outcome.kind === "verified" ? { ...outcome, hashes: [word(1), word(2)] } : outcome };
    };
    for (let round = 0; round < 6; round++) for (const each of all()) await each.cycle();
    expect(await status(2)).to.equal(6);
    const { audits } = market.contracts;
    expect(await audits.queryFilter(audits.filters.AnswerCommitted())).to.have.length(1);
  });

  it("keep what hides an answer before it is sent, whatever a second examination finds", async () => {
    const verifier = await drawn();
    await verifier.cycle();
    await verifier.cycle();
    expect(await status(2)).to.equal(2);
    verifier.finds = forged;
    for (let round = 0; round < 4; round++) for (const each of all()) await each.cycle();
    expect(await status(2)).to.equal(6);
  });

  it("convict a cheat by a panel that all run again; its stake is gone, and what it kept goes with its lease", async () => {
    for (const each of verifiers) each.finds = forged;
    for (let round = 0; round < 60 && (await status(2)) < 6; round++) {
      for (const each of all()) await each.cycle(round % 3 === 0);
    }
    expect(await status(2)).to.equal(7);
    const lease = await market.contracts.leases.lease(leaseId);
    expect(Number(lease.status)).to.be.above(1);
    expect((await market.contracts.nodes.nodePage(producer.nodeId, 1))[0]?.stake).to.equal(0n);
    // Each member ran it once for all rounds, and collects for each.
    for (let round = 0; round < 12; round++) for (const each of all()) await each.cycle();
    expect(verifiers.map(({ examinations }) => examinations)).to.deep.equal([1, 1, 1]);
    const { members } = await market.contracts.audits.panelOf(leaseId, 2);
    expect(members.length).to.be.above(14);
    expect(members.filter(({ settled }) => !settled)).to.have.length(0);
    for (const each of all()) expect(await each.files()).to.deep.equal([]);
  });

  it("let the drawn verifier read states and spec while its audit lasts, and nobody else for that reason", async () => {
    const { reader } = producer.client;
    const verifier = await drawn();
    const access = new ContentAccess({ reader, domain: { chainId: 31337 } });
    const reads = async (who: Participant, kind: "work" | "spec" | "log", claimed: object) => {
      const subject = kind === "spec" ? { kind, taskId: 1 } : { kind, leaseId };
      return access.mayRead((await who.client.signer.getAddress()).toLowerCase(), subject, claimed);
    };
    const claimed = { lease: leaseId, audit: 2 };
    expect(await reads(verifier, "work", claimed)).to.equal(true);
    expect(await reads(verifier, "spec", claimed)).to.equal(true);
    expect(await reads(verifier, "log", claimed)).to.equal(false);
    // Holders of the lease read its work in any case.
    const holders = (await reader.holders(await reader.block(), leaseId, 4)).map(({ nodeId }) => nodeId);
    const isHolder = ({ nodeId }: Participant) => holders.includes(nodeId);
    expect(await reads(verifier, "work", { ...claimed, audit: 1 })).to.equal(isHolder(verifier));
    const other = verifiers.find((each) => each !== verifier) ?? verifier;
    expect(await reads(other, "work", claimed)).to.equal(isHolder(other));
    for (let round = 0; round < 6; round++) for (const each of all()) await each.cycle();
    expect(await status(2)).to.equal(6);
    expect(await reads(verifier, "work", claimed)).to.equal(isHolder(verifier));
  });

  it("answer nothing where a machine cannot run the segment, and let another verifier be drawn", async () => {
    const verifier = await drawn();
    verifier.finds = () => ({ vouched: false, outcome: { kind: "failed", why: "it took too long" } });
    for (let round = 0; round < 3; round++) for (const each of all()) await each.cycle();
    expect(await status(2)).to.equal(1);
    expect(verifier.examinations).to.equal(1);
  });

  it("ask the chain nothing in most cycles while there is nothing to do", async () => {
    const verifier = await drawn();
    const idle = verifiers.find((each) => each !== verifier) ?? verifier;
    const { provider, reader } = idle.client;
    let asked: string[] = [];
    const send = provider._send.bind(provider);
    provider._send = async (payload) => {
      asked.push(...[payload].flat().map(({ method }) => method));
      return send(payload);
    };
    const duties = idle.restart();
    const cycle = async (block: Awaited<ReturnType<typeof reader.block>>) => {
      asked = [];
      await duties.cycle(block);
      return asked;
    };
    const first = await reader.block();
    await cycle(first);
    await cycle(first);
    expect(await cycle(first)).to.deep.equal([]);
    // A sixtieth of a step later, new ones are looked for.
    const { step } = await market.contracts.auditEpochs.terms();
    await market.pass(Number(step) / 60);
    const later = await reader.block();
    expect(await cycle(later)).to.deep.equal(["eth_getLogs"]);
    expect(await cycle(later)).to.deep.equal([]);
    // A block older than what was looked at is not believed to be the newest.
    expect(await cycle(first)).to.deep.equal(["eth_getBlockByNumber"]);
    // It is still drawn for what comes.
    expect(duties.summary.verifies).to.equal(true);
    await duties.stop();
  });
});
