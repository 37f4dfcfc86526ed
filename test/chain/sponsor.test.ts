import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";

import { expect } from "chai";
import { AbiCoder, Contract, Interface, parseEther, toQuantity } from "ethers";

import { abiOf } from "@verai/client/abi";
import { LOCAL_CHAIN_ID } from "@verai/client/chains";
import { freePort } from "@verai/devnet/chain";
import { deployEntryPoint, fundPaymaster } from "@verai/devnet/entry-point";
import { addressesOf, openMarket } from "@verai/devnet/market";
import { SoftPasskey } from "@verai/devnet/passkey";
import { ENTRY_POINT, ENTRY_POINT_ABI, operation, operationHash, pack } from "@verai/sponsor/operation";

const BATCH = `0x01${"00".repeat(31)}`;
const SPONSOR_ACCOUNT = 13;

interface Answer {
  readonly result?: never;
  readonly error?: { readonly code: number; readonly message: string; readonly data?: { readonly code: string } };
}

describe("a sponsor", () => {
  let market: Awaited<ReturnType<typeof openMarket>>;
  let folder: string;
  let config: string;
  let url: string;
  let child: ChildProcess | undefined;
  let addresses: Record<string, string>;

  before(async () => {
    market = await openMarket();
    const provider = {
      send: (method: string, params: unknown[]) => market.connection.provider.request({ method, params }),
    };
    await deployEntryPoint(provider);
    addresses = await addressesOf(market);
    await fundPaymaster(provider, addresses["SponsorPaymaster"] ?? "", "10");
    folder = await mkdtemp(join(tmpdir(), "drmp-sponsor-"));
    const deployment = join(folder, "addresses.json");
    await writeFile(deployment, JSON.stringify(addresses));
    const port = await freePort();
    url = `http://127.0.0.1:${String(port)}`;
    config = join(folder, "sponsor.json");
    const key = { testAccount: SPONSOR_ACCOUNT };
    await writeFile(
      config,
      JSON.stringify({
        ...{ network: { rpcUrl: market.url, chainId: LOCAL_CHAIN_ID, deployment }, dataDir: join(folder, "data") },
        ...{ signer: key, relayer: key, interval: 0.3, fees: { maxFeePerGas: "100", perHour: "100" } },
        limits: {
          perOperation: "0.01",
          perAccountDay: "0.03",
          perClientDay: "0.2",
          perDay: "1",
          newAccounts: 6,
          failures: 2,
        },
        ...{ api: { port }, service: { port: 0, logLevel: "warn" } },
      }),
    );
    await start();
  });

  after(async () => {
    await stop("SIGTERM");
    await rm(folder, { recursive: true, force: true });
    await market.close();
  });

  async function start(): Promise<void> {
    child = spawn(process.execPath, ["sponsor/main.ts", "run", "--config", config], {
      stdio: ["ignore", "inherit", "inherit"],
    });
    for (let tries = 0; tries < 1_200; tries++) {
      if (
        await fetch(`${url}/status`).then(
          (answer) => answer.ok,
          () => false,
        )
      )
        return;
      if (child.exitCode !== null) throw new Error(`the sponsor ended with ${String(child.exitCode)}`);
      await delay(100);
    }
    throw new Error("the sponsor does not answer");
  }

  async function stop(signal: NodeJS.Signals): Promise<number | null> {
    if (!child) return null;
    const ended = once(child, "exit");
    child.kill(signal);
    await ended;
    const { exitCode } = child;
    child = undefined;
    return exitCode;
  }

  async function ask(method: string, ...params: unknown[]): Promise<Answer> {
    const answer = await fetch(url, {
      method: "POST",
      body: JSON.stringify({ jsonrpc: "2.0", id: 1, method, params }, (_, value: unknown) =>
        typeof value === "bigint" ? toQuantity(value) : value,
      ),
    });
    return (await answer.json()) as Answer;
  }

  async function give<T>(method: string, ...params: unknown[]): Promise<T> {
    const { result, error } = await ask(method, ...params);
    if (error) throw new Error(`${method}: ${error.message}`);
    return result as T;
  }

  const refusal = async (method: string, ...params: unknown[]) =>
    (await ask(method, ...params)).error?.data?.code ?? "";
  const entryPoint = () => new Contract(ENTRY_POINT, ENTRY_POINT_ABI, market.accounts.deployer);
  const factory = () => market.contracts.accountFactory;
  const call = (name: string, target: string, method: string, ...args: unknown[]) => ({
    target,
    value: 0n,
    data: new Interface(abiOf(name as never)).encodeFunctionData(method, args),
  });
  const drip = () => call("TestnetFaucet", addresses["TestnetFaucet"] ?? "", "drip");
  const approve = (spender: string) =>
    call("VerToken", addresses["VerToken"] ?? "", "approve", spender, parseEther("100"));

  /** An operation of a passkey's account, with the fees that the page takes; not signed for. */
  async function operationOf(passkey: SoftPasskey, calls: readonly { target: string; value: bigint; data: string }[]) {
    const sender = await factory().accountOf(passkey.x, passkey.y);
    const exists =
      (await market.connection.provider.request({ method: "eth_getCode", params: [sender, "latest"] })) !== "0x";
    const block = await market.connection.ethers.provider.getBlock("latest");
    const data = AbiCoder.defaultAbiCoder().encode(["tuple(address target, uint256 value, bytes data)[]"], [calls]);
    const nonce = (await entryPoint().getFunction("getNonce").staticCall(sender, 0n)) as bigint;
    const base = block?.baseFeePerGas ?? 0n;
    return {
      ...{ sender, nonce, maxFeePerGas: 2n * base + 1_000_000n, maxPriorityFeePerGas: 1_000_000n },
      ...(!exists && {
        factory: addresses["PasskeyAccountFactory"],
        factoryData: factory().interface.encodeFunctionData("create", [passkey.x, passkey.y]),
      }),
      callData: new Interface(abiOf("PasskeyAccount")).encodeFunctionData("execute", [BATCH, data]),
    };
  }

  async function sponsored(
    passkey: SoftPasskey,
    calls: Parameters<typeof operationOf>[1],
  ): Promise<Record<string, unknown>> {
    const bare = await operationOf(passkey, calls);
    const gas = await give<object>("eth_estimateUserOperationGas", bare, ENTRY_POINT);
    const fields = await give<object>(
      "pm_getPaymasterData",
      { ...bare, ...gas },
      ENTRY_POINT,
      toQuantity(LOCAL_CHAIN_ID),
      {},
    );
    const complete = { ...bare, ...gas, ...fields };
    const json = JSON.parse(
      JSON.stringify(complete, (_, value: unknown) => (typeof value === "bigint" ? toQuantity(value) : value)),
    ) as object;
    const hash = operationHash(pack(operation.parse(json)), LOCAL_CHAIN_ID);
    return { ...complete, signature: passkey.sign(hash) };
  }

  async function carriedOut(hash: string): Promise<{ success: boolean; actualGasCost: string }> {
    for (let tries = 0; tries < 1_200; tries++) {
      const receipt = await give<{ success: boolean; actualGasCost: string } | null>(
        "eth_getUserOperationReceipt",
        hash,
      );
      if (receipt) return receipt;
      await delay(100);
    }
    throw new Error(`operation ${hash} was not carried out`);
  }

  const status = async () => (await (await fetch(`${url}/status`)).json()) as Record<string, string & number>;

  it("takes somebody without ETH from a passkey to a submitted task in one operation", async () => {
    const passkey = new SoftPasskey();
    const vault = addresses["Vault"] ?? "";
    const now = await market.connection.networkHelpers.time.latest();
    const submit = call("TaskRegistry", addresses["TaskRegistry"] ?? "", "submit", {
      ...{ specDigest: `0x${"5d".repeat(32)}`, specCodec: 0x55, units: 2, maxPrice: parseEther("0.01") },
      ...{
        checkpointInterval: 60,
        maxUnitTime: 3_600,
        auditChance: 0,
        replicas: 0,
        deadline: now + 90_000,
        classIds: [0],
        surcharges: [],
      },
    });
    const op = await sponsored(passkey, [drip(), approve(vault), submit]);
    const hash = await give<string>("eth_sendUserOperation", op, ENTRY_POINT);
    const { success, actualGasCost } = await carriedOut(hash);
    expect(success).to.equal(true);
    const task = await market.contracts.tasks.task(1);
    expect(task.owner).to.equal(op["sender"]);
    const { operations, paid } = await status();
    expect(operations).to.equal(1);
    expect(parseEther(String(paid))).to.equal(BigInt(actualGasCost));
    // Sent again it is the same operation: nothing more is paid.
    expect(await give<string>("eth_sendUserOperation", op, ENTRY_POINT)).to.equal(hash);
    await delay(500);
    expect((await status())["operations"]).to.equal(1);
  });

  it("pays for nothing but DRMP's, inside of batches as well", async () => {
    const passkey = new SoftPasskey();
    const [vault = "", faucet = ""] = [addresses["Vault"], addresses["TestnetFaucet"]];
    const stranger = market.accounts.deployer.address;
    const wrong: readonly [string, readonly { target: string; value: bigint; data: string }[]][] = [
      ["CALL_NOT_PAID", [drip(), { target: stranger, value: 0n, data: "0x12345678" }]],
      ["CALL_NOT_PAID", [call("Vault", vault, "absorbDonations")]],
      ["CALL_NOT_PAID", [{ target: faucet, value: 0n, data: "0x" }]],
      ["VALUE_NOT_PAID", [{ ...drip(), value: 1n }]],
      ["SPENDER_NOT_PAID", [approve(stranger)]],
      ["NOT_A_BATCH", []],
      ["NOT_A_BATCH", Array.from({ length: 9 }, drip)],
    ];
    for (const [code, calls] of wrong) {
      const op = await operationOf(passkey, calls);
      expect(await refusal("pm_getPaymasterData", op, ENTRY_POINT, LOCAL_CHAIN_ID, {}), code).to.equal(code);
      expect(await refusal("eth_estimateUserOperationGas", op, ENTRY_POINT)).to.equal(code);
    }
    const op = await operationOf(passkey, [drip()]);
    const place = [ENTRY_POINT, LOCAL_CHAIN_ID, {}] as const;
    expect(await refusal("pm_getPaymasterData", { ...op, factory: stranger }, ...place)).to.equal("FACTORY_NOT_PAID");
    expect(await refusal("pm_getPaymasterData", { ...op, sender: stranger }, ...place)).to.equal("NOT_ITS_ACCOUNT");
    expect(await refusal("pm_getPaymasterData", { ...op, sender: vault }, ...place)).to.equal("NO_PASSKEY_ACCOUNT");
    expect(await refusal("pm_getPaymasterData", { ...op, callData: "0x" }, ...place)).to.equal("NOT_A_BATCH");
    expect(await refusal("pm_getPaymasterData", op, stranger, LOCAL_CHAIN_ID, {})).to.equal("OTHER_ENTRY_POINT");
    expect(await refusal("pm_getPaymasterData", op, ENTRY_POINT, 1, {})).to.equal("OTHER_CHAIN");
    expect(await refusal("eth_sendTransaction", {})).to.equal("NO_METHOD");
    expect((await ask("eth_sendUserOperation", { sender: 7 }, ENTRY_POINT)).error?.code).to.equal(-32_602);
  });

  it("is not made to pay more than an operation costs", async () => {
    const op = await operationOf(new SoftPasskey(), [drip()]);
    const gas = await give<Record<string, string>>("eth_estimateUserOperationGas", op, ENTRY_POINT);
    const place = [ENTRY_POINT, LOCAL_CHAIN_ID, {}] as const;
    const dear: readonly [string, object][] = [
      ["FEE_TOO_HIGH", { maxFeePerGas: 10n ** 12n }],
      ["TIP_TOO_HIGH", { maxPriorityFeePerGas: 10n ** 10n, maxFeePerGas: op.maxFeePerGas }],
      ["OWN_GAS_TOO_HIGH", { preVerificationGas: 2n * BigInt(gas["preVerificationGas"] ?? 0) }],
      ["VERIFICATION_TOO_HIGH", { verificationGasLimit: 3_000_000n }],
      ["CALL_GAS_TOO_HIGH", { callGasLimit: 10_000_000n }],
    ];
    for (const [code, change] of dear) {
      expect(await refusal("pm_getPaymasterData", { ...op, ...gas, ...change }, ...place), code).to.equal(code);
    }
  });

  it("does not sign for what would fail, nor send what it has not signed for or fails by now", async () => {
    const passkey = new SoftPasskey();
    await factory().create(passkey.x, passkey.y);
    const failing = await operationOf(passkey, [drip(), drip()]);
    expect(await refusal("pm_getPaymasterData", failing, ENTRY_POINT, LOCAL_CHAIN_ID, {})).to.equal("ALREADY_SERVED");
    const op = await sponsored(passkey, [drip()]);
    expect(await refusal("eth_sendUserOperation", { ...op, callGasLimit: "0xfffff" }, ENTRY_POINT)).to.equal(
      "NOT_SIGNED",
    );
    const signature = new SoftPasskey().sign(`0x${"11".repeat(32)}`);
    expect(await refusal("eth_sendUserOperation", { ...op, signature }, ENTRY_POINT)).to.equal("OPERATION_REFUSED");
    // By now the account has been served: sent, it would fail and be paid for.
    await market.connection.networkHelpers.impersonateAccount(String(op["sender"]));
    await market.connection.networkHelpers.setBalance(String(op["sender"]), parseEther("1"));
    await market.contracts.faucet.connect(await market.connection.ethers.getSigner(String(op["sender"]))).drip();
    expect(await refusal("eth_sendUserOperation", op, ENTRY_POINT)).to.equal("ALREADY_SERVED");
  });

  it("counts what others send with its signature, stops paying who lets operations fail, and remembers that", async () => {
    const passkey = new SoftPasskey();
    await carriedOut(await give<string>("eth_sendUserOperation", await sponsored(passkey, [drip()]), ENTRY_POINT));
    const before = await status();
    const vault = addresses["Vault"] ?? "";
    for (let i = 0; i < 2; i++) {
      const op = await sponsored(passkey, [approve(vault)]);
      // Too little gas to be carried out: signed for with less than it needs.
      const starved = await operationOf(passkey, [approve(vault)]);
      const gas = await give<object>("eth_estimateUserOperationGas", starved, ENTRY_POINT);
      const bare = { ...starved, ...gas, callGasLimit: 20_000n };
      const fields = await give<object>("pm_getPaymasterData", bare, ENTRY_POINT, LOCAL_CHAIN_ID, {});
      const json = JSON.parse(
        JSON.stringify({ ...bare, ...fields }, (_, value: unknown) =>
          typeof value === "bigint" ? toQuantity(value) : value,
        ),
      ) as object;
      const parsed = operation.parse(json);
      const packed = pack({ ...parsed, signature: passkey.sign(operationHash(pack(parsed), LOCAL_CHAIN_ID)) });
      expect(op["nonce"]).to.equal(parsed.nonce);
      // Anybody may send it: the sponsor pays, and the failure counts against the account.
      const sent = await entryPoint().getFunction("handleOps").send([packed], market.accounts.deployer.address);
      await sent.wait();
      for (let tries = 0; tries < 1_200 && Number((await status())["failed"]) < i + 1; tries++) await delay(100);
      expect((await status())["failed"]).to.equal(i + 1);
    }
    const after = await status();
    expect(parseEther(String(after["paid"])) > parseEther(String(before["paid"]))).to.equal(true);
    const next = async () => {
      const op = await operationOf(passkey, [approve(vault)]);
      const gas = await give<object>("eth_estimateUserOperationGas", op, ENTRY_POINT);
      return refusal("pm_getPaymasterData", { ...op, ...gas }, ENTRY_POINT, LOCAL_CHAIN_ID, {});
    };
    expect(await next()).to.equal("TOO_MANY_FAILURES");
    expect(await stop("SIGTERM")).to.equal(0);
    await start();
    expect(await next()).to.equal("TOO_MANY_FAILURES");
    expect((await status())["paid"]).to.equal(after["paid"]);
    // Its metrics are those of its own process; the command reads the database.
    expect(await readFile(config, "utf8")).to.include("perAccountDay");
  });
});
