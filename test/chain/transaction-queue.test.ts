import { setTimeout as delay } from "node:timers/promises";

import { expect } from "chai";
import { parseEther, parseUnits, type TransactionReceipt } from "ethers";

import { ContractRefusalError, RpcUnavailableError } from "@verai/client/errors";
import { TRANSACTION_GAS_CAP } from "@verai/client/tx/queue";
import { CAP, failure, QueueBench, pay, SOMEBODY } from "../support/queue-bench.ts";

describe("transaction queue", () => {
  let bench: QueueBench;

  before(async () => {
    bench = await QueueBench.start();
  });

  after(() => bench.stop());

  beforeEach(() => bench.reset());

  describe("when all goes well", () => {
    it("sends, waits and says what it cost", async () => {
      const receipt = await (await bench.queue()).submit({ label: "pay", prepare: pay() });
      expect(receipt?.status).to.equal(1);
      expect(bench.events.map((event) => event.kind)).to.deep.equal(["sent", "confirmed"]);
      const [sent] = bench.of("sent");
      // 21,000 and the least margin; the estimate may be a little off.
      expect(Number(sent?.gasLimit)).to.be.within(171_000, 171_250);
      expect(bench.of("confirmed")[0]?.cost.gasUsed).to.equal(21_000n);
      expect(bench.of("confirmed")[0]?.hash).to.equal(receipt?.hash);
    });

    it("sends one after the other and prepares each when its turn comes", async () => {
      const one = await bench.queue();
      const seen: number[] = [];
      const receipts = await Promise.all(
        [1, 2, 3].map((n) =>
          one.submit({
            label: `pay ${String(n)}`,
            prepare: async () => {
              seen.push(await bench.used());
              return pay()();
            },
          }),
        ),
      );
      expect(seen).to.deep.equal([0, 1, 2]);
      expect(receipts.every((receipt) => receipt?.status === 1)).to.equal(true);
      expect(one.pending).to.equal(0);
    });

    it("sends nothing where nothing is needed", async () => {
      expect(await (await bench.queue()).submit({ label: "nothing", prepare: () => null })).to.equal(null);
      expect(bench.events.map((event) => event.kind)).to.deep.equal(["unneeded"]);
      expect(await bench.used()).to.equal(0);
    });

    it("waits for as many confirmations as it is told", async () => {
      const sending = (await bench.queue({ confirmations: 3 })).submit({ label: "pay", prepare: pay() });
      await bench.until("sent");
      await delay(100);
      expect(bench.of("confirmed")).to.have.length(0);
      await bench.node.send("hardhat_mine", ["0x2"]);
      expect((await sending)?.status).to.equal(1);
    });
  });

  describe("when it cannot be", () => {
    it("does not send what a contract refuses, and says why", async () => {
      const one = await bench.queue();
      const prepare = () => bench.token.transfer.populateTransaction(SOMEBODY, parseEther("3"));
      const error = await failure(one.submit({ label: "transfer", prepare }));
      expect(error).to.be.instanceOf(ContractRefusalError);
      expect(error.message).to.equal(`${bench.signer.address} holds 0 VER, but 3 VER are needed; get 3 VER more.`);
      expect(bench.of("refused")[0]?.error).to.equal(error);
      expect(bench.rpcProxy.calls).not.to.include("eth_sendRawTransaction");
      expect(await bench.used()).to.equal(0);
      // The queue goes on.
      expect((await one.submit({ label: "pay", prepare: pay() }))?.status).to.equal(1);
    });

    it("does not send what the signer cannot pay", async () => {
      await bench.node.send("hardhat_setBalance", [bench.signer.address, "0x1"]);
      const error = await failure((await bench.queue()).submit({ label: "pay", prepare: pay(0n) }));
      expect(error.code).to.equal("ETH_TOO_LOW");
      expect(error.message).to.match(/has 0\.000000000000000001 ETH, but "pay" may cost up to 0\.0\d+ ETH; send it/);
      expect(bench.rpcProxy.calls).not.to.include("eth_sendRawTransaction");
    });

    it("does not send above the cap", async () => {
      const error = await failure(
        (await bench.queue({ maxFeePerGas: 1000n })).submit({ label: "pay", prepare: pay() }),
      );
      expect(error.code).to.equal("FEE_ABOVE_CAP");
      expect(error.retryable).to.equal(true);
      expect(bench.rpcProxy.calls).not.to.include("eth_sendRawTransaction");
    });

    it("does not send what needs more gas than one transaction may use", async () => {
      const glutton = "0x00000000000000000000000000000000000ea7e5";
      // Stores a word so far out that the memory alone costs 21 million gas.
      await bench.node.send("hardhat_setCode", [glutton, "0x600162324b005200"]);
      const error = await failure((await bench.queue()).submit({ label: "eat", prepare: () => ({ to: glutton }) }));
      expect(error.code).to.be.oneOf(["GAS_TOO_HIGH", "OUT_OF_GAS"]);
      expect(error.retryable).to.equal(false);
      expect(bench.rpcProxy.calls).not.to.include("eth_sendRawTransaction");
      // 15 million fit, but the margin on top must not go over the cap.
      await bench.node.send("hardhat_setCode", [glutton, "0x6001622ab9805200"]);
      expect(
        (await (await bench.queue()).submit({ label: "eat less", prepare: () => ({ to: glutton }) }))?.status,
      ).to.equal(1);
      expect(bench.of("sent")[0]?.gasLimit).to.equal(TRANSACTION_GAS_CAP);
    });

    it("says why a transaction reverted although its simulation had passed", async () => {
      const rival = bench.treasury;
      await (await bench.token.transfer(bench.signer.address, parseEther("3"))).wait();
      const fees = { maxFeePerGas: CAP, maxPriorityFeePerGas: parseUnits("50", "gwei"), gasLimit: 200_000n };
      await (
        await bench.token.connect(bench.signer.connect(bench.node)).approve(rival.address, parseEther("3"))
      ).wait();
      await bench.automine(false);
      const prepare = () => bench.token.transfer.populateTransaction(SOMEBODY, parseEther("3"));
      const sending = failure((await bench.queue()).submit({ label: "transfer", prepare }));
      await bench.until("sent");
      // It pays more, so it comes first in the block.
      await bench.token.transferFrom(bench.signer.address, rival.address, parseEther("3"), fees);
      await bench.mine();
      const error = await sending;
      expect(error.code).to.equal("ERC20_INSUFFICIENT_BALANCE");
      expect(bench.of("reverted")[0]?.cost.gasUsed).to.be.greaterThan(21_000n);
      expect(bench.of("reverted")[0]?.error).to.equal(error);
    });
  });

  describe("when the endpoint is down", () => {
    afterEach(async () => {
      await bench.rpcProxy.cut();
      await bench.rpcProxy.plug();
    });

    it("says so before it sends, and works again when the endpoint is back", async () => {
      const one = await bench.queue();
      await bench.rpcProxy.cut();
      const error = await failure(one.submit({ label: "pay", prepare: pay() }));
      expect(error).to.be.instanceOf(RpcUnavailableError);
      await bench.rpcProxy.plug();
      expect((await one.submit({ label: "pay", prepare: pay() }))?.status).to.equal(1);
      expect(await bench.used()).to.equal(1);
    });

    it("goes on waiting for what it has sent", async () => {
      await bench.automine(false);
      const sending = (await bench.queue()).submit({ label: "pay", prepare: pay() });
      await bench.until("sent");
      await bench.rpcProxy.cut();
      await bench.until("unreachable");
      await bench.automine(true);
      await bench.rpcProxy.plug();
      expect((await sending)?.status).to.equal(1);
      expect(await bench.used()).to.equal(1);
    });

    it("sends nothing twice where only the answer was lost", async () => {
      const before = await bench.paid();
      // Nor does the node say whether it has it: only waiting shows it.
      bench.rpcProxy.losesAnswersTo = ["eth_sendRawTransaction", "eth_getTransactionByHash"];
      const receipt: TransactionReceipt | null = await (await bench.queue()).submit({ label: "pay", prepare: pay(6n) });
      expect(receipt?.status).to.equal(1);
      expect((await bench.paid()) - before).to.equal(6n);
      expect(await bench.used()).to.equal(1);
    });
  });
});
