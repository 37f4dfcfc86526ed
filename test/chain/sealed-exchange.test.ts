import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";

import { expect } from "chai";

import { until } from "@verai/devnet/programs";
import { NAMES, TwoAgents } from "../support/two-agents.ts";

const UNITS = 2;
/** Rounds that are looked at: the first ones are no longer kept at the end. */
const MIN_ROUND = 2;

/** Two units of a confidential task train one model, on a real chain with two real agents. */
describe("exchange of a confidential task", function () {
  this.timeout(600_000);
  let network: TwoAgents;

  before(async () => {
    network = await TwoAgents.open();
  });
  after(() => network.close());

  /** Files below a directory of an agent. */
  async function filesOf(name: string, ...place: string[]): Promise<string[]> {
    const root = join(network.bench.folder, name, ...place);
    const entries = await readdir(root, { withFileTypes: true, recursive: true }).catch(() => []);
    return entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  }

  /** What programs were given of other units, by name of the file. */
  async function received(name: string): Promise<Map<string, Buffer>> {
    const found = new Map<string, Buffer>();
    for (const path of await filesOf(name, "leases")) {
      const [, kind, round] = /exchange\/in\/(delta|record)-(\d{9})\/[\w.]+$/.exec(path) ?? [];
      if (Number(round) < MIN_ROUND) continue;
      const bytes = await readFile(path).catch(() => undefined);
      if (kind !== undefined && bytes) found.set(`${kind} ${String(round)}`, bytes);
    }
    return found;
  }

  it("what units exchange is sealed wherever it is stored, and they end with the same weights", async () => {
    const { bench, client } = network;
    const { reader } = client;
    const spec = await bench.write("spec.json", {
      version: 1,
      name: "one model, sealed",
      trainer: "digits",
      args: ["--epochs", "4", "--train", "800", "--test", "100", "--exchange-every", "10", "--pace", "40"],
      env: { DIGITS_GRID: '{"hidden":[16]}' },
      resources: { cpus: 1, memoryMiB: 512 },
      checkpoint: { intervalSeconds: 2 },
      exchange: { fileMiB: 1, quorum: 2, graceSeconds: 30 },
      outputs: ["model.bin", "metrics.json"],
      timeouts: { unitSeconds: 600, graceSeconds: 5 },
      confidential: true,
    });
    const terms = ["--classes", "cpu/eu", "--units", String(UNITS), "--max-price", "0.02", "--interval", "2s"];
    const submitting = network.drmp(
      ...["task", "submit", "--spec", spec, ...terms, "--within", "1h"],
      ...["--store", join(bench.folder, "developer"), "--yes"],
    );
    const said = () => submitting.said() + network.said();
    // While the units run, their programs have in clear what the other one has published.
    const plain = new Map<string, Buffer>();
    await until(
      "both units have delivered",
      async () => {
        for (const name of NAMES) for (const [key, bytes] of await received(name)) plain.set(key, bytes);
        const leases = await reader.leases(await reader.block(), 1);
        const done = leases.filter(({ status }) => status === "delivered" || status === "paid");
        return done.reduce((sum, { count }) => sum + count, 0) === UNITS;
      },
      said,
    );
    const [record] = [...plain].filter(([key]) => key.startsWith("record"));
    expect(record?.[1].toString(), said()).to.match(/^\{"round":\d+,"before":"[0-9a-f]{64}","members":\[/);
    const deltas = [...plain].filter(([key]) => key.startsWith("delta")).map(([, bytes]) => bytes);
    expect(deltas.length).to.be.greaterThan(2);

    // The middle of a contribution, which is never the same twice, and how every record begins.
    const marks = [...deltas.map((bytes) => bytes.subarray(1_000, 1_064)), Buffer.from('"before":"')];
    for (const name of NAMES) {
      const blocks = await filesOf(name, "store", "blocks");
      expect(blocks.length).to.be.greaterThan(0);
      for (const block of blocks) {
        const bytes = await readFile(block).catch(() => Buffer.alloc(0));
        expect(
          marks.some((mark) => bytes.includes(mark)),
          block,
        ).to.equal(false);
      }
    }

    const out = join(bench.folder, "results");
    const fetching = network.drmp(
      ...[
        "task",
        "result",
        "--task",
        "1",
        "--out",
        out,
        "--accept",
        "--yes",
        "--store",
        join(bench.folder, "results-store"),
      ],
    );
    expect(await fetching.exit, fetching.said()).to.equal(0);
    expect(await submitting.exit, said()).to.equal(0);
    const paths = (await readdir(out, { recursive: true })).filter((path) => path.endsWith("metrics.json"));
    const hashes = await Promise.all(
      paths.map(
        async (path) =>
          (JSON.parse(await readFile(join(out, path), "utf8")) as { weightsSha256: string }).weightsSha256,
      ),
    );
    expect(hashes).to.have.length(UNITS);
    expect(new Set(hashes).size, "weights of both units").to.equal(1);
  });
});
