import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";

import { expect } from "chai";
import { parseEther, parseUnits } from "ethers";

import { type ChainError, TransactionUnconfirmedError } from "@verai/client/errors";
import { CAP, CHAIN, failure, QueueBench, pay, SOMEBODY } from "../support/queue-bench.ts";

describe("transaction queue in trouble", () => {
  let bench: QueueBench;

  before(async () => {
    bench = await QueueBench.start();
  });

  after(() => bench.stop());

  beforeEach(() => bench.reset());

  describe("when a transaction is stuck", () => {
    beforeEach(() => bench.automine(false));

    it("replaces it by one that pays at least an eighth more", async () => {
      const before = await bench.paid();
      const sending = (await bench.queue({ stuckAfterMs: 120 })).submit({ label: "pay", prepare: pay(7n) });
      await bench.until("bumped", 2);
      await bench.mine();
      const receipt = await sending;
      const sent = [...bench.of("sent"), ...bench.of("bumped")];
      for (const [i, { fees }] of sent.entries()) {
        const previous = sent[i - 1]?.fees;
        if (!previous) continue;
        expect(fees.maxFeePerGas * 1000n >= previous.maxFeePerGas * 1125n).to.equal(true);
        expect(fees.maxPriorityFeePerGas * 1000n >= previous.maxPriorityFeePerGas * 1125n).to.equal(true);
      }
      expect(receipt?.hash).to.be.oneOf(sent.map(({ hash }) => hash));
      expect(receipt?.hash).not.to.equal(sent[0]?.hash);
      expect(new Set(sent.map(({ nonce }) => nonce)).size).to.equal(1);
      expect((await bench.paid()) - before).to.equal(7n);
    });

    it("prepares it again before it replaces it", async () => {
      const before = await bench.paid();
      let price = 5n;
      const sending = (await bench.queue({ stuckAfterMs: 120 })).submit({
        label: "pay",
        prepare: () => pay(price++)(),
      });
      await bench.until("bumped");
      await bench.mine();
      await sending;
      expect((await bench.paid()) - before >= 6n).to.equal(true);
    });

    it("does not let a waiting transaction stand in the way of its own replacement", async () => {
      await (await bench.token.transfer(bench.signer.address, parseEther("2"))).wait(0);
      await bench.mine();
      // All that the signer has: were the first one counted, a second could not be paid.
      const prepare = () => bench.token.transfer.populateTransaction(SOMEBODY, parseEther("2"));
      const sending = (await bench.queue({ stuckAfterMs: 120 })).submit({ label: "transfer", prepare });
      await bench.until("bumped");
      await bench.mine();
      expect((await sending)?.status).to.equal(1);
      expect(bench.of("cancelled")).to.have.length(0);
    });

    it("never goes above the cap, and goes on waiting", async () => {
      const one = await bench.queue({ stuckAfterMs: 60, maxFeePerGas: parseUnits("4", "gwei") });
      const sending = one.submit({ label: "pay", prepare: pay() });
      await bench.until("stuck", 2);
      for (const { fees } of [...bench.of("sent"), ...bench.of("bumped")]) {
        expect(fees.maxFeePerGas <= parseUnits("4", "gwei")).to.equal(true);
      }
      expect(bench.of("stuck")[0]?.error.code).to.equal("FEE_CAP_REACHED");
      await bench.mine();
      expect((await sending)?.status).to.equal(1);
    });

    it("takes it back when it is no longer needed", async () => {
      const before = await bench.paid();
      let needed = true;
      const prepare = () => {
        const payload = needed ? pay(9n)() : null;
        needed = false;
        return payload;
      };
      const sending = (await bench.queue({ stuckAfterMs: 120 })).submit({ label: "pay", prepare });
      await bench.until("cancelled");
      await bench.mine();
      expect(await sending).to.equal(null);
      expect((await bench.paid()) - before).to.equal(0n);
      expect(await bench.used()).to.equal(1);
    });

    it("takes it back when a contract would refuse it by now, and says why", async () => {
      let first = true;
      const prepare = async () => {
        const amount = first ? 0n : parseEther("1");
        first = false;
        return bench.token.transfer.populateTransaction(SOMEBODY, amount);
      };
      const sending = failure((await bench.queue({ stuckAfterMs: 120 })).submit({ label: "transfer", prepare }));
      await bench.until("cancelled");
      await bench.mine();
      expect((await sending).code).to.equal("ERC20_INSUFFICIENT_BALANCE");
    });

    it("sends it again when the node has lost it", async () => {
      await bench.node.send("hardhat_setNextBlockBaseFeePerGas", [`0x${parseUnits("1.5", "gwei").toString(16)}`]);
      await bench.mine();
      // The first offer is at the cap already, so that no replacement brings it back.
      const one = await bench.queue({
        stuckAfterMs: 150,
        maxFeePerGas: parseUnits("2", "gwei"),
        priorityFeePerGas: 1n,
      });
      const sending = one.submit({ label: "pay", prepare: pay() });
      await bench.until("sent");
      await bench.node.send("hardhat_dropTransaction", [bench.of("sent")[0]?.hash]);
      await bench.until("stuck");
      await delay(50);
      await bench.mine();
      expect((await sending)?.hash).to.equal(bench.of("sent")[0]?.hash);
      expect(bench.of("bumped")).to.have.length(0);
    });
  });

  describe("when the nonce is contested", () => {
    beforeEach(() => bench.automine(false));

    it("prepares the request again when another program has used its nonce", async () => {
      const before = await bench.paid();
      let prepared = 0;
      const sending = (await bench.queue()).submit({
        label: "pay",
        prepare: () => {
          prepared += 1;
          return pay(3n)();
        },
      });
      await bench.until("sent");
      const fees = { maxFeePerGas: CAP, maxPriorityFeePerGas: parseUnits("50", "gwei") };
      await bench.signer.connect(bench.node).sendTransaction({ to: bench.signer.address, nonce: 0, ...fees });
      await bench.automine(true);
      expect((await sending)?.status).to.equal(1);
      expect(bench.of("displaced")).to.have.length(1);
      expect(prepared).to.equal(2);
      expect((await bench.paid()) - before).to.equal(3n);
      expect(await bench.used()).to.equal(2);
    });

    it("waits for what another run left in flight without a journal", async () => {
      await bench.signer.connect(bench.node).sendTransaction({ to: SOMEBODY, value: 2n });
      const sending = (await bench.queue()).submit({ label: "pay", prepare: pay() });
      await bench.until("adopted");
      expect(bench.of("sent")).to.have.length(0);
      await bench.automine(true);
      expect((await sending)?.status).to.equal(1);
      expect(await bench.used()).to.equal(2);
    });

    it("also replaces that when it is stuck, paying more until the node takes it", async () => {
      const fees = { maxFeePerGas: parseUnits("20", "gwei"), maxPriorityFeePerGas: parseUnits("20", "gwei") };
      await bench.signer.connect(bench.node).sendTransaction({ to: SOMEBODY, value: 2n, ...fees });
      const before = await bench.paid();
      const recovered = (await bench.queue({ stuckAfterMs: 100 })).recover();
      await bench.until("cancelled");
      await bench.mine();
      await recovered;
      expect(bench.of("cancelled")[0]?.fees.maxFeePerGas).to.be.greaterThan(parseUnits("22", "gwei"));
      expect((await bench.paid()) - before).to.equal(0n);
    });
  });

  describe("after a restart", () => {
    /** A queue whose process ends while its transaction is in flight. */
    async function leaveInFlight(journal: string): Promise<void> {
      await bench.automine(false);
      const controller = new AbortController();
      const request = { label: "pay", prepare: pay(4n), signal: controller.signal };
      const sending = (await bench.queue({ journal })).submit(request).catch((error: unknown) => error);
      await bench.until("sent");
      controller.abort(new Error("killed"));
      // It was sent, and a caller that gave up waiting must not take it for "not sent".
      const error = (await sending) as ChainError;
      expect(error).to.be.instanceOf(TransactionUnconfirmedError);
      expect(error.message).to.include(bench.of("sent")[0]?.hash);
      expect(error.cause).to.have.property("message", "killed");
    }

    it("waits for what is in flight and sends nothing twice", async () => {
      const journal = join(bench.folder, "adopt.json");
      const before = await bench.paid();
      await leaveInFlight(journal);
      expect(await readFile(journal, "utf8")).to.include('"label": "pay"');
      const again = await bench.queue({ journal });
      const needed = async () => ((await bench.paid()) - before === 4n ? null : pay(4n)());
      const sending = again.submit({ label: "pay", prepare: needed });
      await bench.until("adopted");
      await bench.mine();
      expect(await sending).to.equal(null);
      expect(bench.of("confirmed")).to.have.length(1);
      expect((await bench.paid()) - before).to.equal(4n);
      expect(await readFile(journal, "utf8")).to.include('"entries": []');
    });

    it("records what was mined while it was down", async () => {
      const journal = join(bench.folder, "mined.json");
      await leaveInFlight(journal);
      await bench.automine(true);
      await (await bench.queue({ journal })).recover();
      expect(bench.of("confirmed")[0]?.label).to.equal("pay");
      expect(await bench.used()).to.equal(1);
    });

    it("takes back what stays stuck", async () => {
      const journal = join(bench.folder, "stuck.json");
      const before = await bench.paid();
      await leaveInFlight(journal);
      const recovered = (await bench.queue({ journal, stuckAfterMs: 100 })).recover();
      await bench.until("cancelled");
      await bench.mine();
      await recovered;
      expect((await bench.paid()) - before).to.equal(0n);
    });

    it("uses the nonce again of what was noted but never sent", async () => {
      const journal = join(bench.folder, "unsent.json");
      const sent = [{ hash: `0x${"ab".repeat(32)}`, maxFeePerGas: "9", maxPriorityFeePerGas: "1", cancels: false }];
      const entries = [{ nonce: 0, label: "lost", sent }];
      await writeFile(journal, JSON.stringify({ chainId: CHAIN, address: bench.signer.address, entries }));
      expect((await (await bench.queue({ journal })).submit({ label: "pay", prepare: pay() }))?.status).to.equal(1);
      expect(bench.of("adopted")).to.have.length(0);
    });

    it("does not send what it cannot note", async () => {
      const journal = join(bench.folder, "blocked.json");
      const one = await bench.queue({ journal: join(journal, "journal.json") });
      await writeFile(journal, "a file where a folder is needed");
      const error = await failure(one.submit({ label: "pay", prepare: pay() }));
      expect(error.code).to.equal("JOURNAL_FAILED");
      expect(bench.rpcProxy.calls).not.to.include("eth_sendRawTransaction");
    });
  });
});
