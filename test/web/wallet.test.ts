/**
 * What people do with a wallet and with a passkey, in a real Chromium, on a devnet of real processes. Takes two to three minutes.
 */
import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { LOCAL_CHAIN_ID } from "@verai/client/chains";
import { formatConsent, signConsent } from "@verai/client/consent";
import { openSigner } from "@verai/client/keys";
import { missingBrowser } from "./chromium.ts";
import { act, addAuthenticator, openAccount } from "./people.ts";
import { onlyMethods } from "./services.ts";
import { openStage, options, serve, type Stage, WAIT, withWallet } from "./stage.ts";

/** A lease needs a round; the one-tap way has to be over within a minute. */
const MINUTE_MS = 60_000;

let stage: Stage;

before(async () => {
  if (missingBrowser === undefined) stage = await openStage();
});
after(async () => {
  await stage?.close();
});

test("a newcomer leases a task with one tap, within a minute, without wallet and ETH", options, async () => {
  const context = await stage.browser.newContext();
  try {
    const { page, wrong } = await openAccount(context, stage.served.url);
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
      .waitFor(WAIT);
    assert.deepEqual(wrong, []);
  } finally {
    await context.close();
  }
});

test(
  "a wallet is shown once, submits, is told costs and errors, and survives rejection, reload and another network",
  options,
  async () => {
    await withWallet(stage, 17, async (page, address) => {
      // Rejected, then done: an approval and a submission.
      await page.evaluate("window.testWallet.reject = true");
      await page.getByRole("button", { name: "Submit", exact: true }).click();
      await page.getByRole("button", { name: "Confirm" }).click();
      await page.getByText("You rejected the request").waitFor(WAIT);
      await page.evaluate("window.testWallet.reject = false");
      const cost = await act(page, "Submit");
      assert.match(cost, /Gas: about 0\.\d+ ETH/);
      assert.match(cost, /It takes 0\.\d+.VER/);
      // Still connected after a reload, and the task is listed.
      await page.reload();
      await page.getByTestId("account").getByText(address).waitFor();
      const cancel = page.getByRole("button", { name: /^Cancel task/ }).first();
      await cancel.waitFor(WAIT);
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
    });
  },
);

test("a passkey account is carried out by one service and paid for by another", options, async () => {
  const sponsor = stage.devnet.state.services.find(({ kind }) => kind === "sponsor")?.address ?? "";
  const [relay, paymaster] = await Promise.all([onlyMethods(sponsor, /^eth_/), onlyMethods(sponsor, /^pm_/)]);
  const split = await serve({ ...stage.site, relayUrl: relay.url, paymasterUrl: paymaster.url });
  const context = await stage.browser.newContext();
  try {
    const { page, wrong } = await openAccount(context, split.url);
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

test("an owner drains and resumes a node", options, async () => {
  // The owner of node ada.
  await withWallet(stage, 10, async (page) => {
    const button = page.getByRole("button", { name: /^Drain node/ }).first();
    const drain = (await button.textContent(WAIT)) ?? "";
    await act(page, drain);
    await act(page, drain.replace("Drain", "Resume"));
  });
});

test(
  "a contributor registers a node, gets its agent's configuration, changes its ask and adds stake",
  options,
  async () => {
    const operator = await openSigner({ testAccount: 19 }, LOCAL_CHAIN_ID);
    await withWallet(stage, 18, async (page, address) => {
      const consent = await signConsent(stage.session.contracts, operator, address);
      await page.getByLabel("Operator address").fill(operator.address);
      await page.getByLabel("Consent of the operator").fill(formatConsent(consent));
      await page.getByLabel("Ask for a unit, VER").fill("0.013");
      assert.match(await act(page, "Register"), /It takes 400.VER/);
      const shown = (await page.getByTestId("registered").textContent()) ?? "";
      assert.match(shown, /Node 4 is registered/);
      assert.match(shown, /"class": "cpu\/eu"[\s\S]*node agent\/main\.ts run --config agent\.json/);
      await page.getByLabel("New ask, VER").fill("0.015");
      await act(page, "Change ask of node 4");
      await page.getByText("asks 0.015").waitFor(WAIT);
      await page.getByLabel("More stake, VER").fill("10");
      assert.match(await act(page, "Add stake to node 4"), /It takes 10.VER/);
      await page.getByText("stake 410 VER").waitFor(WAIT);
    });
  },
);
