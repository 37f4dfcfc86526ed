import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { expect } from "chai";

import { openClient, openMarket } from "@verai/devnet/market";
import { Mirror, type MirrorLook } from "@verai/keepers/mirror";
import { leaseUnits } from "../support/leases.ts";

const MILLI = 10n ** 15n;

describe("the keepers' mirror", () => {
  let market: Awaited<ReturnType<typeof openMarket>>;
  let client: Awaited<ReturnType<typeof openClient>>;
  let folder: string;
  const open: Mirror[] = [];

  beforeEach(async () => {
    market = await openMarket();
    client = await openClient(market, 6);
    await market.addNode({ classId: 0, capacity: 4, ask: MILLI }, client.signer);
    await market.addNode({ classId: 0, capacity: 4, ask: 2n * MILLI });
    folder = await mkdtemp(join(tmpdir(), "drmp-mirror-"));
  });
  afterEach(async () => {
    for (const mirror of open.splice(0)) mirror.close();
    client.provider.destroy();
    await market.close();
    await rm(folder, { recursive: true, force: true });
  });

  function mirror(): Mirror {
    const made = new Mirror(client.reader, join(folder, "mirror.db"));
    open.push(made);
    return made;
  }

  const lease = (units: number): Promise<void> => leaseUnits(market, client, units);

  /** What the mirror has is what the contracts say at its block. */
  async function expectTrue({ block, nodes, leases, tasks }: MirrorLook): Promise<void> {
    const all = await client.reader.nodes(block);
    // Places in the listings also change where another node's do; anyone who plans a round reads them then.
    const plain = (list: typeof all) => list.map(({ listing, ...node }) => ({ ...node, listed: listing?.units ?? 0 }));
    expect(plain([...nodes.values()].map(({ node }) => node))).to.deep.equal(plain(all));
    const live = (await client.reader.leases(block)).filter(({ status }) =>
      ["active", "moving", "delivered", "disputed"].includes(status),
    );
    expect([...leases.values()].sort((a, b) => a.id - b.id)).to.deep.equal(live);
    for (const { taskId } of live) expect(tasks.get(taskId)?.id).to.equal(taskId);
  }

  it("has what the contracts say: from the start, after each change, and after a restart", async () => {
    await lease(2);
    const first = mirror();
    await expectTrue(await first.look());
    await lease(4);
    await expectTrue(await first.look());
    const [one] = [...(await first.look()).leases.values()];
    if (one) await (await client.contracts.leases.connect(client.signer).release(one.id, one.fence, 1)).wait();
    const look = await first.look();
    expect(look.leases.has(one?.id ?? 0)).to.equal(false);
    await expectTrue(look);
    first.close();
    open.length = 0;
    await market.addNode({ classId: 1, capacity: 2, ask: MILLI });
    const again = mirror();
    await expectTrue(await again.look());
    expect((await again.look()).nodes.size).to.equal(3);
  });

  it("undoes what a reorganisation has undone", async () => {
    const { provider } = market.connection;
    await lease(2);
    const followed = mirror();
    await expectTrue(await followed.look());
    const before = (await provider.request({ method: "evm_snapshot" })) as string;
    await lease(4);
    await market.addNode({ classId: 1, capacity: 2, ask: MILLI });
    await expectTrue(await followed.look());
    await provider.request({ method: "evm_revert", params: [before] });
    for (let n = 0; n < 30; n++) await market.pass(1);
    await expectTrue(await followed.look());
    await lease(3);
    await expectTrue(await followed.look());
  });
});
