/**
 * What people do with a wallet and with a passkey, in a real Chromium, on a devnet of real processes. Takes two to three minutes.
 */
import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";

import type { Browser, BrowserContext, Page } from "playwright-core";

import type { DevnetState } from "@verai/client/devnet";
import { LOCAL_CHAIN_ID } from "@verai/client/chains";
import { formatConsent, signConsent } from "@verai/client/consent";
import { openSigner } from "@verai/client/keys";
import { openSession } from "@verai/client/session";
import { ROOT } from "@verai/devnet/processes";
import { buildSite } from "@verai/web/server/build";
import { devnetSite } from "@verai/web/server/devnet-site";
import { serveSite } from "@verai/web/server/serve";
import { launch, missingBrowser } from "./chromium.ts";
import { injectedWallet } from "./injected-wallet.ts";
import { addAuthenticator } from "./people.ts";
import { onlyMethods } from "./services.ts";

const PORTS = 28545;
const START_MS = 240_000;
/** A lease needs a round; the one-tap way has to be over within a minute. */
const MINUTE_MS = 60_000;

const skip = missingBrowser ?? false;

let folder: string;
let devnet: ChildProcess;
let browser: Browser;
let site: Awaited<ReturnType<typeof serveSite>>;
let address: string;
let dist: string;
let state: DevnetState;

before(async () => {
  if (skip !== false) return;
  folder = await mkdtemp(join(tmpdir(), "drmp-wallet-"));
  dist = join(folder, "dist");
  const [ready] = await Promise.all([startDevnet(), buildSite(dist)]);
  state = ready;
  site = await serveSite(dist, await devnetSite(ready), { host: "localhost", port: 0 });
  // Passkeys belong to a host with a name.
  address = site.url.replace("127.0.0.1", "localhost");
  browser = await launch();
});

after(async () => {
  if (skip !== false) return;
  await browser?.close();
  await site?.close();
  if (devnet?.exitCode === null) {
    const ended = new Promise((resolve) => devnet.once("exit", resolve));
    devnet.kill("SIGTERM");
    await ended;
  }
  await rm(folder, { recursive: true, force: true, maxRetries: 20, retryDelay: 250 });
});

async function startDevnet(): Promise<DevnetState> {
  devnet = spawn(process.execPath, ["scripts/devnet.ts", "--ports", String(PORTS), "--json"], {
    cwd: ROOT,
    env: { ...process.env, DRMP_DEVNET: join(folder, "devnet") },
    stdio: ["ignore", "pipe", "inherit"],
  });
  return new Promise((resolve, reject) => {
    let shown = "";
    const timer = setTimeout(() => {
      reject(new Error(`the devnet was not up in time:\n${shown}`));
    }, START_MS);
    devnet.once("exit", () => {
      reject(new Error(`the devnet ended:\n${shown}`));
    });
    devnet.stdout?.on("data", (chunk: Buffer) => {
      shown += chunk.toString();
      const line = shown.split("\n").find((each) => each.startsWith('{"event":"ready"'));
      if (line === undefined) return;
      clearTimeout(timer);
      resolve(JSON.parse(line) as DevnetState);
    });
  });
}

/** A page of its own; what goes wrong in it fails the test. */
async function open(context: BrowserContext, at = address): Promise<{ page: Page; wrong: string[] }> {
  const page = await context.newPage();
  const wrong: string[] = [];
  page.on("pageerror", (error) => wrong.push(error.message));
  await page.goto(`${at}#/account`);
  return { page, wrong };
}

async function act(page: Page, label: string): Promise<string> {
  const one = page
    .locator(".act")
    .filter({ has: page.getByRole("button", { name: label, exact: true }) })
    .first();
  await one.getByRole("button", { name: label, exact: true }).click();
  await one.getByTestId("cost").waitFor({ timeout: 30_000 });
  const cost = (await one.getByTestId("cost").textContent()) ?? "";
  await one.getByRole("button", { name: "Confirm" }).click();
  await one.getByText("Done:").waitFor({ timeout: MINUTE_MS });
  return cost;
}

test("a newcomer leases a task with one tap, within a minute, without wallet and ETH", { skip }, async () => {
  const context = await browser.newContext();
  try {
    const { page, wrong } = await open(context);
    await addAuthenticator(context, page);
    await page.getByRole("button", { name: "Lease a task now" }).click();
    await page.getByTestId("one-tap").getByText("is leased after").waitFor({ timeout: MINUTE_MS });
    await page.getByText("Passkey account", { exact: true }).waitFor();
    const own = await page.getByTestId("account").textContent();
    assert.match(own ?? "", /^0x[0-9a-fA-F]{40}$/);
    // The account is still there after a reload, and acts again: the passkey signs, the sponsor pays.
    await page.reload();
    await page
      .getByTestId("account")
      .getByText(own ?? "")
      .waitFor();
    await page
      .getByRole("button", { name: /^Cancel task/ })
      .first()
      .waitFor();
    const label =
      (await page
        .getByRole("button", { name: /^Cancel task/ })
        .first()
        .textContent()) ?? "";
    assert.match(await act(page, label), /paid for by the sponsor/);
    // An error of a contract is said in a sentence: the faucet has given today's VER.
    await page.getByRole("button", { name: "Take test VER" }).click();
    await page.getByRole("button", { name: "Confirm" }).click();
    await page
      .getByText(/was served less than a day ago|served/i)
      .first()
      .waitFor({ timeout: 30_000 });
    assert.deepEqual(wrong, []);
  } finally {
    await context.close();
  }
});

test(
  "a wallet is shown once, submits, is told costs and errors, and survives rejection, reload and another network",
  { skip },
  async () => {
    const context = await browser.newContext();
    const signer = await openSigner({ testAccount: 17 }, LOCAL_CHAIN_ID);
    await context.addInitScript({ content: injectedWallet(state.rpcUrl, signer.address, LOCAL_CHAIN_ID) });
    try {
      const { page, wrong } = await open(context);
      await page.getByRole("button", { name: "Test Wallet" }).waitFor();
      assert.equal(await page.getByRole("button", { name: "Test Wallet" }).count(), 1);
      assert.equal(
        await page.getByRole("button", { name: "Injected" }).count(),
        0,
        "the announced one is the injected one",
      );
      await page.getByRole("button", { name: "Test Wallet" }).click();
      await page.getByTestId("account").getByText(signer.address).waitFor();
      // Rejected, then done: an approval and a submission.
      await page.evaluate("window.testWallet.reject = true");
      await page.getByRole("button", { name: "Submit", exact: true }).click();
      await page.getByRole("button", { name: "Confirm" }).click();
      await page.getByText("You rejected the request").waitFor({ timeout: 30_000 });
      await page.evaluate("window.testWallet.reject = false");
      const cost = await act(page, "Submit");
      assert.match(cost, /Gas: about 0\.\d+ ETH/);
      assert.match(cost, /It takes 0\.\d+.VER/);
      // Still connected after a reload, and the task is listed.
      await page.reload();
      await page.getByTestId("account").getByText(signer.address).waitFor();
      const cancel = page.getByRole("button", { name: /^Cancel task/ }).first();
      await cancel.waitFor({ timeout: 30_000 });
      const label = (await cancel.textContent()) ?? "";
      // On another network nothing is sent.
      await page.evaluate("window.testWallet.chainId = 1");
      await page.reload();
      await page.evaluate(
        "window.testWallet.chainId = 1; window.ethereum.request({ method: 'wallet_switchEthereumChain', params: [{ chainId: '0x1' }] })",
      );
      await page.getByText("Your wallet is on another network.").waitFor();
      await page.getByRole("button", { name: /^Switch to/ }).click();
      await page.getByText("Your wallet is on another network.").waitFor({ state: "detached" });
      await act(page, label);
      assert.deepEqual(wrong, []);
    } finally {
      await context.close();
    }
  },
);

test("a passkey account is carried out by one service and paid for by another", { skip }, async () => {
  const sponsor = state.services.find(({ kind }) => kind === "sponsor")?.address ?? "";
  const [relay, paymaster] = await Promise.all([onlyMethods(sponsor, /^eth_/), onlyMethods(sponsor, /^pm_/)]);
  const config = { ...(await devnetSite(state)), relayUrl: relay.url, paymasterUrl: paymaster.url };
  const split = await serveSite(dist, config, { host: "localhost", port: 0 });
  const context = await browser.newContext();
  try {
    const { page, wrong } = await open(context, split.url.replace("127.0.0.1", "localhost"));
    await addAuthenticator(context, page);
    await page.getByRole("button", { name: "New passkey account" }).click();
    await act(page, "Take test VER");
    assert.deepEqual([...paymaster.asked], ["pm_getPaymasterStubData", "pm_getPaymasterData"]);
    assert.ok(relay.asked.has("eth_estimateUserOperationGas") && relay.asked.has("eth_sendUserOperation"));
    assert.deepEqual(
      [...relay.asked].filter((method) => !method.startsWith("eth_")),
      [],
    );
    assert.deepEqual(wrong, []);
  } finally {
    await context.close();
    await split.close();
    await Promise.all([relay.close(), paymaster.close()]);
  }
});

test("an owner drains and resumes a node", { skip }, async () => {
  const context = await browser.newContext();
  // The owner of node ada.
  const owner = await openSigner({ testAccount: 10 }, LOCAL_CHAIN_ID);
  await context.addInitScript({ content: injectedWallet(state.rpcUrl, owner.address, LOCAL_CHAIN_ID) });
  try {
    const { page, wrong } = await open(context);
    await page.getByRole("button", { name: "Test Wallet" }).click();
    await page
      .getByRole("button", { name: /^Drain node/ })
      .first()
      .waitFor({ timeout: 30_000 });
    const drain =
      (await page
        .getByRole("button", { name: /^Drain node/ })
        .first()
        .textContent()) ?? "";
    await act(page, drain);
    const resume = drain.replace("Drain", "Resume");

    await act(page, resume);

    assert.deepEqual(wrong, []);
  } finally {
    await context.close();
  }
});

test(
  "a contributor registers a node, gets its agent's configuration, changes its ask and adds stake",
  { skip },
  async () => {
    const context = await browser.newContext();
    const [owner, operator] = await Promise.all(
      [18, 19].map((testAccount) => openSigner({ testAccount }, LOCAL_CHAIN_ID)),
    );
    if (!owner || !operator) throw new Error("there are no keys");
    const session = await openSession({
      network: { rpcUrl: state.rpcUrl, chainId: LOCAL_CHAIN_ID, deployment: state.deployment },
      fees: { maxFeePerGas: "100", stuckAfter: 30 },
      journals: join(folder, "journals"),
    });
    await context.addInitScript({ content: injectedWallet(state.rpcUrl, owner.address, LOCAL_CHAIN_ID) });
    try {
      const consent = formatConsent(await signConsent(session.contracts, operator, owner.address));
      const { page, wrong } = await open(context);
      await page.getByRole("button", { name: "Test Wallet" }).click();
      await page.getByLabel("Operator address").fill(operator.address);
      await page.getByLabel("Consent of the operator").fill(consent);
      await page.getByLabel("Ask for a unit, VER").fill("0.013");
      assert.match(await act(page, "Register"), /It takes 400.VER/);
      const shown = (await page.getByTestId("registered").textContent()) ?? "";
      assert.match(shown, /Node 4 is registered/);
      assert.match(shown, /"class": "cpu\/eu"[\s\S]*node agent\/main\.ts run --config agent\.json/);
      await page.getByLabel("New ask, VER").fill("0.015");
      await act(page, "Change ask of node 4");
      await page.getByText("asks 0.015").waitFor({ timeout: 30_000 });
      await page.getByLabel("More stake, VER").fill("10");
      assert.match(await act(page, "Add stake to node 4"), /It takes 10.VER/);
      await page.getByText("stake 410 VER").waitFor({ timeout: 30_000 });
      assert.deepEqual(wrong, []);
    } finally {
      session.close();
      await context.close();
    }
  },
);
