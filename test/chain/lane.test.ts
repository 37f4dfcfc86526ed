import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { createServer as createHttpServer, request as httpRequest, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";

import { expect } from "chai";
import { ContractFactory, parseEther, parseUnits, type TransactionReceipt, Wallet } from "ethers";
import hre from "hardhat";
import type { JsonRpcServer } from "hardhat/types/network";

import { ChainError, ContractRefusal, RpcUnavailable } from "../../chain/errors.ts";
import { openSigner } from "../../chain/keys.ts";
import {
  type LaneEvent,
  type LaneOptions,
  type Payload,
  TransactionLane,
  TRANSACTION_GAS_CAP,
} from "../../chain/lane.ts";
import { openProvider, type RpcProvider } from "../../chain/provider.ts";
import type { VerToken } from "../../types/contracts/index.ts";

const CHAIN = 31337;
const CAP = parseUnits("100", "gwei");
const SOMEBODY = "0x00000000000000000000000000000000000b0b00";

/** Stands between client and node, so that the connection can be cut while the chain goes on. */
class Cable {
  readonly #target: URL;
  #server: Server | undefined;
  #port = 0;
  /** Methods whose answers are lost on the way back. */
  losesAnswersTo: string[] = [];
  readonly calls: string[] = [];

  constructor(target: string) {
    this.#target = new URL(target);
  }

  get url(): string {
    return `http://127.0.0.1:${String(this.#port)}`;
  }

  async plug(): Promise<void> {
    const server = createHttpServer((request, response) => {
      const chunks: Buffer[] = [];
      request.on("data", (chunk: Buffer) => chunks.push(chunk));
      request.on("end", () => {
        const body = Buffer.concat(chunks);
        const calls = [JSON.parse(body.toString()) as { method: string } | { method: string }[]].flat();
        this.calls.push(...calls.map(({ method }) => method));
        const upstream = httpRequest(this.#target, { method: "POST", headers: request.headers }, (answer) => {
          if (calls.some(({ method }) => this.losesAnswersTo.includes(method))) {
            answer.resume().on("end", () => request.socket.destroy());
            return;
          }
          response.writeHead(answer.statusCode ?? 500, answer.headers);
          answer.pipe(response);
        });
        upstream.end(body);
      });
    });
    await new Promise<void>((resolve) => server.listen(this.#port, "127.0.0.1", resolve));
    this.#port = (server.address() as AddressInfo).port;
    this.#server = server;
  }

  async cut(): Promise<void> {
    const server = this.#server;
    this.#server = undefined;
    server?.closeAllConnections();
    await new Promise((resolve) => (server ? server.close(resolve) : resolve(undefined)));
  }
}

describe("transaction lane", () => {
  let server: JsonRpcServer;
  let cable: Cable;
  /** What the lane uses: through the cable. */
  let provider: RpcProvider;
  /** What the test uses: straight to the node. */
  let node: RpcProvider;
  let signer: Wallet;
  let token: VerToken;
  let folder: string;
  const events: LaneEvent[] = [];

  before(async () => {
    server = await hre.network.createServer("default", "127.0.0.1");
    const { port } = await server.listen();
    const url = `http://127.0.0.1:${String(port)}`;
    cable = new Cable(url);
    await cable.plug();
    const options = { chainId: CHAIN, attempts: 2, backoffMs: 10 };
    [provider, node] = await Promise.all([openProvider(cable.url, options), openProvider(url, options)]);
    const treasury = (await openSigner({ testAccount: 0 }, CHAIN)).connect(node);
    const artifact = await hre.artifacts.readArtifact("VerToken");
    const factory = new ContractFactory(artifact.abi, artifact.bytecode, treasury);
    const deployed = await factory.deploy(treasury.address, parseEther("1000"), treasury.address, parseEther("1000"));
    token = (await deployed.waitForDeployment()) as unknown as VerToken;
    folder = await mkdtemp(join(tmpdir(), "drmp-lane-"));
  });

  after(async () => {
    provider.destroy();
    node.destroy();
    await cable.cut();
    await server.close();
    await rm(folder, { recursive: true });
  });

  beforeEach(async () => {
    events.length = 0;
    cable.calls.length = 0;
    cable.losesAnswersTo = [];
    // A fresh signer each time, so that no test stands in another's way.
    signer = new Wallet(Wallet.createRandom().privateKey);
    await node.send("hardhat_setBalance", [signer.address, "0x56bc75e2d63100000"]);
    await automine(true);
  });

  async function automine(on: boolean): Promise<void> {
    if (on) await node.send("evm_mine", []);
    await node.send("evm_setAutomine", [on]);
  }

  async function lane(options: Partial<LaneOptions> = {}): Promise<TransactionLane> {
    return TransactionLane.open(signer, provider, {
      maxFeePerGas: CAP,
      pollMs: 15,
      stuckAfterMs: 5000,
      onEvent: (event) => events.push(event),
      ...options,
    });
  }

  function of<K extends LaneEvent["kind"]>(kind: K): Extract<LaneEvent, { kind: K }>[] {
    return events.filter((event): event is Extract<LaneEvent, { kind: K }> => event.kind === kind);
  }

  async function until(kind: LaneEvent["kind"], count = 1): Promise<void> {
    for (let i = 0; i < 2000; i++) {
      if (of(kind).length >= count) return;
      await delay(10);
    }
    throw new Error(`no ${kind} among ${events.map((event) => event.kind).join(", ")}`);
  }

  /** A plain payment, which the balance of its receiver tells apart. */
  function pay(value = 1n, to = SOMEBODY): () => Payload {
    return () => ({ to, value });
  }

  async function failure(promise: Promise<unknown>): Promise<ChainError> {
    const error = await promise.then(
      () => new Error("it did not fail"),
      (reason: unknown) => reason,
    );
    // Not thrown: the promise may be awaited only later.
    return error instanceof ChainError ? error : new ChainError("NOT_A_CHAIN_ERROR", false, String(error));
  }

  const used = () => node.getTransactionCount(signer.address);
  const gained = async (since: bigint) => (await node.getBalance(SOMEBODY)) - since;

  describe("when all goes well", () => {
    it("sends, waits and says what it cost", async () => {
      const receipt = await (await lane()).submit({ label: "pay", prepare: pay() });
      expect(receipt?.status).to.equal(1);
      expect(events.map((event) => event.kind)).to.deep.equal(["sent", "confirmed"]);
      const [sent] = of("sent");
      // 21,000 and a quarter; the estimate may be a little off.
      expect(Number(sent?.gasLimit)).to.be.within(26_250, 26_500);
      expect(of("confirmed")[0]?.cost.gasUsed).to.equal(21_000n);
      expect(of("confirmed")[0]?.hash).to.equal(receipt?.hash);
    });

    it("sends one after the other and prepares each when its turn comes", async () => {
      const one = await lane();
      const seen: number[] = [];
      const receipts = await Promise.all(
        [1, 2, 3].map((n) =>
          one.submit({
            label: `pay ${String(n)}`,
            prepare: async () => {
              seen.push(await used());
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
      expect(await (await lane()).submit({ label: "nothing", prepare: () => null })).to.equal(null);
      expect(events.map((event) => event.kind)).to.deep.equal(["unneeded"]);
      expect(await used()).to.equal(0);
    });

    it("waits for as many confirmations as it is told", async () => {
      const sending = (await lane({ confirmations: 3 })).submit({ label: "pay", prepare: pay() });
      await until("sent");
      await delay(100);
      expect(of("confirmed")).to.have.length(0);
      await node.send("hardhat_mine", ["0x2"]);
      expect((await sending)?.status).to.equal(1);
    });
  });

  describe("when it cannot be", () => {
    it("does not send what a contract refuses, and says why", async () => {
      const one = await lane();
      const prepare = () => token.transfer.populateTransaction(SOMEBODY, parseEther("3"));
      const error = await failure(one.submit({ label: "transfer", prepare }));
      expect(error).to.be.instanceOf(ContractRefusal);
      expect(error.message).to.equal(`${signer.address} holds 0 VER, but 3 VER are needed; get 3 VER more.`);
      expect(of("refused")[0]?.error).to.equal(error);
      expect(cable.calls).not.to.include("eth_sendRawTransaction");
      expect(await used()).to.equal(0);
      // The lane goes on.
      expect((await one.submit({ label: "pay", prepare: pay() }))?.status).to.equal(1);
    });

    it("does not send what the signer cannot pay", async () => {
      await node.send("hardhat_setBalance", [signer.address, "0x1"]);
      const error = await failure((await lane()).submit({ label: "pay", prepare: pay(0n) }));
      expect(error.code).to.equal("ETH_TOO_LOW");
      expect(error.message).to.match(/has 0\.000000000000000001 ETH, but "pay" may cost up to 0\.0\d+ ETH; send it/);
      expect(cable.calls).not.to.include("eth_sendRawTransaction");
    });

    it("does not send above the cap", async () => {
      const error = await failure((await lane({ maxFeePerGas: 1000n })).submit({ label: "pay", prepare: pay() }));
      expect(error.code).to.equal("FEE_ABOVE_CAP");
      expect(error.retryable).to.equal(true);
      expect(cable.calls).not.to.include("eth_sendRawTransaction");
    });

    it("does not send what needs more gas than one transaction may use", async () => {
      const glutton = "0x00000000000000000000000000000000000ea7e5";
      // Stores a word so far out that the memory alone costs 21 million gas.
      await node.send("hardhat_setCode", [glutton, "0x600162324b005200"]);
      const error = await failure((await lane()).submit({ label: "eat", prepare: () => ({ to: glutton }) }));
      expect(error.code).to.be.oneOf(["GAS_TOO_HIGH", "OUT_OF_GAS"]);
      expect(error.retryable).to.equal(false);
      expect(cable.calls).not.to.include("eth_sendRawTransaction");
      // 15 million fit, but the margin on top must not go over the cap.
      await node.send("hardhat_setCode", [glutton, "0x6001622ab9805200"]);
      expect((await (await lane()).submit({ label: "eat less", prepare: () => ({ to: glutton }) }))?.status).to.equal(
        1,
      );
      expect(of("sent")[0]?.gasLimit).to.equal(TRANSACTION_GAS_CAP);
    });

    it("says why a transaction reverted although its simulation had passed", async () => {
      const rival = (await openSigner({ testAccount: 0 }, CHAIN)).connect(node);
      await (await token.transfer(signer.address, parseEther("3"))).wait();
      const fees = { maxFeePerGas: CAP, maxPriorityFeePerGas: parseUnits("50", "gwei"), gasLimit: 200_000n };
      await (await token.connect(signer.connect(node)).approve(rival.address, parseEther("3"))).wait();
      await automine(false);
      const prepare = () => token.transfer.populateTransaction(SOMEBODY, parseEther("3"));
      const sending = failure((await lane()).submit({ label: "transfer", prepare }));
      await until("sent");
      // It pays more, so it comes first in the block.
      await token.transferFrom(signer.address, rival.address, parseEther("3"), fees);
      await node.send("evm_mine", []);
      const error = await sending;
      expect(error.code).to.equal("ERC20_INSUFFICIENT_BALANCE");
      expect(of("reverted")[0]?.cost.gasUsed).to.be.greaterThan(21_000n);
      expect(of("reverted")[0]?.error).to.equal(error);
    });
  });

  describe("when a transaction is stuck", () => {
    beforeEach(() => automine(false));

    it("replaces it by one that pays at least an eighth more", async () => {
      const before = await node.getBalance(SOMEBODY);
      const sending = (await lane({ stuckAfterMs: 120 })).submit({ label: "pay", prepare: pay(7n) });
      await until("bumped", 2);
      await node.send("evm_mine", []);
      const receipt = await sending;
      const sent = [...of("sent"), ...of("bumped")];
      for (const [i, { fees }] of sent.entries()) {
        const previous = sent[i - 1]?.fees;
        if (!previous) continue;
        expect(fees.maxFeePerGas * 1000n >= previous.maxFeePerGas * 1125n).to.equal(true);
        expect(fees.maxPriorityFeePerGas * 1000n >= previous.maxPriorityFeePerGas * 1125n).to.equal(true);
      }
      expect(receipt?.hash).to.be.oneOf(sent.map(({ hash }) => hash));
      expect(receipt?.hash).not.to.equal(sent[0]?.hash);
      expect(new Set(sent.map(({ nonce }) => nonce)).size).to.equal(1);
      expect(await gained(before)).to.equal(7n);
    });

    it("prepares it anew before it replaces it", async () => {
      const before = await node.getBalance(SOMEBODY);
      let price = 5n;
      const sending = (await lane({ stuckAfterMs: 120 })).submit({ label: "pay", prepare: () => pay(price++)() });
      await until("bumped");
      await node.send("evm_mine", []);
      await sending;
      expect((await gained(before)) >= 6n).to.equal(true);
    });

    it("does not let a waiting transaction stand in the way of its own replacement", async () => {
      await (await token.transfer(signer.address, parseEther("2"))).wait(0);
      await node.send("evm_mine", []);
      // All that the signer has: were the first one counted, a second could not be paid.
      const prepare = () => token.transfer.populateTransaction(SOMEBODY, parseEther("2"));
      const sending = (await lane({ stuckAfterMs: 120 })).submit({ label: "transfer", prepare });
      await until("bumped");
      await node.send("evm_mine", []);
      expect((await sending)?.status).to.equal(1);
      expect(of("cancelled")).to.have.length(0);
    });

    it("never goes above the cap, and goes on waiting", async () => {
      const one = await lane({ stuckAfterMs: 60, maxFeePerGas: parseUnits("4", "gwei") });
      const sending = one.submit({ label: "pay", prepare: pay() });
      await until("stuck", 2);
      for (const { fees } of [...of("sent"), ...of("bumped")]) {
        expect(fees.maxFeePerGas <= parseUnits("4", "gwei")).to.equal(true);
      }
      expect(of("stuck")[0]?.error.code).to.equal("FEE_CAP_REACHED");
      await node.send("evm_mine", []);
      expect((await sending)?.status).to.equal(1);
    });

    it("takes it back when it is not needed any more", async () => {
      const before = await node.getBalance(SOMEBODY);
      let needed = true;
      const prepare = () => {
        const payload = needed ? pay(9n)() : null;
        needed = false;
        return payload;
      };
      const sending = (await lane({ stuckAfterMs: 120 })).submit({ label: "pay", prepare });
      await until("cancelled");
      await node.send("evm_mine", []);
      expect(await sending).to.equal(null);
      expect(await gained(before)).to.equal(0n);
      expect(await used()).to.equal(1);
    });

    it("takes it back when a contract would refuse it by now, and says why", async () => {
      let first = true;
      const prepare = async () => {
        const amount = first ? 0n : parseEther("1");
        first = false;
        return token.transfer.populateTransaction(SOMEBODY, amount);
      };
      const sending = failure((await lane({ stuckAfterMs: 120 })).submit({ label: "transfer", prepare }));
      await until("cancelled");
      await node.send("evm_mine", []);
      expect((await sending).code).to.equal("ERC20_INSUFFICIENT_BALANCE");
    });

    it("sends it again when the node has lost it", async () => {
      await node.send("hardhat_setNextBlockBaseFeePerGas", [`0x${parseUnits("1.5", "gwei").toString(16)}`]);
      await node.send("evm_mine", []);
      // The first offer is at the cap already, so that no replacement brings it back.
      const one = await lane({ stuckAfterMs: 150, maxFeePerGas: parseUnits("2", "gwei"), priorityFeePerGas: 1n });
      const sending = one.submit({ label: "pay", prepare: pay() });
      await until("sent");
      await node.send("hardhat_dropTransaction", [of("sent")[0]?.hash]);
      await until("stuck");
      await delay(50);
      await node.send("evm_mine", []);
      expect((await sending)?.hash).to.equal(of("sent")[0]?.hash);
      expect(of("bumped")).to.have.length(0);
    });
  });

  describe("when the nonce is contested", () => {
    beforeEach(() => automine(false));

    it("prepares the request anew when another program has used its nonce", async () => {
      const before = await node.getBalance(SOMEBODY);
      let prepared = 0;
      const sending = (await lane()).submit({
        label: "pay",
        prepare: () => {
          prepared += 1;
          return pay(3n)();
        },
      });
      await until("sent");
      const fees = { maxFeePerGas: CAP, maxPriorityFeePerGas: parseUnits("50", "gwei") };
      await signer.connect(node).sendTransaction({ to: signer.address, nonce: 0, ...fees });
      await automine(true);
      expect((await sending)?.status).to.equal(1);
      expect(of("displaced")).to.have.length(1);
      expect(prepared).to.equal(2);
      expect(await gained(before)).to.equal(3n);
      expect(await used()).to.equal(2);
    });

    it("waits for what another run left in flight without a journal", async () => {
      await signer.connect(node).sendTransaction({ to: SOMEBODY, value: 2n });
      const sending = (await lane()).submit({ label: "pay", prepare: pay() });
      await until("adopted");
      expect(of("sent")).to.have.length(0);
      await automine(true);
      expect((await sending)?.status).to.equal(1);
      expect(await used()).to.equal(2);
    });

    it("replaces that, too, when it is stuck, paying more until the node takes it", async () => {
      const fees = { maxFeePerGas: parseUnits("20", "gwei"), maxPriorityFeePerGas: parseUnits("20", "gwei") };
      await signer.connect(node).sendTransaction({ to: SOMEBODY, value: 2n, ...fees });
      const before = await node.getBalance(SOMEBODY);
      const recovered = (await lane({ stuckAfterMs: 100 })).recover();
      await until("cancelled");
      await node.send("evm_mine", []);
      await recovered;
      expect(of("cancelled")[0]?.fees.maxFeePerGas).to.be.greaterThan(parseUnits("22", "gwei"));
      expect(await gained(before)).to.equal(0n);
    });
  });

  describe("after a restart", () => {
    /** A lane whose process ends while its transaction is in flight. */
    async function leaveInFlight(journal: string): Promise<void> {
      await automine(false);
      const controller = new AbortController();
      const request = { label: "pay", prepare: pay(4n), signal: controller.signal };
      const sending = (await lane({ journal })).submit(request).catch((error: unknown) => error);
      await until("sent");
      controller.abort(new Error("killed"));
      expect(await sending).to.have.property("message", "killed");
    }

    it("waits for what is in flight and sends nothing twice", async () => {
      const journal = join(folder, "adopt.json");
      const before = await node.getBalance(SOMEBODY);
      await leaveInFlight(journal);
      expect(await readFile(journal, "utf8")).to.include('"label": "pay"');
      const again = await lane({ journal });
      const needed = async () => ((await gained(before)) === 4n ? null : pay(4n)());
      const sending = again.submit({ label: "pay", prepare: needed });
      await until("adopted");
      await node.send("evm_mine", []);
      expect(await sending).to.equal(null);
      expect(of("confirmed")).to.have.length(1);
      expect(await gained(before)).to.equal(4n);
      expect(await readFile(journal, "utf8")).to.include('"entries": []');
    });

    it("books what was mined while it was down", async () => {
      const journal = join(folder, "mined.json");
      await leaveInFlight(journal);
      await automine(true);
      await (await lane({ journal })).recover();
      expect(of("confirmed")[0]?.label).to.equal("pay");
      expect(await used()).to.equal(1);
    });

    it("takes back what stays stuck", async () => {
      const journal = join(folder, "stuck.json");
      const before = await node.getBalance(SOMEBODY);
      await leaveInFlight(journal);
      const recovered = (await lane({ journal, stuckAfterMs: 100 })).recover();
      await until("cancelled");
      await node.send("evm_mine", []);
      await recovered;
      expect(await gained(before)).to.equal(0n);
    });

    it("forgets what was noted but never sent", async () => {
      const journal = join(folder, "unsent.json");
      const sent = [{ hash: `0x${"ab".repeat(32)}`, maxFeePerGas: "9", maxPriorityFeePerGas: "1", cancels: false }];
      const entries = [{ nonce: 0, label: "lost", sent }];
      await writeFile(journal, JSON.stringify({ chainId: CHAIN, address: signer.address, entries }));
      expect((await (await lane({ journal })).submit({ label: "pay", prepare: pay() }))?.status).to.equal(1);
      expect(of("adopted")).to.have.length(0);
    });

    it("does not send what it cannot note", async () => {
      const journal = join(folder, "blocked.json");
      const one = await lane({ journal: join(journal, "journal.json") });
      await writeFile(journal, "a file where a folder is needed");
      const error = await failure(one.submit({ label: "pay", prepare: pay() }));
      expect(error.code).to.equal("JOURNAL_FAILED");
      expect(cable.calls).not.to.include("eth_sendRawTransaction");
    });
  });

  describe("when the endpoint is down", () => {
    afterEach(async () => {
      await cable.cut();
      await cable.plug();
    });

    it("says so before it sends, and works again when the endpoint is back", async () => {
      const one = await lane();
      await cable.cut();
      const error = await failure(one.submit({ label: "pay", prepare: pay() }));
      expect(error).to.be.instanceOf(RpcUnavailable);
      await cable.plug();
      expect((await one.submit({ label: "pay", prepare: pay() }))?.status).to.equal(1);
      expect(await used()).to.equal(1);
    });

    it("goes on waiting for what it has sent", async () => {
      await automine(false);
      const sending = (await lane()).submit({ label: "pay", prepare: pay() });
      await until("sent");
      await cable.cut();
      await until("unreachable");
      await automine(true);
      await cable.plug();
      expect((await sending)?.status).to.equal(1);
      expect(await used()).to.equal(1);
    });

    it("sends nothing twice where only the answer was lost", async () => {
      const before = await node.getBalance(SOMEBODY);
      // Nor does the node say whether it has it: only waiting finds out.
      cable.losesAnswersTo = ["eth_sendRawTransaction", "eth_getTransactionByHash"];
      const receipt: TransactionReceipt | null = await (await lane()).submit({ label: "pay", prepare: pay(6n) });
      expect(receipt?.status).to.equal(1);
      expect(await gained(before)).to.equal(6n);
      expect(await used()).to.equal(1);
    });
  });
});
