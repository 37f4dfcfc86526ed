import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test, type TestContext } from "node:test";

import { isRetryable } from "@verai/errors/drmp-error";
import { seededRandom } from "@verai/system/http/testing";
import { type DatabaseChoice, openDatabase, type OpenDatabase } from "./database/open.ts";
import { Indexer } from "./indexer.ts";
import { TestChain } from "./testing/chain.ts";
import { dump } from "./testing/dump.ts";
import { ADDRESSES } from "./testing/encode.ts";
import { missingPostgres, startPostgres, type TestPostgres } from "./testing/postgres.ts";

const skipOf = (kind: DatabaseChoice["kind"]) => ({ skip: (kind === "postgres" && missingPostgres) || false });

class Killed extends Error {}

function isKilled(error: unknown): boolean {
  return error instanceof Killed || (error instanceof Error && error.cause instanceof Killed);
}

function folder(t: TestContext): string {
  const made = mkdtempSync(join(tmpdir(), "drmp-indexer-"));
  t.after(() => {
    rmSync(made, { recursive: true });
  });
  return made;
}

let postgres: TestPostgres | undefined;
after(() => postgres?.stop());

/** Names a database of a kind that is empty at first; each call names another one. */
async function emptyOf(kind: DatabaseChoice["kind"], t: TestContext): Promise<DatabaseChoice> {
  if (kind === "sqlite") return { kind, file: join(folder(t), "history.db") };
  postgres ??= await startPostgres();
  return { kind, url: await postgres.create(`history_${String((created += 1))}`), connections: 2 };
}
let created = 0;

async function open(choice: DatabaseChoice): Promise<OpenDatabase> {
  return openDatabase(choice, "test");
}

/** History of a chain, indexed in one go. */
async function fresh(chain: TestChain, choice: DatabaseChoice): Promise<Record<string, unknown[]>> {
  const database = await open(choice);
  await new Indexer({ chain, database, addresses: ADDRESSES, first: 0 }).look();
  const all = await dump(database);
  await database.close();
  return all;
}

/** The same database, whose `n`-th statement from now on is never made: the process was killed in the transaction. */
function killedAt(database: OpenDatabase, n: number): OpenDatabase {
  let left = n;
  const writer = database.writer.withPlugin({
    transformQuery: ({ node }) => {
      left -= 1;
      if (left === 0) throw new Killed("in a transaction");
      return node;
    },
    transformResult: ({ result }) => Promise.resolve(result),
  });
  return { ...database, writer };
}

const TRIALS = [
  ["sqlite", 1],
  ["sqlite", 2],
  ["sqlite", 3],
  ["postgres", 4],
] as const;

for (const [kind, seed] of TRIALS) {
  const name = `an index that was killed, misled and reorganised has the rows of a fresh one (${kind}, seed ${String(seed)})`;
  test(name, skipOf(kind), async (t) => {
    const random = seededRandom(seed);
    const upTo = (most: number) => Math.floor(random() * (most + 1));
    const chain = new TestChain();
    const file = await emptyOf(kind, t);
    let database = await open(file);
    let indexer = new Indexer({ chain, database, addresses: ADDRESSES, first: 0 });
    const restart = async (killAt?: number) => {
      await database.close();
      database = await open(file);
      const used = killAt === undefined ? database : killedAt(database, killAt);
      indexer = new Indexer({ chain, database: used, addresses: ADDRESSES, first: 0 });
    };
    let [kills, forks] = [0, 0];
    while (!chain.isOver) {
      chain.mine(1 + upTo(24));
      chain.lag = random() < 0.2 ? upTo(3) : 0;
      chain.hidden = random() < 0.2 ? chain.height - upTo(2) : -1;
      if (random() < 0.3) {
        chain.reorganise(1 + upTo(random() < 0.2 ? 60 : 6), upTo(3));
        forks += 1;
      }
      if (random() < 0.3) await restart(random() < 0.7 ? 1 + upTo(40) : undefined);
      let calls = random() < 0.2 ? upTo(4) : Infinity;
      chain.before = () => {
        calls -= 1;
        if (calls < 0) throw new Killed("between two requests");
      };
      try {
        await indexer.look();
      } catch (error) {
        if (!isKilled(error) && !isRetryable(error)) throw error;
        if (isKilled(error)) {
          kills += 1;
          await restart();
        }
      }
    }
    assert.ok(kills > 0 && forks > 0, "the seed tries something");
    Object.assign(chain, { lag: 0, hidden: -1, before: () => undefined });
    await restart();
    // What was kept back may only be found, and undone, at the next looks.
    for (let i = 0; i < 5; i++) {
      await indexer.look().catch((error: unknown) => {
        if (!isRetryable(error)) throw error;
      });
    }
    assert.ok(indexer.standing.atHead);
    const [now, anew] = [await dump(database), await fresh(chain, await emptyOf(kind, t))];
    for (const [table, rows] of Object.entries(anew)) assert.deepEqual(now[table], rows, table);
    assert.ok((anew["leases"]?.length ?? 0) >= 60);
    await database.close();
  });
}

for (const kind of ["sqlite", "postgres"] as const) {
  test(
    `a chain that was started again is indexed again, and another deployment's history is dropped (${kind})`,
    skipOf(kind),
    async (t) => {
      const file = await emptyOf(kind, t);
      const chain = new TestChain();
      chain.mine(120);
      const database = await open(file);
      const indexer = new Indexer({ chain, database, addresses: ADDRESSES, first: 0 });
      await indexer.look();
      chain.reorganise(1_000, 0);
      chain.mine(20);
      await indexer.look();
      assert.equal(indexer.standing.position?.number, 20);
      assert.deepEqual(await dump(database), await fresh(chain, await emptyOf(kind, t)));
      await database.close();
      const other = await openDatabase(file, "another deployment");
      assert.ok(Object.values(await dump(other)).every((rows) => rows.length === 0));
      await other.close();
    },
  );
}

test("an endpoint that lags takes nothing back", async (t) => {
  const chain = new TestChain();
  chain.mine(150);
  const database = await open(await emptyOf("sqlite", t));
  const indexer = new Indexer({ chain, database, addresses: ADDRESSES, first: 0 });
  await indexer.look();
  chain.mine(5);
  await indexer.look();
  const before = await dump(database);
  chain.lag = 5;
  await assert.rejects(indexer.look(), /wait until it has caught up/);
  assert.equal(indexer.standing.atHead, false);
  assert.deepEqual(await dump(database), before);
  await database.close();
});
