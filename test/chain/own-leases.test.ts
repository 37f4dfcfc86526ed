import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { expect } from "chai";
import { pino } from "pino";

import { LOCAL_CHAIN_ID } from "@verai/client/chains";
import { OwnLeases } from "@verai/agent/node/own-leases";
import type { Session } from "@verai/client/session";
import { addressesOf, openClient, openMarket } from "@verai/devnet/market";
import { RpcProxy } from "@verai/devnet/rpc-proxy";
import { connect } from "@verai/client/deployment";
import { openProvider, type RpcProvider } from "@verai/client/provider";
import { Reader } from "@verai/client/readers";
import { leaseUnits } from "../support/leases.ts";

const MILLI = 10n ** 15n;
const quiet = pino({ level: "silent" });

describe("a node's own leases", () => {
  let market: Awaited<ReturnType<typeof openMarket>>;
  let client: Awaited<ReturnType<typeof openClient>>;
  let rpcProxy: RpcProxy;
  let provider: RpcProvider;
  let folder: string;
  let session: Session;

  beforeEach(async () => {
    market = await openMarket();
    client = await openClient(market, 6);
    for (let n = 0; n < 3; n++) {
      await market.addNode(
        { classId: 0, capacity: 4, ask: BigInt(n + 1) * MILLI },
        n === 1 ? client.signer : undefined,
      );
    }
    rpcProxy = new RpcProxy(market.url);
    await rpcProxy.plug();
    provider = await openProvider(rpcProxy.url, { chainId: LOCAL_CHAIN_ID, pollingMs: 20 });
    const addresses = await addressesOf(market);
    const contracts = connect({ chainId: LOCAL_CHAIN_ID, file: "test", addresses }, provider);
    session = { provider, contracts, reader: new Reader(contracts) } as unknown as Session;
    folder = await mkdtemp(join(tmpdir(), "drmp-own-"));
  });
  afterEach(async () => {
    provider.destroy();
    client.provider.destroy();
    await rpcProxy.cut();
    await market.close();
    await rm(folder, { recursive: true, force: true });
  });

  const open = (nodeId = 2) =>
    new OwnLeases({ session, nodeId, file: join(folder, `${String(nodeId)}.json`), logger: quiet });

  const lease = (units: number): Promise<void> => leaseUnits(market, client, units);

  it("are found, followed and found again after a restart, in two requests a look", async () => {
    const own = open();
    await own.look();
    rpcProxy.calls.length = 0;
    await own.look();
    expect(rpcProxy.calls).to.deep.equal(["eth_getBlockByNumber", "eth_call"]);

    await lease(6);
    const { node } = await own.look();
    expect(node.leased).to.equal(2);
    expect(own.live().map(({ nodeId, count, status }) => [nodeId, count, status])).to.deep.equal([[2, 2, "active"]]);
    expect(rpcProxy.calls.filter((method) => method === "eth_getLogs")).to.have.length(1);

    rpcProxy.calls.length = 0;
    await market.pass(1);
    await own.look();
    expect(rpcProxy.calls).to.deep.equal(["eth_getBlockByNumber", "eth_call"]);

    const again = open();
    rpcProxy.calls.length = 0;
    await again.look();
    expect(again.live().map(({ nodeId }) => nodeId)).to.deep.equal([2]);
    expect(rpcProxy.calls).not.to.include("eth_getLogs");
    // With an empty disk they are looked for, by the events that name the node.
    await rm(join(folder, "2.json"));
    const anew = open();
    await anew.look();
    expect(anew.live().map(({ nodeId }) => nodeId)).to.deep.equal([2]);
  });

  it("are also found where an endpoint first hides the event, and one that ends is seen to", async () => {
    const own = open();
    await own.look();
    await lease(6);
    const send = provider.send.bind(provider);
    provider.send = async (method, params) => (method === "eth_getLogs" ? [] : send(method, params));
    await own.look();
    expect(own.live()).to.deep.equal([]);
    provider.send = send;
    await own.look();
    const [found] = own.live();
    expect(found?.nodeId).to.equal(2);
    if (!found) return;
    await (await client.contracts.leases.connect(client.signer).release(found.id, found.fence, 1)).wait();
    await own.look([found.id]);
    expect(own.live()).to.deep.equal([]);
    expect(own.get(found.id)?.status).to.equal("released");
  });

  it("do not disappear because an endpoint lags, but do with a reorganisation", async () => {
    const own = open();
    await own.look();
    const { provider: network } = market.connection;
    const before = (await network.request({ method: "evm_snapshot" })) as string;
    await lease(6);
    await own.look();
    expect(own.live()).to.have.length(1);
    await network.request({ method: "evm_revert", params: [before] });
    for (let n = 0; n < 30; n++) await market.pass(1);
    await own.look();
    expect(own.live()).to.deep.equal([]);
  });
});
