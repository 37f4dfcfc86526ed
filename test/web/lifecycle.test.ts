/**
 * All that people do on the account page and with what their tasks leave, from the quote to the claim, in a real Chromium on a devnet of
 * real processes; and what a lying door achieves. Takes five to eight minutes.
 */
import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import type { Browser, Page } from "playwright-core";
import { createPublicClient, http } from "viem";

import { LOCAL_CHAIN_ID } from "@verai/client/chains";
import { formatConsent, signConsent } from "@verai/client/consent";
import { openSigner } from "@verai/client/keys";
import { answer } from "@verai/client/readers";
import type { Session } from "@verai/client/session";
import { passkeyAccountAbi } from "@verai/client/typed-abi/PasskeyAccount";
import type { Served } from "@verai/web/server/serve";
import type { Site } from "@verai/web/server/site";
import { missingBrowser } from "./chromium.ts";
import type { TestDevnet } from "./devnet.ts";
import { injectedWallet } from "./injected-wallet.ts";
import { act, actionOf, addAuthenticator, openAccount, seriousFindings } from "./people.ts";
import { between } from "./services.ts";
import {
  leasesOf,
  openStage,
  options,
  rpc,
  sentBy,
  serve,
  type Stage,
  taskOf,
  until,
  WAIT,
  withWallet,
} from "./stage.ts";

/** An epoch, the time for opening, a segment run again, and two steps of an audit. */
const AUDITED = { timeout: 300_000 };
/** Two epochs: seconds. */
const SHORT = "--epochs\n2\n--train\n1000\n--test\n500\n--checkpoint-steps\n20\n--pace\n20";

let stage: Stage;
let devnet: TestDevnet;
let session: Session;
let browser: Browser;
let site: Site;
let served: Served;

before(async () => {
  if (missingBrowser !== undefined) return;
  ({ devnet, session, browser, site, served } = stage = await openStage());
  assert.ok(site.doorUrls.length > 0, "the devnet has a door");
});
after(async () => {
  await stage?.close();
});

/** Fills the form of a task. */
async function fill(
  page: Page,
  { units, price = "0.02", args = SHORT }: { units: string; price?: string; args?: string },
) {
  await page.getByText("Fill the spec in by form").click();
  await page.getByLabel("Steps from one state to the next").fill("");
  await page.getByLabel("Arguments, one a line").fill(args);
  // A point of the grid for each unit: one without fails.
  const grid = { hidden: [16], learningRate: Array.from({ length: Number(units) }, (_, i) => (i + 1) / 50) };
  await page.getByLabel("Variables, NAME=value, one a line").fill(`DIGITS_GRID=${JSON.stringify(grid)}`);
  await page.getByLabel("Units", { exact: true }).fill(units);
  await page.getByLabel("Maximum price of a unit, VER", { exact: true }).fill(price);
}

/** Sets the chain's clock forward. Leases run out by it: only tests without any come after the first one that does. */
async function passes(seconds: number): Promise<void> {
  await rpc(stage, "evm_increaseTime", seconds);
  await rpc(stage, "evm_mine");
}

test(
  "a developer quotes, submits with a permit, verifies a result, accepts one lease and disputes another",
  options,
  async () => {
    await withWallet(stage, 17, async (page) => {
      await fill(page, { units: "6" });
      await page.getByRole("button", { name: "Quote", exact: true }).click();
      await page.getByTestId("quote").getByText("6 of 6 units would be leased now").waitFor(WAIT);
      assert.deepEqual(await seriousFindings(page), []);
      const before = await sentBy(page);
      const said = await act(page, "Submit");
      assert.match(said, /signed that they hold the spec until/);
      assert.match(said, /sign that the vault may take this VER/);
      assert.equal((await sentBy(page)) - before, 1, "one transaction, by a permit");
      const { id } = await taskOf(stage);
      const delivered = await until("a result of each of two leases", async () => {
        const leases = (await leasesOf(stage, id)).filter(({ status }) => status === "delivered");
        return leases.length >= 2 ? leases : undefined;
      });
      const [first, second] = delivered.map((lease) => lease.id);
      await page.goto(`${served.url}#/tasks/${String(id)}`);
      await page.getByRole("button", { name: `Fetch and verify the result of lease ${String(first)}` }).click(WAIT);
      await page.getByTestId("verified").waitFor(WAIT);
      await page
        .getByRole("link", { name: /metrics\.json$/ })
        .first()
        .waitFor();
      assert.deepEqual(await seriousFindings(page), []);
      await page.goto(`${served.url}#/account`);
      await act(page, `Accept lease ${String(first)}`);
      await act(page, `Dispute lease ${String(second)}`);
      const leases = await leasesOf(stage, id);
      assert.equal(leases.find((lease) => lease.id === first)?.status, "paid");
      assert.equal(leases.find((lease) => lease.id === second)?.status, "disputed");
    });
  },
);

test("the log of a running unit is read by its developer, and by nobody else", options, async () => {
  let taskId = 0;
  await withWallet(stage, 17, async (page) => {
    await fill(page, {
      units: "1",
      args: "--epochs\n20\n--train\n4000\n--test\n1000\n--checkpoint-steps\n60\n--pace\n60",
    });
    await act(page, "Submit");
    taskId = (await taskOf(stage)).id;
    const lease = await until("a running lease", async () =>
      (await leasesOf(stage, taskId)).find(({ status }) => status === "active"),
    );
    await page.goto(`${served.url}#/tasks/${String(taskId)}`);
    const show = page.getByRole("button", { name: `Show the log of lease ${String(lease.id)}` });
    const log = page.getByTestId("log");
    await until("a line of the log", async () => {
      await show.click(WAIT);
      await log.or(page.getByRole("alert")).first().waitFor(WAIT);
      assert.deepEqual(await page.getByRole("alert").allInnerTexts(), []);
      return /epoch|step|loss/i.test(await log.innerText()) ? true : undefined;
    });
  });
  await withWallet(stage, 16, async (page) => {
    await page.goto(`${served.url}#/tasks/${String(taskId)}`);
    await page.getByRole("button", { name: /^Show the log of lease/ }).click(WAIT);
    await page.getByText(/no reason to read logs/).waitFor(WAIT);
  });
});

test("a developer asks for audits by form, and sees in the task's picture who ran what again", options, async () => {
  await withWallet(stage, 17, async (page) => {
    const audits = page.getByLabel(/^Audits: % of the work/);
    await fill(page, {
      units: "2",
      args: "--epochs\n10\n--train\n4000\n--test\n1000\n--checkpoint-steps\n60\n--pace\n40",
    });
    await page.getByLabel("Checkpoints on chain, seconds").fill("5");
    await audits.fill("50");
    const submit = page.getByRole("button", { name: "Submit", exact: true });
    await submit.click();
    await page.getByText("Audits need checkpoints at known steps").waitFor(WAIT);
    await page.getByLabel("Steps from one state to the next").fill("60");
    await audits.fill("51");
    await submit.click();
    await page.getByText(/The chance of audits is 51 %/).waitFor(WAIT);
    await audits.fill("50");
    await act(page, "Submit");
    const task = await taskOf(stage);
    assert.equal(task.auditChance, 5_000);
    // Of about twenty segments each is drawn with 50 % at least: that none is happens once in a million times.
    await page.goto(`${served.url}#/tasks/${String(task.id)}`);
    await page.getByText("The task asks for each segment with a chance of 50").waitFor(WAIT);
    await page.getByTestId("audit-mark").first().waitFor(AUDITED);
    const table = page.getByRole("region", { name: "Audits of the task" });
    await table.getByText("passed: the same result").first().waitFor(AUDITED);
    const [first] = await page.locator("svg.lanes a[aria-label*='audited']").all();
    assert.match((await first?.getAttribute("aria-label")) ?? "", /segments? audited: the one up to checkpoint \d+/);
    assert.equal(await table.getByText("convicted").count(), 0, "honest nodes");
  });
});

test(
  "a task that waits is raised, cancelled, and what comes back is claimed; a wallet with batches sends one",
  options,
  async () => {
    await withWallet(stage, 15, async (page, address) => {
      await page.evaluate("window.testWallet.batches = true");
      await act(page, "Take test VER");
      await fill(page, { units: "2", price: "0.002" });
      const before = await sentBy(page);
      const said = await act(page, "Submit");
      assert.match(said, /allow the vault to take this VER/);
      assert.equal((await sentBy(page)) - before, 2, "both calls of the batch, confirmed once");
      assert.equal(await page.evaluate("window.testWallet.batched"), 1);
      const { id } = await taskOf(stage);
      await page.getByLabel("New maximum price, VER").first().fill("0.003");
      await act(page, `Raise price of task ${String(id)}`);
      assert.equal((await taskOf(stage)).maxPrice, 3n * 10n ** 15n);
      await act(page, `Cancel task ${String(id)}`);
      assert.equal((await taskOf(stage)).status, "ended");
      assert.ok((await answer(session.contracts.vault.claimable(address))) > 0n);
      await act(page, "Claim");
      assert.equal(await answer(session.contracts.vault.claimable(address)), 0n);
    });
  },
);

test("a transaction that another takes the place of in the wallet is told", options, async () => {
  await withWallet(stage, 14, async (page) => {
    await rpc(stage, "evm_setIntervalMining", 0);
    try {
      const one = actionOf(page, "Take test VER");
      await one.getByRole("button", { name: "Take test VER", exact: true }).click();
      // A replacement is known by the transaction before it: the page has to have seen that one.
      const seen = page.waitForResponse(
        (response) => response.request().postData()?.includes("eth_getTransactionByHash") === true,
        WAIT,
      );
      await one.getByRole("button", { name: "Confirm" }).click(WAIT);
      await one.getByText("Sent; waiting for the chain.").waitFor(WAIT);
      await (await seen).finished();
      await page.evaluate("window.testWallet.replace()");
    } finally {
      await rpc(stage, "evm_setIntervalMining", 1_000);
    }
    await page.getByText(/took this one.s place in your wallet/).waitFor(WAIT);
  });
});

test("a passkey account reads its results, has a second passkey, and is found again", options, async () => {
  const context = await browser.newContext();
  try {
    const { page, wrong } = await openAccount(context, served.url);
    await addAuthenticator(context, page);
    await page.getByRole("button", { name: "New passkey account" }).click(WAIT);
    await act(page, "Take test VER");
    const account = (await page.getByTestId("account").textContent()) ?? "";
    await fill(page, { units: "1" });
    await act(page, "Submit");
    const { id } = await taskOf(stage);
    await act(page, "Add a passkey");
    await page.getByText("Remove passkey").first().waitFor(WAIT);
    assert.deepEqual(await seriousFindings(page), []);

    const lease = await until("a delivered result", async () =>
      (await leasesOf(stage, id)).find(({ status }) => status === "delivered"),
    );
    await page.goto(`${served.url}#/tasks/${String(id)}`);
    await page.getByRole("button", { name: `Fetch and verify the result of lease ${String(lease.id)}` }).click(WAIT);
    await page.getByTestId("verified").waitFor(WAIT);

    await page.goto(`${served.url}#/account`);
    await page.getByRole("button", { name: "Disconnect" }).click();
    await page.getByText("Use a passkey account that you have").click();
    await page.getByLabel("Address of the account").fill(account);
    await page.getByRole("button", { name: "Use a passkey of this device" }).click();
    await page.getByTestId("account").getByText(account).waitFor(WAIT);
    assert.deepEqual(wrong, []);
  } finally {
    await context.close();
  }
});

test(
  "a door that lies achieves nothing: receipts are held against the chain, blocks against their hashes",
  options,
  async () => {
    const [real = ""] = site.doorUrls;
    let twist = (path: string, body: Buffer): Buffer => (path === "" ? Buffer.alloc(0) : body);
    const liar = await between(real, { change: (path, { status, body }) => ({ status, body: twist(path, body) }) });
    const lying = await serve({ ...site, doorUrls: [liar.url] });
    try {
      await withWallet(
        stage,
        17,
        async (page, address) => {
          twist = (path, body) => {
            if (!path.startsWith("/v1/specs")) return body;
            const held = JSON.parse(body.toString()) as { receipts: { until: number }[] };
            for (const receipt of held.receipts) receipt.until += 86_400;
            return Buffer.from(JSON.stringify(held));
          };
          const before = await sentBy(page);
          await fill(page, { units: "1", args: `${SHORT}\n--seed\n99` });
          await page.getByRole("button", { name: "Submit", exact: true }).click();
          await page.getByText("0 of 2 nodes hold the spec").waitFor(WAIT);
          assert.equal(await sentBy(page), before);
          twist = (path, body) => {
            if (path === "/v1/results") body[body.byteLength - 1] = (body.at(-1) ?? 0) ^ 1;
            return body;
          };
          // The result of the first test, which this account may read.
          const block = await session.reader.block();
          const paid = (await session.reader.leases(block)).find(({ status }) => status === "paid");
          assert.ok(paid);
          assert.equal((await session.reader.task(block, paid.taskId))?.owner, address);
          await page.goto(`${lying.url}#/tasks/${String(paid.taskId)}`);
          await page
            .getByRole("button", { name: `Fetch and verify the result of lease ${String(paid.id)}` })
            .click(WAIT);
          await page.getByText("does not match its CID").first().waitFor(WAIT);
        },
        lying.url,
      );
    } finally {
      await lying.close();
      await liar.close();
    }
  },
);

test("a contributor registers a node with a permit, drains it, leaves, and takes the stake back", options, async () => {
  const [owner, operator] = await Promise.all(
    [18, 19].map((testAccount) => openSigner({ testAccount }, LOCAL_CHAIN_ID)),
  );
  assert.ok(owner && operator);
  const consent = formatConsent(await signConsent(session.contracts, operator, owner.address));
  await withWallet(stage, 18, async (page) => {
    await page.getByLabel("Operator address").fill(operator.address);
    await page.getByLabel("Consent of the operator").fill(consent);
    await page.getByLabel("Ask for a unit, VER").fill("0.013");
    const before = await sentBy(page);
    await act(page, "Register");
    assert.equal((await sentBy(page)) - before, 1);
    const id = Number(await answer(session.contracts.nodes.nodeCount()));
    await act(page, `Drain node ${String(id)}`);
    await act(page, `Exit node ${String(id)}`);
    // The error of a contract, in a sentence: the stake is not free yet.
    const withdraw = page.getByRole("button", { name: `Withdraw node ${String(id)}`, exact: true });
    await withdraw.click(WAIT);
    await actionOf(page, `Withdraw node ${String(id)}`)
      .getByRole("alert")
      .waitFor(WAIT);
    // Minutes, in which audits could still take from it.
    const block = await session.reader.block();
    const { withdrawableAt = 0 } = (await session.reader.node(block, id)) ?? {};
    assert.ok(withdrawableAt > block.timestamp);
    await passes(withdrawableAt - block.timestamp);
    await act(page, `Withdraw node ${String(id)}`);
    const node = await session.reader.node(await session.reader.block(), id);
    assert.equal(node?.status, "withdrawn");
  });
});

test(
  "lost passkeys: a second one takes over, then a wallet replaces all of them by one that is new",
  options,
  async () => {
    const guardian = await openSigner({ testAccount: 16 }, LOCAL_CHAIN_ID);
    const context = await browser.newContext();
    await context.addInitScript({ content: injectedWallet(devnet.state.rpcUrl, guardian.address, LOCAL_CHAIN_ID) });
    try {
      const { page, wrong } = await openAccount(context, served.url);
      const device = await addAuthenticator(context, page);
      await page.getByRole("button", { name: "New passkey account" }).click(WAIT);
      await act(page, "Take test VER");
      const account = (await page.getByTestId("account").textContent()) ?? "";
      const keys = async () =>
        client.readContract({ address: account as `0x${string}`, abi: passkeyAccountAbi, functionName: "keys" });
      const client = createPublicClient({ transport: http(devnet.state.rpcUrl) });
      const disconnect = () => page.getByRole("button", { name: "Disconnect" }).click(WAIT);
      const find = async () => {
        await page.getByText("Use a passkey account that you have").click(WAIT);
        await page.getByLabel("Address of the account").fill(account);
        await page.getByRole("button", { name: "Use a passkey of this device" }).click();
      };

      // The first device is lost: the second one's passkey finds the account, and removes the first.
      const [first] = await device.credentials();
      await act(page, "Add a passkey");
      assert.equal((await keys()).length, 2);
      await device.remove(first ?? "");
      await disconnect();
      await find();
      await page.getByTestId("account").getByText(account).waitFor(WAIT);
      const [lost] = await keys();
      assert.ok(lost);
      await act(page, `Remove passkey ${lost.x.slice(0, 8)}`);
      const [second, ...others] = await keys();
      assert.ok(second && second.x !== lost.x && others.length === 0);

      await page.getByLabel("Wallet that may recover the account").fill(guardian.address);
      await page.getByLabel("Days in which any passkey can stop it").fill("1");
      await act(page, "Name the recovery wallet");

      // Somebody with the wallet begins; a passkey stops it.
      const asGuardian = async () => {
        await disconnect();
        await page.getByRole("button", { name: "Test Wallet" }).click(WAIT);
      };
      await asGuardian();
      await page.getByText("Recover a passkey account").click();
      await page.getByLabel("Account to recover").fill(account);
      await act(page, "Begin the recovery");
      await page.getByText("The recovery can be finished in").waitFor(WAIT);
      // Which passkey of the device signs is its user's choice: here the one that is the account's.
      const [, begun] = await device.credentials();
      await device.remove(begun ?? "");
      await disconnect();
      await find();
      await page.getByText("The recovery wallet is replacing the passkeys.").waitFor(WAIT);
      await act(page, "Stop the recovery");
      await page.getByText("The recovery wallet is replacing the passkeys.").waitFor({ ...WAIT, state: "detached" });

      // The second device is lost as well: the wallet begins again, and this browser remembers over the days.
      await asGuardian();
      await page.getByText("was never sent, was stopped").waitFor(WAIT);
      await act(page, "Begin the recovery");
      const finish = page.getByRole("button", { name: "Finish the recovery" });
      await finish.waitFor(WAIT);
      assert.ok(await finish.isDisabled(), "not before the delay is over");
      assert.deepEqual(await seriousFindings(page), []);
      const [old] = await device.credentials();
      await device.remove(old ?? "");
      await passes(86_400);
      await page.reload();
      await page.getByText("The recovery can be finished now.").waitFor(WAIT);
      await page.getByText("made in this browser.").waitFor(WAIT);
      await finish.click(WAIT);
      await actionOf(page, "Finish the recovery").getByRole("button", { name: "Confirm" }).click(WAIT);
      await page.getByText("Passkey account", { exact: true }).waitFor(WAIT);
      assert.equal(await page.getByTestId("account").textContent(), account);
      const [now, ...more] = await keys();
      assert.ok(now && now.x !== second.x && more.length === 0, "the new passkey alone is the account's");
      // It acts, and its sponsor pays.
      await act(page, "Take test VER");
      assert.deepEqual(wrong, []);
    } finally {
      await context.close();
    }
  },
);
