import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";

import { Live } from "../api/live.ts";
import { serveApi } from "../api/server.ts";
import { Indexer } from "../indexer.ts";
import { TestChain } from "../testing/chain.ts";
import { dump } from "../testing/dump.ts";
import { ADDRESSES } from "../testing/encode.ts";
import { missingPostgres, startPostgres } from "../testing/postgres.ts";
import { requestsOf } from "../testing/requests.ts";
import { type DatabaseChoice, openDatabase } from "./open.ts";

test(
  "PostgreSQL has the rows of SQLite, also after reorganisations and a restart, and answers every page and filter the same",
  { skip: missingPostgres ?? false },
  async () => {
    const folder = mkdtempSync(join(tmpdir(), "drmp-two-databases-"));
    const postgres = await startPostgres();
    try {
      const choices: DatabaseChoice[] = [
        { kind: "sqlite", file: join(folder, "history.db") },
        { kind: "postgres", url: await postgres.create("history"), connections: 4 },
      ];
      const found = [];
      for (const choice of choices) {
        const chain = new TestChain();
        let database = await openDatabase(choice, "test");
        chain.mine(160);
        await new Indexer({ chain, database, addresses: ADDRESSES, first: 0 }).look();
        await database.close();
        database = await openDatabase(choice, "test");
        const indexer = new Indexer({ chain, database, addresses: ADDRESSES, first: 0 });
        chain.reorganise(12, 3);
        await indexer.look();
        chain.mine(170);
        for (let look = 0; look < 3; look++) await indexer.look();
        const api = await serveApi({
          ...{ host: "127.0.0.1", port: 0, database, live: new Live(4), standing: () => indexer.standing },
          limits: { perSecond: 10_000, burst: 10_000 },
          onError: (error) => {
            throw error;
          },
        });
        const pages: Record<string, unknown> = {};
        for (const page of requestsOf(chain.year.size)) {
          const answered = await fetch(`${api.url}${page}`);
          assert.ok([200, 404].includes(answered.status), `${choice.kind} ${page}: ${String(answered.status)}`);
          pages[page] = await answered.json();
        }
        await api.close();
        found.push({ rows: await dump(database), pages });
        await database.close();
      }
      const [sqlite, other] = found;
      assert.ok(sqlite && other);
      for (const [name, rows] of Object.entries(sqlite.rows)) {
        assert.ok(rows.length > 0, `there is something to compare in ${name}`);
        assert.deepEqual(other.rows[name], rows, name);
      }
      for (const [page, answered] of Object.entries(sqlite.pages)) assert.deepEqual(other.pages[page], answered, page);
      // Another deployment's rows are dropped.
      const empty = await openDatabase(choices[1] as DatabaseChoice, "another");
      assert.ok(Object.values(await dump(empty)).every((rows) => rows.length === 0));
      await empty.close();
    } finally {
      await postgres.stop();
      rmSync(folder, { recursive: true });
    }
  },
);
