/**
 * What the application does where something is wrong or unusual: files that are no specs, no mouse, endpoints that are slow or fail while money
 * moves, reserves that run low, markup where text is expected, a wallet that is a contract. A real Chromium on a devnet of real processes; takes
 * about four minutes.
 */
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";

import { AbiCoder, Contract, ContractFactory, JsonRpcProvider, keccak256, toBeHex } from "ethers";

import type { Browser, Page } from "playwright-core";
import { createPublicClient, http } from "viem";

import { LOCAL_CHAIN_ID } from "@verai/client/chains";
import { openSigner } from "@verai/client/keys";
import { answer } from "@verai/client/readers";
import type { Session } from "@verai/client/session";
import { passkeyAccountAbi } from "@verai/client/typed-abi/PasskeyAccount";
import { fromChainCid } from "@verai/protocol/checkpoints/cid";
import { LOW_SUBSCRIPTION } from "@verai/protocol/money/reserves";
import { microToWei } from "@verai/protocol/money/ver";
import type { Served } from "@verai/web/server/serve";
import type { Site } from "@verai/web/server/site";
import { readSpec } from "@verai/web/src/content/spec";
import { exactVer, percent, ver } from "@verai/web/src/ui/format";
import managerArtifact from "../../artifacts/@openzeppelin/contracts/access/manager/AccessManager.sol/AccessManager.json" with { type: "json" };
import { missingBrowser } from "./chromium.ts";
import type { TestDevnet } from "./devnet.ts";
import { twistedIndexer } from "./indexers.ts";
import { injectedWallet } from "./injected-wallet.ts";
import { act, actionOf, addAuthenticator, openAccount, seriousFindings } from "./people.ts";
import { between, failing } from "./services.ts";
import {
  leasesOf,
  MARKUP,
  openStage,
  options,
  rpc,
  sentBy,
  serve,
  type Stage,
  taskCount,
  taskOf,
  until,
  WAIT,
  withWallet,
} from "./stage.ts";

let stage: Stage;
let devnet: TestDevnet;
let session: Session;
let browser: Browser;
let site: Site;
let served: Served;

before(async () => {
  if (missingBrowser === undefined) ({ devnet, session, browser, site, served } = stage = await openStage());
});
after(async () => {
  await stage?.close();
});

const specBox = (page: Page) => page.getByLabel("Spec (JSON)");

/** Chooses a file for the form, as a person does. */
async function choose(page: Page, name: string, content: string): Promise<void> {
  await page
    .getByLabel("…or from a file")
    .setInputFiles({ name, mimeType: "application/json", buffer: Buffer.from(content) });
}

/** A short task of some units, made from the spec that the form shows. */
async function shortSpec(page: Page, units: number): Promise<Record<string, unknown>> {
  const spec = JSON.parse(await specBox(page).inputValue()) as Record<string, unknown>;
  const learningRate = Array.from({ length: units }, (_, i) => (i + 1) / 50);
  return {
    ...spec,
    args: ["--epochs", "2", "--train", "1000", "--test", "500", "--checkpoint-steps", "20", "--pace", "20"],
    env: { DIGITS_GRID: JSON.stringify({ hidden: [16], learningRate }) },
    checkpoint: { intervalSeconds: 3 },
  };
}

test(
  "a spec comes from a file that fits; one that does not is told, and changes nothing in the form",
  options,
  async () => {
    await withWallet(stage, 17, async (page) => {
      const spec = await shortSpec(page, 3);
      const before = await specBox(page).inputValue();
      await page.getByLabel("Units", { exact: true }).fill("3");
      // Below every ask: it waits.
      await page.getByLabel("Maximum price of a unit, VER", { exact: true }).fill("0.001");
      await page.getByText("Fill the spec in by form").click();
      const failure = page.getByRole("alert");
      for (const [name, content, told] of [
        ["torn.json", '{"version": 1,', /torn\.json was not taken; the spec here is as it was[\s\S]*JSON/],
        ["list.json", "[]", /list\.json was not taken/],
        ["more.json", JSON.stringify({ ...spec, gpu: 1 }), /more\.json was not taken[\s\S]*gpu/],
        ["unpinned.json", JSON.stringify({ ...spec, trainer: undefined, image: "trainer:latest" }), /by digest/],
        ["none.json", JSON.stringify({ ...spec, resources: { cpus: 0, memoryMiB: 512 } }), /resources\.cpus is 0/],
        ["large.json", JSON.stringify({ ...spec, name: "x".repeat(70_000) }), /65,?536|64 KiB|too large|bytes/],
        ["markup.json", JSON.stringify({ ...spec, trainer: MARKUP }), /trainer is[\s\S]*<img src=x/],
        [`${MARKUP}.json`, "{}", /<img src=x/],
      ] as const) {
        await choose(page, name, content);
        await failure.filter({ hasText: told }).waitFor(WAIT);
        assert.equal(await specBox(page).inputValue(), before, name);
        assert.equal(await page.getByLabel("Units", { exact: true }).inputValue(), "3", name);
        assert.equal(await page.locator("main img, main script").count(), 0, name);
      }
      // What is typed and is no JSON is not written over by a field of the form.
      await specBox(page).fill('{"version": 1,');
      await page.getByText("The spec above is no JSON object").waitFor(WAIT);
      assert.ok(await page.getByLabel("Arguments, one a line").isDisabled());

      const named = { ...spec, name: MARKUP };
      await choose(page, "fits.json", JSON.stringify(named));
      await page.getByText("fits.json fits, and is the spec now.").waitFor(WAIT);
      assert.equal(await failure.count(), 0);
      assert.equal(await page.getByLabel("Arguments, one a line").inputValue(), (spec["args"] as string[]).join("\n"));
      assert.equal(await page.getByLabel("Name", { exact: true }).inputValue(), MARKUP);
      // Another page, and a reload, lose nothing of it.
      await page.getByRole("link", { name: "Nodes", exact: true }).click();
      await page.locator("main").getByText("node 1").first().waitFor(WAIT);
      await page.goto(`${served.url}#/account`);
      await page.reload();
      await page.getByTestId("account").waitFor(WAIT);
      assert.equal(await specBox(page).inputValue(), JSON.stringify(named));
      assert.equal(await page.getByLabel("Units", { exact: true }).inputValue(), "3");
      await act(page, "Submit");
      const task = await taskOf(stage);
      assert.equal(task.units, 3);
      // The same spec has the same CID wherever it is submitted.
      assert.equal(task.spec.digest, (await readSpec(JSON.stringify(named))).digest);
      await act(page, `Cancel task ${String(task.id)}`);
    });
  },
);

test("a task is submitted with the keyboard alone, from the form to the signature", options, async () => {
  const { address } = await openSigner({ testAccount: 16 }, LOCAL_CHAIN_ID);
  const context = await browser.newContext();
  await context.addInitScript({ content: injectedWallet(devnet.state.rpcUrl, address, LOCAL_CHAIN_ID) });
  try {
    const { page, wrong } = await openAccount(context, served.url);
    await page.getByRole("button", { name: "Test Wallet" }).waitFor(WAIT);
    const focused = () =>
      page.evaluate(() => {
        const at = document.activeElement;
        if (at instanceof HTMLInputElement) return at.labels?.[0]?.textContent.trim() ?? "";
        return at?.textContent.trim() ?? "";
      });
    /** Goes on by Tab until something has the focus. */
    const tabTo = async (name: string | RegExp) => {
      const passed: string[] = [];
      for (let i = 0; i < 60; i++) {
        await page.keyboard.press("Tab");
        const at = await focused();
        if (typeof name === "string" ? at === name : name.test(at)) return;
        passed.push(at.slice(0, 40));
      }
      assert.fail(`Tab does not lead to ${String(name)}, only to ${passed.join(" | ")}`);
    };
    await tabTo("Test Wallet");
    await page.keyboard.press("Enter");
    await page.getByTestId("account").getByText(address).waitFor(WAIT);
    await tabTo("Units");
    await page.keyboard.press("ControlOrMeta+A");
    await page.keyboard.type("2");
    await tabTo("Maximum price of a unit, VER");
    await page.keyboard.press("ControlOrMeta+A");
    await page.keyboard.type("0.001");
    await tabTo("Submit");
    const before = await taskCount(stage);
    await page.keyboard.press("Enter");
    const asks = page.getByRole("group", { name: "Before you confirm" });
    await asks.waitFor(WAIT);
    // Who uses the keyboard is led to what is asked, and confirms nothing by a key that is held.
    assert.ok(await asks.evaluate((box) => box === document.activeElement));
    await page.keyboard.press("Enter");
    assert.equal(await sentBy(page), 0);
    await tabTo("Confirm");
    assert.notEqual(
      await page.evaluate(() => getComputedStyle(document.activeElement ?? document.body).outlineStyle),
      "none",
      "the focus is seen",
    );
    await page.keyboard.press("Enter");
    await page.locator('[data-testid=done][data-count="1"]').waitFor(WAIT);
    const task = await taskOf(stage);
    assert.equal(task.id, before + 1);
    assert.deepEqual([task.units, task.maxPrice, task.owner], [2, 10n ** 15n, address]);
    // From where the button was, on to cancelling it.
    await tabTo(`Cancel task ${String(task.id)}`);
    await page.keyboard.press("Enter");
    await asks.waitFor(WAIT);
    await tabTo("Confirm");
    await page.keyboard.press("Enter");
    await page.locator('[data-testid=done][data-count="2"]').waitFor(WAIT);
    assert.equal((await taskOf(stage, task.id)).status, "ended");
    assert.deepEqual(wrong, []);
  } finally {
    await context.close();
  }
});

test(
  "what is to be confirmed is void once the form says something else; too little VER is told first",
  options,
  async () => {
    await withWallet(stage, 13, async (page) => {
      const one = actionOf(page, "Submit");
      const submit = page.getByRole("button", { name: "Submit", exact: true });
      const confirm = one.getByRole("button", { name: "Confirm" });
      await page.getByLabel("Maximum price of a unit, VER", { exact: true }).fill("0.001");
      await submit.click();
      await confirm.waitFor(WAIT);
      await page.getByLabel("Units", { exact: true }).fill("3");
      await one.getByText("It was changed since: press Submit again.").waitFor(WAIT);
      assert.equal(await confirm.count(), 0);
      await page.getByLabel("Maximum price of a unit, VER", { exact: true }).fill("1000000");
      await submit.click();
      await one
        .getByRole("alert")
        .getByText(/The task locks 3\d+(\.\d+)?.VER, and the account has 0.VER; get more VER/)
        .waitFor(WAIT);
      assert.equal(await sentBy(page), 0);
      // The same page on a small screen in the dark, with its forms open.
      await page.emulateMedia({ colorScheme: "dark" });
      await page.setViewportSize({ width: 390, height: 800 });
      await page.getByText("Fill the spec in by form").click();
      assert.deepEqual(await seriousFindings(page), []);
      const wider = await page.evaluate(
        () => document.documentElement.scrollWidth - document.documentElement.clientWidth,
      );
      assert.ok(wider <= 1, `the page scrolls sideways by ${String(wider)} px`);
    });
  },
);

test("a slow endpoint is told, loses nothing, and nothing is done twice", options, async () => {
  const endpoint = await failing(site.rpcUrl);
  const other = await serve({ ...site, rpcUrl: endpoint.url });
  try {
    await withWallet(
      stage,
      15,
      async (page) => {
        await page.getByLabel("Units", { exact: true }).fill("2");
        await page.getByLabel("Maximum price of a unit, VER", { exact: true }).fill("0.001");
        endpoint.slows(4_000);
        await page.getByText("waiting for the chain’s endpoint, which is slow").waitFor(WAIT);
        const [before, sent] = [await taskCount(stage), await sentBy(page)];
        const submit = page.getByRole("button", { name: "Submit", exact: true });
        await submit.click();
        await actionOf(page, "Submit").getByText("Looking what it costs…").waitFor(WAIT);
        assert.ok(await submit.isDisabled(), "not twice");
        endpoint.slows(1_500);
        const confirm = actionOf(page, "Submit").getByRole("button", { name: "Confirm" });
        await confirm.waitFor(WAIT);
        // As people click where nothing seems to happen.
        await confirm.dblclick();
        await page.locator('[data-testid=done][data-count="1"]').waitFor(WAIT);
        assert.equal(await taskCount(stage), before + 1);
        assert.equal((await sentBy(page)) - sent, 2, "test VER, and the task by a permit");
        assert.equal(await page.getByLabel("Units", { exact: true }).inputValue(), "2");
        // A page that reads says that it waits, shows what it has, and then all.
        endpoint.slows(4_000);
        await page.goto(`${other.url}#/nodes/1`);
        await page.getByText("Asking the chain…").first().waitFor(WAIT);
        await page.getByText("Comparing with the chain…").waitFor(WAIT);
        endpoint.slows(0);
        await page.getByText("same on chain").waitFor(WAIT);
        await page.goto(`${other.url}#/account`);
        await act(page, `Cancel task ${String(await taskCount(stage))}`);
      },
      other.url,
    );
  } finally {
    await other.close();
    await endpoint.close();
  }
});

test(
  "an endpoint that fails before or after something was sent: it is told, looked for over a reload, and done once",
  options,
  async () => {
    const endpoint = await failing(site.rpcUrl);
    const other = await serve({ ...site, rpcUrl: endpoint.url });
    try {
      await withWallet(
        stage,
        15,
        async (page) => {
          await page.getByLabel("Units", { exact: true }).fill("2");
          await page.getByLabel("Maximum price of a unit, VER", { exact: true }).fill("0.001");
          const one = actionOf(page, "Submit");
          const submit = page.getByRole("button", { name: "Submit", exact: true });
          const before = await taskCount(stage);

          // Before: nothing is sent, the form is as it was, and trying again is all that it takes.
          for (const how of ["error", "garbage"] as const) {
            endpoint.fails(how);
            await submit.click(WAIT);
            await one.getByRole("alert").getByText("The chain's endpoint gives no answer").waitFor(WAIT);
          }
          assert.equal(await sentBy(page), 0);
          assert.equal(await page.getByLabel("Units", { exact: true }).inputValue(), "2");
          endpoint.fails("no");
          await one.getByRole("button", { name: "Try again" }).click(WAIT);
          await one.getByRole("button", { name: "Confirm" }).waitFor(WAIT);

          // After: the wallet has sent it by an endpoint of its own, and this one fails.
          await rpc(stage, "evm_setIntervalMining", 0);
          try {
            await one.getByRole("button", { name: "Confirm" }).click(WAIT);
            await one.getByText("Sent; waiting for the chain.").waitFor(WAIT);
            endpoint.fails("error");
          } finally {
            await rpc(stage, "evm_setIntervalMining", 1_000);
          }
          await one.getByText("is asked again. Do not send it again.").waitFor(WAIT);
          await until("the task on chain", async () => ((await taskCount(stage)) > before ? true : undefined));
          await page.reload();
          const unknown = page.getByTestId("unknown");
          await unknown.getByText("does not send it again").waitFor(WAIT);
          await unknown.getByText("The endpoint gives no answer now.").waitFor(WAIT);
          assert.ok(await submit.isDisabled(), "not twice");
          await one.getByText("Sent before, and not known yet").waitFor(WAIT);
          endpoint.fails("no");
          await page.locator('[data-testid=done][data-count="1"]').waitFor(WAIT);
          await page.getByText("Last done here: Submit").waitFor(WAIT);
          assert.equal(await unknown.count(), 0);
          assert.ok(await submit.isEnabled());
          assert.equal(await taskCount(stage), before + 1);
          await act(page, `Cancel task ${String(before + 1)}`);
        },
        other.url,
      );
    } finally {
      await other.close();
      await endpoint.close();
    }
  },
);

test(
  "a passkey's operation whose relay fails after it was sent is looked for, and not sent again",
  options,
  async () => {
    const relay = await failing(site.relayUrl ?? "");
    const other = await serve({ ...site, relayUrl: relay.url });
    const context = await browser.newContext();
    try {
      const { page, wrong } = await openAccount(context, other.url);
      await addAuthenticator(context, page);
      await page.getByRole("button", { name: "New passkey account" }).click(WAIT);
      const one = actionOf(page, "Take test VER");
      await one.getByRole("button", { name: "Take test VER", exact: true }).click(WAIT);
      await one.getByTestId("cost").waitFor(WAIT);
      page.on("request", (request) => {
        if (request.postData()?.includes("eth_getUserOperationReceipt") === true) relay.fails("error");
      });
      await one.getByRole("button", { name: "Confirm" }).click(WAIT);
      await until("the relay's failure", async () => {
        const kept = await page.evaluate(() => localStorage.getItem("drmp.sent.31337"));
        return kept?.includes("operation") === true ? true : undefined;
      });
      await delay(4_000);
      await page.reload();
      await page.getByTestId("unknown").getByText("does not send it again").waitFor(WAIT);
      assert.ok(await page.getByRole("button", { name: "Take test VER", exact: true }).isDisabled());
      page.removeAllListeners("request");
      relay.fails("no");
      await page.getByText("Last done here: Take test VER").waitFor(WAIT);
      const drip = await answer(
        session.contracts.token.balanceOf((await page.getByTestId("account").textContent()) ?? ""),
      );
      assert.ok(drip > 0n);
      assert.deepEqual(wrong, []);
    } finally {
      await context.close();
      await other.close();
      await relay.close();
    }
  },
);

test("errors of contracts are told in sentences with the remedy, where people meet them", options, async () => {
  // The owner of a node of the devnet.
  await withWallet(stage, 10, async (page) => {
    const change = page.getByRole("button", { name: /^Change ask of node/ }).first();
    const label = (await change.textContent(WAIT)) ?? "";
    await page.getByLabel("New ask, VER").first().fill("0.0123456");
    await change.click();
    const told = actionOf(page, label).getByRole("alert");
    await told
      .getByText(/The ask 0\.0123456 VER is not a multiple of the class's tick .*; use 0\.\d+ or 0\.\d+ VER\./)
      .waitFor(WAIT);
  });
  await withWallet(stage, 14, async (page) => {
    await page.getByLabel("Units", { exact: true }).fill("2");
    await page.getByLabel("Maximum price of a unit, VER", { exact: true }).fill("0.002");
    await act(page, "Submit");
    const id = String(await taskCount(stage));
    await page.getByLabel("New maximum price, VER").first().fill("0.001");
    await page.getByRole("button", { name: `Raise price of task ${id}`, exact: true }).click(WAIT);
    await actionOf(page, `Raise price of task ${id}`)
      .getByRole("alert")
      .getByText(/already offers 0\.002.VER a unit, and 0\.001.VER is not above it; a price can only be raised\./)
      .waitFor(WAIT);
    // Taken with the submission.
    await page.getByRole("button", { name: "Take test VER", exact: true }).click(WAIT);
    await actionOf(page, "Take test VER")
      .getByRole("alert")
      .getByText(/The faucet has already served 0x[0-9a-fA-F]{40}; it will again from \d{4}-.* UTC on\./)
      .waitFor(WAIT);
    await act(page, `Cancel task ${id}`);
  });
});

/** What a task has paid in fees by the vault's own events, wei. */
async function feesOf(taskId: number): Promise<bigint> {
  const { vault } = session.contracts;
  const found = await vault.queryFilter(vault.filters.FeeCollected(taskId));
  return found.reduce((sum, { args }) => sum + args.amount, 0n);
}

test(
  "a task's page tells its cost against its quote, and leaders and keepers stand in the order of the chain's figures",
  options,
  async () => {
    const { contracts, reader } = session;
    let taskId = 0;
    await withWallet(stage, 17, async (page) => {
      await specBox(page).fill(JSON.stringify(await shortSpec(page, 6)));
      await page.getByLabel("Units", { exact: true }).fill("6");
      await page.getByRole("button", { name: "Quote", exact: true }).click();
      const quote = page.getByTestId("quote");
      await quote.getByText("6 of 6 units would be leased now").waitFor(WAIT);
      const [, cost = "", fee = ""] =
        /leased now, for ([\d.]+).VER on \d+ nodes?, and ([\d.]+).VER of fee/.exec(await quote.innerText()) ?? [];
      await act(page, "Submit");
      taskId = await taskCount(stage);
      const leases = await until("results of all leases", async () => {
        const found = await leasesOf(stage, taskId);
        const units = found.filter(({ status }) => status === "delivered").reduce((sum, { count }) => sum + count, 0);
        return units === 6 ? found.filter(({ status }) => status === "delivered") : undefined;
      });
      assert.ok(leases.length >= 2, "more than one node");
      const agreed = leases.reduce((sum, { price, count }) => sum + microToWei(price * count), 0n);
      await page.goto(`${served.url}#/tasks/${String(taskId)}`);
      const figure = (label: string) => page.locator(".figure").filter({ hasText: label });
      const says = async (label: string, pattern: RegExp) => {
        await figure(label).filter({ hasText: pattern }).waitFor(WAIT);
        return figure(label).innerText();
      };
      const exactly = (text: string) => text.replaceAll(".", "\\.");
      const before = await says("Cost so far", /0.*VER/);
      assert.match(before, /Cost so far\s+0\s*VER/);
      assert.ok(
        before.includes(`and ${ver(await feesOf(taskId))} VER in fees; ${percent(0)} of what is agreed`),
        before,
      );
      const told = await says("Agreed for its leases", /quoted/);
      assert.match(told, new RegExp(`${exactly(ver(agreed))}\\s*VER`));
      assert.match(told, new RegExp(`quoted ${exactly(cost)} VER and ${exactly(fee)} of fee; at most 0\\.12 VER`));
      assert.equal(ver(agreed), cost, "what was quoted is what was agreed");

      await page.goto(`${served.url}#/account`);
      const [first] = leases;
      assert.ok(first);
      await act(page, `Accept lease ${String(first.id)}`);
      const paid = microToWei(first.price * first.count);
      await page.goto(`${served.url}#/tasks/${String(taskId)}`);
      const share = percent(Number((paid * 1000n) / agreed) / 10);
      const after = await says("Cost so far", new RegExp(`${exactly(ver(paid))}\\s*VER`));
      assert.ok(after.includes(`; ${share} of what is agreed`), after);
      assert.ok(after.includes(`and ${ver(await feesOf(taskId))} VER in fees`), after);

      // Leaders: each order by what the chain's own leases say.
      const block = await reader.block();
      const all = await reader.leases(block);
      const nodes = Number(await answer(contracts.nodes.nodeCount()));
      const of = (id: number, statuses: readonly string[]) =>
        all.filter(({ nodeId, status }) => nodeId === id && statuses.includes(status));
      const sum = (id: number, value: (lease: (typeof all)[number]) => bigint, statuses: readonly string[]) =>
        of(id, statuses).reduce((total, lease) => total + value(lease), 0n);
      const orders = {
        Earned: (id: number) => sum(id, ({ price, count }) => microToWei(price * count), ["paid"]),
        Units: (id: number) => sum(id, ({ count }) => BigInt(count), ["paid"]),
        Delivered: (id: number) => BigInt(of(id, ["paid", "delivered", "disputed"]).length),
      };
      await page.goto(`${served.url}#/leaders`);
      const table = page
        .getByRole("region", { name: "Nodes by what they have done" })
        .or(page.getByRole("table", { name: "Nodes by what they have done" }))
        .first();
      for (const [name, value] of Object.entries(orders)) {
        await page.getByRole("group", { name: "Order" }).getByText(name, { exact: true }).click(WAIT);
        const wanted = Array.from({ length: nodes }, (_, i) => i + 1).sort(
          (a, b) => Number(value(b) - value(a)) || b - a,
        );
        await until(
          `leaders by ${name}`,
          async () => {
            const shown = await table.locator("tbody tr").evaluateAll((rows) =>
              rows.map((row) =>
                [...row.querySelectorAll("td")]
                  .slice(0, 2)
                  .map((cell) => cell.textContent.trim())
                  .join(" "),
              ),
            );
            const right = wanted.map((id, i) => `${String(i + 1)} node ${String(id)}`);
            return JSON.stringify(shown) === JSON.stringify(right) ? true : undefined;
          },
          60_000,
        ).catch(async () => {
          assert.deepEqual(await table.locator("tbody tr").allInnerTexts(), wanted, name);
        });
      }

      // Keepers at work, by the rounds that they opened and settled and what the vault has paid them.
      const wanted = await keepersOnChain();
      assert.ok(wanted.length > 0, "keepers are at work");
      await page.goto(`${served.url}#/`);
      const rows = page.locator("section.card").filter({ hasText: "Keepers at work" }).locator("tbody tr");
      const shown = () =>
        rows.evaluateAll((all) =>
          all.map((row) => {
            const cells = [...row.querySelectorAll("td")];
            const titled = (i: number) => cells[i]?.querySelector("[title]")?.getAttribute("title") ?? "";
            return [titled(0), cells[1]?.textContent, cells[2]?.textContent, titled(4)].join(" ");
          }),
        );
      await until(
        "keepers at work",
        async () => (JSON.stringify(await shown()) === JSON.stringify(wanted) ? true : undefined),
        30_000,
      ).catch(async () => {
        assert.deepEqual(await shown(), wanted);
      });
    });
  },
);

/** Keepers by their bounties, the first first: address, rounds opened, rounds settled, bounties; all by the contracts' events. */
async function keepersOnChain(): Promise<string[]> {
  const { rounds, vault } = session.contracts;
  const keepers = new Map<string, { opened: number; settled: number; bounties: bigint }>();
  const of = (address: string) => {
    const known = keepers.get(address) ?? { opened: 0, settled: 0, bounties: 0n };
    keepers.set(address, known);
    return known;
  };
  for (const { args } of await rounds.queryFilter(rounds.filters.RoundOpened)) of(args.opener).opened++;
  for (const { args } of await rounds.queryFilter(rounds.filters.RoundSettled)) of(args.keeper).settled++;
  for (const { args } of await vault.queryFilter(vault.filters.BountyPaid)) of(args.to).bounties += args.amount;
  return [...keepers]
    .sort(([, a], [, b]) => Number(b.bounties - a.bounties))
    .map(([address, { opened, settled, bounties }]) =>
      [address.toLowerCase(), opened, settled, exactVer(bounties)].join(" "),
    );
}

test("an indexer that names another result is told: what is verified is what the chain names", options, async () => {
  // The result of the test before.
  const block = await session.reader.block();
  const paid = (await session.reader.leases(block)).find(({ status }) => status === "paid");
  assert.ok(paid?.result);
  const real = fromChainCid(paid.result).toString();
  const other = fromChainCid((await taskOf(stage, paid.taskId)).spec).toString();
  const lying = await twistedIndexer(devnet.indexerUrl, (path, body) =>
    path.includes("/leases") ? (JSON.parse(JSON.stringify(body).replaceAll(real, other)) as typeof body) : undefined,
  );
  const misled = await serve({ ...site, indexerUrl: lying.url });
  try {
    await withWallet(
      stage,
      17,
      async (page) => {
        await page.goto(`${misled.url}#/tasks/${String(paid.taskId)}`);
        await page
          .getByRole("button", { name: `Fetch and verify the result of lease ${String(paid.id)}`, exact: true })
          .click(WAIT);
        await page.getByTestId("verified").waitFor(WAIT);
        const told = page.getByText("The indexer names another result than the chain.");
        await told.waitFor(WAIT);
        assert.equal(await told.getByRole("link").getAttribute("title"), real);
      },
      misled.url,
    );
  } finally {
    await misled.close();
    await lying.close();
  }
});

test("oracle and treasury say how they do: covered, low and empty", options, async () => {
  const {
    contracts,
    reader: { provider },
  } = session;
  const context = await browser.newContext();
  /** A slot whose value tells of an amount, found by its present value, and how to write another one there. */
  const writer = async (address: string, now: bigint, slots: readonly bigint[]) => {
    const places = [0n, 96n, 128n];
    for (const slot of slots) {
      const value = BigInt(await provider.getStorage(address, slot));
      for (const place of places) {
        if (((value >> place) & ((1n << 96n) - 1n)) !== now) continue;
        const mask = ((1n << 96n) - 1n) << place;
        return async (amount: bigint) => {
          const held = BigInt(await provider.getStorage(address, slot));
          const next = (held & ~mask) | (amount << place);
          await rpc(stage, "hardhat_setStorageAt", address, `0x${slot.toString(16)}`, toBeHex(next, 32));
          await rpc(stage, "evm_mine");
        };
      }
    }
    throw new Error(`no slot of ${address} holds ${String(now)}`);
  };
  try {
    const { page, wrong } = await openAccount(context, served.url);
    const item = (title: string) =>
      page.locator(".health > div").filter({ has: page.getByText(title, { exact: true }) });
    const shows = async (title: string, text: RegExp) => {
      await page.goto("about:blank");
      await page.goto(served.url);
      await item(title).filter({ hasText: text }).waitFor(WAIT);
    };
    const { bountyPool } = await answer(contracts.vault.totals());
    await shows("Treasury", new RegExp(`Bounty pool ${ver(bountyPool).replaceAll(".", "\\.")} VER`));
    await shows("Oracle (VRF)", /answers|asked/);
    assert.match(await item("Oracle (VRF)").innerText(), /Its subscription has \d+(\.\d+)? ETH\./);

    const setPool = await writer(
      site.deployment["Vault"] ?? "",
      bountyPool,
      Array.from({ length: 40 }, (_, i) => BigInt(i)),
    );
    const { roundBounty } = await session.reader.parameters(await session.reader.block());
    const bounty = BigInt(roundBounty) * 10n ** 12n;
    await setPool(bounty);
    await shows("Treasury", /low[\s\S]*less than 100 rounds’ bounties/);
    await setPool(0n);
    await shows(
      "Treasury",
      /empty[\s\S]*Bounty pool 0 VER, less than one round’s bounty: keepers are not paid in full/,
    );
    await setPool(bountyPool);

    const { subscriptionId, nativePayment } = await answer(contracts.seeds.config());
    assert.ok(nativePayment, "the devnet pays its oracle in ETH");
    const coordinator = site.deployment["VRFCoordinatorV2_5Mock"] ?? "";
    const oracle = new Contract(
      coordinator,
      ["function getSubscription(uint256) view returns (uint96, uint96, uint64, address, address[])"],
      provider,
    );
    const [, native] = (await oracle.getFunction("getSubscription")(subscriptionId)) as [bigint, bigint];
    // Which slot the mapping of subscriptions has is the mock's own matter.
    const places = Array.from({ length: 24 }, (_, slot) =>
      BigInt(keccak256(AbiCoder.defaultAbiCoder().encode(["uint256", "uint256"], [subscriptionId, slot]))),
    );
    const setSubscription = await writer(coordinator, native, places);
    await setSubscription(LOW_SUBSCRIPTION - 1n);
    await shows("Oracle (VRF)", /funds low[\s\S]*has 0\.005000 ETH\. That pays for few requests: fund it/);
    await setSubscription(0n);
    await shows("Oracle (VRF)", /funds empty[\s\S]*0\.000 ETH\. It answers no request/);
    await setSubscription(native);
    await shows("Oracle (VRF)", /answers|asked/);
    assert.deepEqual(wrong, []);
  } finally {
    await context.close();
  }
});

test("markup and script in specs, logs and what doors say stay text", options, async () => {
  const [real = ""] = site.doorUrls;
  let refuses = false;
  const door = await between(real, {
    instead: (path) => {
      if (path.startsWith("/v1/logs")) {
        const bytes = Buffer.from(`first line\n${MARKUP}\n\u202Eback\u001B[31m\n</pre><script>alert(3)</script>`);
        const log = refuses ? { kind: "refused", why: MARKUP } : { kind: "log", bytes: bytes.toString("base64") };
        return { status: 200, body: JSON.stringify(log) };
      }
      if (!path.startsWith("/v1/specs") || !refuses) return undefined;
      const refused = { cid: MARKUP, receipts: [], reasons: [MARKUP, MARKUP] };
      return { status: 200, body: JSON.stringify(refused) };
    },
  });
  const other = await serve({ ...site, doorUrls: [door.url] });
  try {
    await withWallet(
      stage,
      17,
      async (page) => {
        const clean = async (where: string) => {
          assert.equal(await page.locator("main img, main script").count(), 0, where);
        };
        const spec = { ...(await shortSpec(page, 1)), name: MARKUP };
        const long = [...(spec as unknown as { args: string[] }).args];
        long[1] = "40";
        await specBox(page).fill(JSON.stringify({ ...spec, args: long }));
        await page.getByLabel("Units", { exact: true }).fill("1");
        await act(page, "Submit");
        await clean("the form");
        const id = await taskCount(stage);
        const lease = await until("a running lease", async () =>
          (await leasesOf(stage, id)).find(({ status }) => status === "active"),
        );
        await page.goto(`${other.url}#/tasks/${String(id)}`);
        const show = page.getByRole("button", { name: `Show the log of lease ${String(lease.id)}` });
        await show.click(WAIT);
        const log = page.getByTestId("log");
        await log.filter({ hasText: "first line" }).waitFor(WAIT);
        const text = await log.innerText();
        assert.ok(text.includes(MARKUP) && text.includes("</pre><script>alert(3)</script>"), text);
        assert.ok(!text.includes("\u202E") && !text.includes("\u001B"), "what turns or hides text is made visible");
        await clean("a log");
        refuses = true;
        await show.click(WAIT);
        await page.getByRole("alert").filter({ hasText: "<img src=x" }).waitFor(WAIT);
        await clean("a refused log");
        await page.goto(`${other.url}#/account`);
        await specBox(page).fill(JSON.stringify({ ...spec, maxRestarts: 1 }));
        await page.getByRole("button", { name: "Submit", exact: true }).click(WAIT);
        await page.getByText("0 of 2 nodes hold the spec (<img src=x").waitFor(WAIT);
        await clean("reasons of a door");
        assert.equal(await taskCount(stage), id);
      },
      other.url,
    );
  } finally {
    await other.close();
    await door.close();
  }
});

test("an account is recovered by a wallet that is a contract", options, async () => {
  // OpenZeppelin's access manager carries out what its admin tells it, as itself: a contract that is a wallet.
  const provider = new JsonRpcProvider(devnet.state.rpcUrl, undefined, { cacheTimeout: -1 });
  const { address: owner } = await openSigner({ testAccount: 16 }, LOCAL_CHAIN_ID);
  const deployed = await new ContractFactory(
    managerArtifact.abi,
    managerArtifact.bytecode,
    await provider.getSigner(owner),
  ).deploy(owner);
  await deployed.waitForDeployment();
  const guardian = await deployed.getAddress();
  const context = await browser.newContext();
  await context.addInitScript({ content: injectedWallet(devnet.state.rpcUrl, owner, LOCAL_CHAIN_ID, guardian) });
  try {
    const { page, wrong } = await openAccount(context, served.url);
    const device = await addAuthenticator(context, page);
    await page.getByRole("button", { name: "New passkey account" }).click(WAIT);
    await act(page, "Take test VER");
    const account = ((await page.getByTestId("account").textContent()) ?? "") as `0x${string}`;
    const client = createPublicClient({ transport: http(devnet.state.rpcUrl) });
    const keys = () => client.readContract({ address: account, abi: passkeyAccountAbi, functionName: "keys" });
    const [lost] = await keys();
    await page.getByLabel("Wallet that may recover the account").fill(guardian);
    await page.getByLabel("Days in which any passkey can stop it").fill("1");
    await act(page, "Name the recovery wallet");
    const [old] = await device.credentials();
    await device.remove(old ?? "");
    await page.getByRole("button", { name: "Disconnect" }).click(WAIT);
    await page.getByRole("button", { name: "Test Wallet" }).click(WAIT);
    await page.getByTestId("account").getByText(guardian).waitFor(WAIT);
    await page.getByText("Recover a passkey account").click();
    await page.getByLabel("Account to recover").fill(account);
    await act(page, "Begin the recovery");
    await page.getByText("The recovery can be finished in").waitFor(WAIT);
    await rpc(stage, "evm_increaseTime", 86_400);
    await rpc(stage, "evm_mine");
    await page.getByText("The recovery can be finished now.").waitFor(WAIT);
    await page.getByRole("button", { name: "Finish the recovery" }).click(WAIT);
    await actionOf(page, "Finish the recovery").getByRole("button", { name: "Confirm" }).click(WAIT);
    await page.getByText("Passkey account", { exact: true }).waitFor(WAIT);
    assert.equal(await page.getByTestId("account").textContent(), account);
    const [now, ...more] = await keys();
    assert.ok(now && lost && now.x !== lost.x && more.length === 0, "the new passkey alone is the account's");
    await act(page, "Take test VER");
    assert.deepEqual(wrong, []);
  } finally {
    provider.destroy();
    await context.close();
  }
});
