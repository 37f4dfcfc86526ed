import { DatabaseSync } from "node:sqlite";

import { SponsorError } from "./errors.ts";

/** What is paid at most, wei of ETH. */
export interface Limits {
  readonly perOperation: bigint;
  readonly perAccountDay: bigint;
  readonly perClientDay: bigint;
  readonly perDay: bigint;
  readonly newAccounts: number;
  readonly failures: number;
}

/** An operation that the sponsor is about to sign for. */
export interface Reservation {
  /** Its hash. */
  readonly hash: string;
  readonly account: string;
  readonly nonce: bigint;
  /** Who asked, as limits count it. */
  readonly client: string;
  /** Whether it creates its account. */
  readonly creates: boolean;
  /** What it can cost, wei of ETH. */
  readonly maxCost: bigint;
  /** Until when the signature holds, seconds. */
  readonly validUntil: number;
  /** Newest block when it was signed. */
  readonly block: number;
}

/** signed: it may come. sent: the relay has sent it. done, failed: it was carried out. void: it can no longer come. */
export type State = "signed" | "sent" | "done" | "failed" | "void";

/** An operation in the ledger. */
export interface Entry extends Reservation {
  readonly state: State;
  /** Transaction that carried it out; empty if there is none yet. */
  readonly transaction: string;
}

/** What was paid, wei of ETH. */
export interface Spent {
  readonly day: string;
  readonly operations: number;
  readonly failed: number;
  /** Paid. */
  readonly paid: bigint;
  /** What those could cost that may still come. */
  readonly reserved: bigint;
}

const SCHEMA = `
  create table if not exists operation (
    hash text primary key, account text not null, nonce text not null, client text not null, creates integer not null,
    day text not null, cost integer not null, valid_until integer not null, block integer not null,
    state text not null, tx text not null default ''
  ) strict;
  create index if not exists operation_day on operation (day, account);
  create index if not exists operation_client on operation (day, client);
  create index if not exists operation_open on operation (state) where state in ('signed', 'sent');
  create unique index if not exists operation_live on operation (account, nonce) where state in ('signed', 'sent');
`;

/** Days whose operations are kept. */
const KEPT_DAYS = 40;

/** The day (UTC) of a time in seconds. */
export function dayOf(seconds: number): string {
  return new Date(seconds * 1000).toISOString().slice(0, 10);
}

/**
 * What the sponsor has signed for and what became of it, on disk: limits hold across restarts. An operation counts with what it
 * can cost from before it is signed for until it is known what it did. Every call is one transaction.
 */
export class Ledger {
  readonly #db: DatabaseSync;
  readonly #limits: Limits;

  /** @param file `:memory:` for tests. */
  constructor(file: string, limits: Limits) {
    this.#db = new DatabaseSync(file, { readBigInts: true });
    this.#limits = limits;
    this.#db.exec("pragma journal_mode = wal; pragma synchronous = full; pragma busy_timeout = 5000");
    this.#db.exec(SCHEMA);
  }

  /**
   * Counts an operation, before it is signed for. The same one again counts once; another one of the same account and nonce takes its
   * place, since only one of them can be carried out.
   *
   * @param now Seconds.
   * @throws SponsorError naming the limit.
   */
  reserve(wanted: Reservation, now: number): void {
    this.#atomically(() => {
      const { hash, account, client, nonce, maxCost, creates } = wanted;
      if (this.find(hash)) return;
      const day = dayOf(now);
      const replaced = this.#db
        .prepare("select hash, cost, valid_until from operation where account = ? and nonce = ? and state = 'signed'")
        .get(account, String(nonce)) as { hash: string; cost: bigint; valid_until: bigint } | undefined;
      // Both may come until the first one's signature has run out, but not both: the dearer one counts.
      const cost = replaced && replaced.cost > maxCost ? replaced.cost : maxCost;
      this.#require(wanted, day, cost - (replaced?.cost ?? 0n));
      if (replaced) this.#db.prepare("update operation set state = 'void', cost = 0 where hash = ?").run(replaced.hash);
      if (this.#live(account, nonce)) {
        throw new SponsorError(
          "NONCE_USED",
          "rejected",
          "An operation with this nonce is on its way; wait for it.",
          true,
        );
      }
      this.#db
        .prepare(
          "insert into operation (hash, account, nonce, client, creates, day, cost, valid_until, block, state) values (?, ?, ?, ?, ?, ?, ?, ?, ?, 'signed')",
        )
        .run(
          ...[hash, account, String(nonce), client, creates ? 1 : 0, day],
          ...[cost, wanted.validUntil, wanted.block],
        );
    });
  }

  #require({ account, client, maxCost, creates }: Reservation, day: string, more: bigint): void {
    const limits = this.#limits;
    const refuse = (code: string, message: string): never => {
      throw new SponsorError(code, "paymaster", message, true);
    };
    if (maxCost > limits.perOperation) {
      throw new SponsorError(
        "OPERATION_TOO_DEAR",
        "paymaster",
        `The operation can cost ${gwei(maxCost)}; ${gwei(limits.perOperation)} are paid for one. Do less in it.`,
      );
    }
    const sums = this.#sums(day, account, client);
    if (sums.all + more > limits.perDay) {
      refuse("DAY_USED_UP", `Today's ${gwei(limits.perDay)} are used up; ask again tomorrow (UTC), or pay yourself.`);
    }
    if (sums.account + more > limits.perAccountDay) {
      refuse(
        "ACCOUNT_USED_UP",
        `Today's ${gwei(limits.perAccountDay)} of this account are used up; ask again tomorrow (UTC).`,
      );
    }
    if (sums.client + more > limits.perClientDay) {
      refuse(
        "CLIENT_USED_UP",
        `Today's ${gwei(limits.perClientDay)} of your network address are used up; ask again tomorrow (UTC).`,
      );
    }
    if (sums.failures >= limits.failures) {
      refuse(
        "TOO_MANY_FAILURES",
        `${String(sums.failures)} operations failed today; nothing more is paid until tomorrow (UTC).`,
      );
    }
    if (creates && sums.created >= limits.newAccounts) {
      refuse(
        "TOO_MANY_ACCOUNTS",
        `Your network address has created ${String(sums.created)} accounts today; ask again tomorrow (UTC).`,
      );
    }
  }

  #sums(day: string, account: string, client: string) {
    const row = this.#db
      .prepare(
        `select coalesce(sum(cost), 0) as all_, coalesce(sum(cost) filter (where account = $account), 0) as account,
          coalesce(sum(cost) filter (where client = $client), 0) as client,
          count(*) filter (where state = 'failed' and (account = $account or client = $client)) as failures,
          count(distinct account) filter (where creates = 1 and client = $client and state <> 'void' and account <> $account) as created
         from operation where day = $day`,
      )
      .get({ day, account, client }) as Record<"all_" | "account" | "client" | "failures" | "created", bigint>;
    return {
      all: row.all_,
      account: row.account,
      client: row.client,
      failures: Number(row.failures),
      created: Number(row.created),
    };
  }

  #live(account: string, nonce: bigint): boolean {
    const row = this.#db
      .prepare("select 1 from operation where account = ? and nonce = ? and state in ('signed', 'sent')")
      .get(account, String(nonce));
    return row !== undefined;
  }

  /** An operation by its hash. */
  find(hash: string): Entry | undefined {
    const row = this.#db.prepare("select * from operation where hash = ?").get(hash) as Row | undefined;
    return row && entryOf(row);
  }

  /** Takes the right to send an operation. @returns false if somebody has it, or it can no longer come. */
  claim(hash: string): boolean {
    return (
      this.#db.prepare("update operation set state = 'sent' where hash = ? and state = 'signed'").run(hash).changes ===
      1n
    );
  }

  /** Gives the right to send back: nothing was sent. */
  unclaim(hash: string): void {
    this.#db.prepare("update operation set state = 'signed' where hash = ? and state = 'sent'").run(hash);
  }

  /**
   * An operation was carried out. Nothing happens if it is settled by now, or if another one has taken its place: what their nonce came to
   * is booked for that one.
   *
   * @param cost What it cost, wei of ETH.
   */
  settle(hash: string, success: boolean, cost: bigint, transaction: string): void {
    this.#db
      .prepare("update operation set state = ?, cost = ?, tx = ? where hash = ? and state in ('signed', 'sent')")
      .run(success ? "done" : "failed", cost, transaction, hash);
  }

  /** An operation can no longer come: it cost nothing. */
  discard(hash: string): void {
    this.#db
      .prepare("update operation set state = 'void', cost = 0 where hash = ? and state in ('signed', 'sent')")
      .run(hash);
  }

  /** Operations that may still come, the oldest first. At most 500. */
  open(): Entry[] {
    const rows = this.#db
      .prepare("select * from operation where state in ('signed', 'sent') order by valid_until limit 500")
      .all();
    return (rows as unknown as Row[]).map(entryOf);
  }

  /** What a day has cost. @param day Such as `2026-11-30`. */
  spent(day: string): Spent {
    const row = this.#db
      .prepare(
        `select count(*) filter (where state in ('done', 'failed')) as operations, count(*) filter (where state = 'failed') as failed,
          coalesce(sum(cost) filter (where state in ('done', 'failed')), 0) as paid,
          coalesce(sum(cost) filter (where state in ('signed', 'sent')), 0) as reserved
         from operation where day = ?`,
      )
      .get(day) as Record<"operations" | "failed" | "paid" | "reserved", bigint>;
    return {
      day,
      operations: Number(row.operations),
      failed: Number(row.failed),
      paid: row.paid,
      reserved: row.reserved,
    };
  }

  /** Forgets operations that are older than limits need. @param now Seconds. */
  forget(now: number): void {
    this.#db
      .prepare("delete from operation where day < ? and state not in ('signed', 'sent')")
      .run(dayOf(now - KEPT_DAYS * 86_400));
  }

  close(): void {
    this.#db.close();
  }

  #atomically(work: () => void): void {
    this.#db.exec("begin immediate");
    try {
      work();
      this.#db.exec("commit");
    } catch (error) {
      this.#db.exec("rollback");
      throw error;
    }
  }
}

interface Row {
  readonly hash: string;
  readonly account: string;
  readonly nonce: string;
  readonly client: string;
  readonly creates: bigint;
  readonly cost: bigint;
  readonly valid_until: bigint;
  readonly block: bigint;
  readonly state: State;
  readonly tx: string;
}

function entryOf(row: Row): Entry {
  const { hash, account, client, cost: maxCost, state, tx: transaction } = row;
  return {
    ...{ hash, account, client, maxCost, state, transaction },
    nonce: BigInt(row.nonce),
    creates: row.creates === 1n,
    validUntil: Number(row.valid_until),
    block: Number(row.block),
  };
}

function gwei(wei: bigint): string {
  return `${String((wei + 10n ** 9n - 1n) / 10n ** 9n)} gwei`;
}
