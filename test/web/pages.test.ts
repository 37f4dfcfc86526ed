/**
 * The application as people use it: a real Chromium against a devnet of real processes. `npm run test:web`; takes about two
 * minutes. With DRMP_SCREENSHOTS=1 it also writes docs/images/web-*.png.
 */
import assert from "node:assert/strict";
import { mkdirSync, readFileSync } from "node:fs";
import { createServer } from "node:http";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";

import { AxeBuilder } from "@axe-core/playwright";
import { formatEther, parseEther } from "ethers";
import type { Browser, Page } from "playwright-core";

import { readIdleCause } from "@verai/client/causes";
import { answer } from "@verai/client/readers";
import type { Session } from "@verai/client/session";
import { readTotals } from "@verai/client/telemetry";
import { ROOT } from "@verai/devnet/processes";
import { fromChainCid } from "@verai/protocol/checkpoints/cid";
import { closeServer, listen } from "@verai/system/http/listen";
import { DIST } from "@verai/web/server/build";
import type { Served } from "@verai/web/server/serve";
import { filesOf, type Site } from "@verai/web/server/site";
import { ver } from "@verai/web/src/ui/format";
import { missingBrowser, open, shiftOf } from "./chromium.ts";
import type { TestDevnet } from "./devnet.ts";
import { twistedIndexer, type Twist } from "./indexers.ts";
import { injectedWallet } from "./injected-wallet.ts";
import { openAccount } from "./people.ts";
import { failing } from "./services.ts";
import { MARKUP, openStage, options, serve, type Stage, WAIT } from "./stage.ts";

const SCREENSHOTS = process.env["DRMP_SCREENSHOTS"] === "1";
const IMAGES = join(ROOT, "docs", "images");
/** Four units of twenty seconds, and a round, beside other work. */
const DELIVERED_MS = 240_000;

let stage: Stage;
let devnet: TestDevnet;
let session: Session;
let browser: Browser;
let site: Site;
let served: Served;

before(async () => {
  if (missingBrowser !== undefined) return;
  ({ devnet, session, browser, site, served } = stage = await openStage());
  await submit("1", "0.02", "cpu/eu");
  await submit("2", "0.004", "cpu/us");
  await untilDelivered(1);
  await devnet.run(
    "tasks/drmp.ts",
    "task:result",
    "--task",
    "1",
    "--out",
    join(devnet.folder, "results"),
    "--accept",
    "--yes",
  );
});

after(async () => {
  await stage?.close();
});

async function submit(name: string, maxPrice: string, classes: string): Promise<void> {
  const terms = ["--units", "4", "--max-price", maxPrice, "--classes", classes, "--interval", "5s", "--within", "1h"];
  await devnet.run(
    "tasks/drmp.ts",
    "task:submit",
    "--spec",
    join(devnet.folder, "spec.json"),
    ...terms,
    "--submission",
    name,
    "--detach",
    "--yes",
  );
}

/** Waits until all units of a task are delivered; `task:watch` would wait until they are paid, which takes a dispute window. */
async function untilDelivered(taskId: number): Promise<void> {
  const { reader } = session;
  for (const end = performance.now() + DELIVERED_MS; performance.now() < end; await delay(500)) {
    const block = await reader.block();
    const [task, leases] = await Promise.all([reader.task(block, taskId), reader.leases(block)]);
    const delivered = leases.filter((lease) => lease.taskId === taskId && lease.status === "delivered");
    if (delivered.reduce((sum, { count }) => sum + count, 0) === task?.units) return;
  }
  throw new Error(`task ${String(taskId)} was not delivered within ${String(DELIVERED_MS / 1000)} s`);
}

/** Opens a page from nothing: what the one before showed is gone. */
async function visit(page: Page, url: string): Promise<void> {
  await page.goto("about:blank");
  await page.goto(url);
}

/** Text of a page's main part once a pattern is in it. */
async function textWith(page: Page, pattern: RegExp): Promise<string> {
  await page.locator("main").filter({ hasText: pattern }).waitFor(WAIT);
  return page.locator("main").innerText();
}

async function screenshot(page: Page, name: string): Promise<void> {
  if (!SCREENSHOTS) return;
  mkdirSync(IMAGES, { recursive: true });
  await page.screenshot({ path: join(IMAGES, `web-${name}.png`) });
}

test("each page shows the figures that the chain says", options, async () => {
  const { reader } = session;
  const { page, wrong, close } = await open(browser);
  const block = await reader.block();
  const [totals, task] = [await readTotals(reader, block), await reader.task(block, 1)];
  assert.ok(task);

  await page.goto(served.url);
  const network = await textWith(page, /As of block[\s\S]*nodes that report[\s\S]*cpu\/eu[\s\S]*settled/);
  assert.match(network, new RegExp(`Nodes in the market\\s+${String(totals.nodes)}\\b`));
  assert.match(network, new RegExp(`${String(totals.renewableNodes)} of ${String(totals.nodes)} nodes that report`));
  assert.match(network, /Waiting demand\s+4\s*units/);
  await page.locator(".chart canvas").first().waitFor(WAIT);
  await screenshot(page, "network");

  await visit(page, `${served.url}#/tasks/1`);
  const own = await textWith(page, /same on chain/);
  assert.match(own, /Progress\s+100\.0 %/);
  assert.match(own, new RegExp(`${String(task.paidUnits)} of ${String(task.units)} units paid`));
  await page.locator("svg.lanes rect.lease").first().waitFor(WAIT);
  await screenshot(page, "task");

  await visit(page, `${served.url}#/tasks/2`);
  assert.match(await textWith(page, /maximum price is too low/), /0\.012 VER/);

  await visit(page, `${served.url}#/nodes/1`);
  const node = await textWith(page, /same on chain/);
  const stake = (await reader.node(await reader.block(), 1))?.stake ?? 0n;
  assert.match(node, new RegExp(`Stake\\s+${formatEther(stake).replace(/\.0$/, "")}\\s*VER`));
  await screenshot(page, "node");

  const spec = fromChainCid(task.spec).toString();
  for (const [path, pattern] of [
    ["tasks", /task 2/],
    ["nodes", /node 3/],
    ["rounds", /round 1/],
    ["leaders", /Place[\s\S]*node \d/],
    [`search/${spec}`, /task 1\s*spec/],
    ["leases/1", /bafybei/],
    ["classes/0", /cpu\/eu/],
    [`search/${task.owner.toLowerCase()}`, /task 1/],
  ] as const) {
    await visit(page, `${served.url}#/${path}`);
    await textWith(page, pattern);
  }
  assert.deepEqual(wrong, []);
  await close();
});

test("a node's earnings are charted and saved, and an idle one says why", options, async () => {
  const { reader } = session;
  const { page, wrong, close } = await open(browser);
  const block = await reader.block();
  const paid = (await reader.leases(block)).find(({ status }) => status === "paid");
  assert.ok(paid);
  const { items } = (await (await fetch(`${devnet.indexerUrl}/v1/nodes?limit=10`)).json()) as {
    items: { id: number; earned: string }[];
  };
  const earned = items.find(({ id }) => id === paid.nodeId)?.earned ?? "0";
  assert.ok(BigInt(earned) > 0n);
  await visit(page, `${served.url}#/nodes/${String(paid.nodeId)}`);
  await textWith(page, /Earnings and spending/);
  const choice = (name: string) => page.getByRole("group", { name: "Span" }).getByText(name);
  for (const [span, energy] of [
    ["24 hours", /^$/],
    ["30 days", /^\d+$/],
    ["Since it joined", /^\d+$/],
  ] as const) {
    await choice(span).click(WAIT);
    await page.getByText(new RegExp(`Earned ${ver(earned)}`)).waitFor(WAIT);
    const saved = page.waitForEvent("download", WAIT);
    await page.getByRole("button", { name: "Save as CSV" }).click();
    const [heads = "", ...rows] = readFileSync(await (await saved).path(), "utf8")
      .trimEnd()
      .split("\r\n");
    assert.equal(heads, "start_utc,earned_ver,spent_ver,energy_joules");
    const cells = rows.map((row) => row.split(","));
    const sum = cells.reduce((all, [, each = ""]) => all + parseEther(each), 0n);
    assert.equal(sum, BigInt(earned), span);
    for (const [, , , used = "?"] of cells) assert.match(used, energy, span);
  }
  const idle = (await Promise.all(items.map(({ id }) => reader.node(block, id)))).find((node) => node?.leased === 0);
  assert.ok(idle);
  const cause = await readIdleCause(reader, block, idle);
  assert.ok(cause);
  await visit(page, `${served.url}#/nodes/${String(idle.id)}`);
  await page.getByText(cause.what).first().waitFor(WAIT);
  await page.getByText(cause.remedy).first().waitFor(WAIT);
  assert.deepEqual(wrong, []);
  await close();
});

test("a round's certificate is checked in the browser, and its program solved again", options, async () => {
  const { page, wrong, close } = await open(browser);
  await visit(page, `${served.url}#/rounds/1`);
  await textWith(page, /holds[\s\S]*minimum of the linear program/);
  await page.getByRole("button", { name: "Solve it again here" }).click();
  const text = await textWith(page, /network simplex/);
  assert.match(text, /network simplex: the same minimum, and the same post byte for byte/);
  assert.match(text, /javascript-lp-solver: the same minimum/);
  await page.locator(".market svg .meet").first().waitFor(WAIT);
  await screenshot(page, "round");
  assert.deepEqual(wrong, []);
  await close();
});

test("no page has a serious fault of accessibility, in light and dark, wide and small", options, async () => {
  for (const look of [
    { colorScheme: "light", viewport: { width: 1280, height: 900 } },
    { colorScheme: "dark", viewport: { width: 390, height: 800 } },
  ] as const) {
    const { page, close } = await open(browser, look);
    for (const [path, pattern] of [
      ["", /settled/],
      ["rounds/1", /minimum of the linear program/],
      ["tasks/1", /same on chain/],
      ["nodes/1", /same on chain/],
      ["leaders", /node 1/],
    ] as const) {
      await visit(page, `${served.url}#/${path}`);
      await textWith(page, pattern);
      const { violations } = await new AxeBuilder({ page }).analyze();
      const serious = violations.filter(({ impact }) => impact === "serious" || impact === "critical");
      assert.deepEqual(
        serious.map(({ id, nodes }) => [
          path,
          look.colorScheme,
          id,
          nodes.slice(0, 3).map(({ html }) => html.slice(0, 160)),
        ]),
        [],
      );
      const wider = await page.evaluate(
        () => document.documentElement.scrollWidth - document.documentElement.clientWidth,
      );
      assert.ok(wider <= 1, `${path} scrolls sideways by ${String(wider)} px at ${String(look.viewport.width)} px`);
    }
    await close();
  }
});

test("the keyboard alone leads to every page", options, async () => {
  const { page, close } = await open(browser);
  await page.goto(served.url);
  await textWith(page, /As of block/);
  await page.keyboard.press("Tab");
  assert.equal(await page.evaluate(() => document.activeElement?.textContent), "Skip to the page");
  for (let i = 0; i < 20; i++) {
    await page.keyboard.press("Tab");
    if ((await page.evaluate(() => document.activeElement?.textContent)) === "Nodes") break;
  }
  await page.keyboard.press("Enter");
  await textWith(page, /node 1/);
  assert.equal(await page.evaluate(() => document.activeElement?.id), "main");
  await page.locator("#search").focus();
  await page.keyboard.type("1");
  await page.keyboard.press("Enter");
  await textWith(page, /task 1/);
  await close();
});

test("the first view takes at most 300 kB on a slow line, and does not shift", options, async () => {
  const { page, close } = await open(browser);
  const line = await page.context().newCDPSession(page);
  // A 4G line as Lighthouse has it.
  await line.send("Network.enable");
  await line.send("Network.emulateNetworkConditions", {
    offline: false,
    latency: 40,
    downloadThroughput: (10 * 1024 * 1024) / 8,
    uploadThroughput: (5 * 1024 * 1024) / 8,
  });
  let bytes = 0;
  line.on("Network.loadingFinished", ({ encodedDataLength }) => {
    bytes += encodedDataLength;
  });
  const began = performance.now();
  await page.goto(served.url);
  await page.getByTestId("as-of").waitFor(WAIT);
  const ms = performance.now() - began;
  const first = bytes;
  assert.ok(first <= 300 * 1024, `${String(first)} bytes`);
  await textWith(page, /settled/);
  await page.locator(".chart canvas").first().waitFor(WAIT);
  const shift = await shiftOf(page);
  assert.ok(shift < 0.1, `the layout shifted by ${String(shift)}`);
  // Its time is shown, not judged: this machine does other work meanwhile. The goal is 2,000 ms.
  console.log(
    `first view: ${String(Math.round(ms))} ms, ${String(Math.round(first / 1024))} kB, shift ${shift.toFixed(3)}`,
  );
  await close();
});

/** Serves the application with an indexer that a test has changed. */
async function withTwist(twist: Twist, delayMs: number, use: (url: string) => Promise<void>): Promise<void> {
  const indexer = await twistedIndexer(devnet.indexerUrl, twist, delayMs);
  const other = await serve({ ...site, indexerUrl: indexer.url });
  try {
    await use(other.url);
  } finally {
    await other.close();
    await indexer.close();
  }
}

/** Puts something in place of every text in an answer that nodes and developers choose. */
function everyText(value: unknown, name = ""): unknown {
  if (Array.isArray(value)) return value.map((each) => everyText(each, name));
  if (typeof value === "object" && value !== null)
    return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, everyText(each, key)]));
  return [
    "endpoint",
    "name",
    "energySource",
    "method",
    "reason",
    "resultCid",
    "cid",
    "as",
    "status",
    "waits",
    "moveCause",
    "seed",
  ].includes(name)
    ? MARKUP
    : value;
}

test("markup and script in any text stay text", options, async () => {
  await withTwist(
    (_, body) => everyText(body) as Record<string, unknown>,
    0,
    async (url) => {
      const { page, wrong, close } = await open(browser);
      for (const path of [
        "",
        "nodes/1",
        "tasks/1",
        "leases/1",
        "rounds/1",
        "classes/0",
        "nodes",
        "tasks",
        "rounds",
        "leaders",
        `search/${encodeURIComponent(MARKUP)}`,
      ]) {
        await visit(page, `${url}#/${path}`);
        await textWith(page, /As of block/);
        await page.waitForTimeout(300);
        assert.equal(await page.locator("main img, main script").count(), 0, path);
      }
      assert.match(await page.locator("main").innerText(), /<img src=x/);
      assert.deepEqual(wrong, []);
      await close();
    },
  );
});

test("audits are drawn over the leases that they are of, and listed with who ran what again", options, async () => {
  const { items: leases } = (await fetch(`${devnet.indexerUrl}/v1/tasks/1/leases`).then((got) => got.json())) as {
    items: { id: number; nodeId: number; grantedAt: number; deliveredAt: number }[];
  };
  const [lease] = leases;
  assert.ok(lease);
  // A devnet's nodes are honest: these audits are made up, those of real nodes are in the lifecycle's test.
  const length = (lease.deliveredAt - lease.grantedAt) / 3;
  const panel = [1, 2, 3, 1, 2];
  const audits = (["passed", "fraud", "voting"] as const).map((status, i) => ({
    ...{ leaseId: lease.id, sequence: i + 1, taskId: 1, nodeId: lease.nodeId, epochId: 1, status },
    fromTime: Math.floor(lease.grantedAt + i * length),
    toTime: Math.floor(lease.grantedAt + (i + 1) * length),
    verifiers: [2, 3].slice(0, status === "voting" ? 2 : 1),
    panel: status === "passed" ? [] : panel,
    openedAt: lease.deliveredAt,
    endedAt: status === "voting" ? null : lease.deliveredAt + 90,
    ...{ block: 1, time: lease.deliveredAt },
  }));
  const twist: Twist = (path, body) =>
    path.startsWith("/v1/tasks/1/audits") ? { ...body, items: audits, next: null } : undefined;
  await withTwist(twist, 0, async (url) => {
    const { page, wrong, close } = await open(browser);
    await visit(page, `${url}#/tasks/1`);
    const text = await textWith(page, /a panel decides/);
    assert.match(text, /passed: the same result/);
    assert.match(text, /convicted: the work was wrong/);
    assert.match(text, /framed: a segment that was audited/);
    assert.equal(await page.getByTestId("audit-mark").count(), 3);
    const bar = page.getByRole("link", { name: new RegExp(`^Lease ${String(lease.id)}:`) });
    assert.match(
      (await bar.getAttribute("aria-label")) ?? "",
      /3 segments audited: .*checkpoint 2: convicted: the work was wrong/,
    );
    const rows = page.getByRole("region", { name: "Audits of the task" }).locator("tbody tr");
    assert.deepEqual(await rows.nth(1).locator("td").nth(5).innerText(), "node 1, node 2, node 3, node 1, node 2");
    const { violations } = await new AxeBuilder({ page }).analyze();
    assert.deepEqual(
      violations.filter(({ impact }) => impact === "serious" || impact === "critical").map(({ id }) => id),
      [],
    );
    assert.deepEqual(wrong, []);
    await close();
  });
});

test("an indexer that lies is told by the chain", options, async () => {
  const lie: Twist = (path, body) => {
    const item = body["item"] as Record<string, unknown> | undefined;
    if (path.startsWith("/v1/nodes/1?") || path === "/v1/nodes/1")
      return { ...body, item: { ...item, stake: "1", capacity: 4_000 } };
    if (path === "/v1/network") return { ...body, asOf: { ...(body["asOf"] as object), hash: `0x${"66".repeat(32)}` } };
    return undefined;
  };
  // Who registers first depends on the machine.
  const { capacity } = (await session.reader.node(await session.reader.block(), 1)) ?? assert.fail("no node");
  await withTwist(lie, 0, async (url) => {
    const { page, close } = await open(browser);
    await visit(page, `${url}#/nodes/1`);
    const told = await textWith(page, /The chain says something else/);
    assert.ok(told.includes(`capacity: ${String(capacity)} on chain, 4000 by the indexer`), told);
    await visit(page, `${url}#/`);
    await textWith(page, /The indexer follows another chain/);
    await close();
  });
});

test("answers that are no answers, slow ones and none are told, and nothing breaks", options, async () => {
  await withTwist(
    (path) => (path === "/v1/network" ? { asOf: 7 } : undefined),
    0,
    async (url) => {
      const { page, wrong, close } = await open(browser);
      await page.goto(url);
      await textWith(page, /not what its description says/);
      assert.deepEqual(wrong, []);
      await close();
    },
  );
  await withTwist(
    () => undefined,
    1_500,
    async (url) => {
      const { page, close } = await open(browser);
      await page.goto(url);
      await textWith(page, /As of block/);
      await textWith(page, /settled/);
      assert.ok((await shiftOf(page)) < 0.1, String(await shiftOf(page)));
      await close();
    },
  );
  const absent = await serve({ ...site, indexerUrl: "http://127.0.0.1:9" });
  const { page, close } = await open(browser);
  await page.goto(absent.url);
  // What the chain itself says is there all the same.
  assert.match(await textWith(page, /cannot be reached[\s\S]*Bounty pool/), /Try again/);
  await close();
  await absent.close();
});

test(
  "money is read from the chain: an indexer that lies about all amounts changes nothing on the account's page",
  options,
  async () => {
    const { reader, contracts } = session;
    const task = await reader.task(await reader.block(), 2);
    assert.ok(task);
    const lie = (value: unknown, name = ""): unknown => {
      if (Array.isArray(value)) return value.map((each) => lie(each, name));
      if (typeof value === "object" && value !== null)
        return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, lie(each, key)]));
      if (name === "id" || name === "owner") return value;
      return typeof value === "string" && /^\d{6,}$/.test(value) ? "66600000000000000000" : value;
    };
    await withTwist(
      (path, body) => (path.startsWith("/v1/network?") ? undefined : (lie(body) as Record<string, unknown>)),
      0,
      async (url) => {
        const context = await browser.newContext();
        await context.addInitScript({ content: injectedWallet(site.rpcUrl, task.owner, site.chainId) });
        const { page, wrong } = await openAccount(context, url);
        await page.getByRole("button", { name: "Test Wallet" }).click(WAIT);
        await page.getByRole("button", { name: "Cancel task 2" }).waitFor(WAIT);
        const text = await page.locator("main").innerText();
        assert.ok(text.includes(ver(await answer(contracts.token.balanceOf(task.owner)))), text);
        assert.ok(!text.includes("66.6"), text);
        // What cancelling brings back is the chain's word as well: it is tried there.
        await page.getByRole("button", { name: "Cancel task 2" }).click();
        await page.getByTestId("cost").getByText("It takes no VER.").waitFor(WAIT);
        assert.deepEqual(wrong, []);
        await context.close();
      },
    );
  },
);

test(
  "an endpoint of the chain that fails is told, is not taken for an answer, and is asked again",
  options,
  async () => {
    const endpoint = await failing(site.rpcUrl);
    const other = await serve({ ...site, rpcUrl: endpoint.url });
    const { page, wrong, close } = await open(browser);
    for (const how of ["error", "garbage"] as const) {
      endpoint.fails(how);
      await visit(page, `${other.url}#/nodes/1`);
      const text = await textWith(page, /The chain does not tell/);
      assert.ok(!/same on chain|no such node/.test(text), text);
      // What history says is there meanwhile, and says whose word it is.
      assert.match(text, /Source: indexer/);
      endpoint.fails("no");
      await page.getByRole("button", { name: "Try again" }).first().click(WAIT);
      await textWith(page, /same on chain/);
    }
    assert.deepEqual(wrong, []);
    await close();
    await other.close();
    await endpoint.close();
  },
);

test("lists of ten thousand nodes stay usable", options, async () => {
  const TOTAL = 10_000;
  let first: Record<string, unknown> | undefined;
  await withTwist(
    (path, body) => {
      const asked = new URL(path, "http://indexer");
      if (asked.pathname !== "/v1/nodes") return undefined;
      // The real indexer refuses our cursors.
      first ??= body;
      const [one] = first["items"] as Record<string, unknown>[];
      const from = Number(asked.searchParams.get("cursor") ?? TOTAL);
      const limit = Number(asked.searchParams.get("limit") ?? 50);
      const items = Array.from({ length: Math.min(limit, from) }, (_, i) => ({ ...one, id: from - i }));
      return { ...first, items, next: from > limit ? String(from - limit) : null };
    },
    0,
    async (url) => {
      const { page, close } = await open(browser);
      await visit(page, `${url}#/nodes`);
      await textWith(page, /node 10000/);
      for (const last of [9_801, 9_701, 9_601]) {
        await page.getByRole("button", { name: "Show more" }).click();
        await textWith(page, new RegExp(`node ${String(last)}\\b`));
      }
      assert.ok((await page.locator("main tbody tr").count()) <= 400);
      await close();
    },
  );
});

test("no other page can frame it, and nothing else is asked for", options, async () => {
  const { headers } = await fetch(served.url).then(({ headers: got }) => ({ headers: got }));
  const configured = [site.rpcUrl, site.indexerUrl, ...site.doorUrls, site.relayUrl ?? ""];
  assert.ok(configured.length === 4 && configured.every((url) => url !== ""), configured.join(", "));
  const rules = (headers.get("content-security-policy") ?? "").split("; ");
  assert.equal(rules[0], "default-src 'self'");
  assert.equal(rules[1], `connect-src 'self' ${configured.map((url) => new URL(url).origin).join(" ")}`);
  assert.equal(rules.at(-1), "frame-ancestors 'none'");
  const { page, close } = await open(browser);
  const asked = new Set<string>();
  page.on("request", (request) => asked.add(new URL(request.url()).origin));
  await page.goto(served.url);
  await textWith(page, /settled/);
  const own = new URL(served.url).origin;
  assert.deepEqual(
    [...asked].filter(
      (origin) => ![own, new URL(site.rpcUrl).origin, new URL(site.indexerUrl).origin].includes(origin),
    ),
    [],
  );
  await close();
  // Nothing in what is built names a host to load from.
  assert.ok(!/<(script|link|img)[^>]+https?:/.test(readFileSync(join(DIST, "index.html"), "utf8")));
});

test(
  "a page that frames it gets nothing to be clicked on: by the header, and without one by the page itself",
  options,
  async () => {
    const files = filesOf(DIST, site);
    // As a gateway serves a copy by its CID: below a path, and without headers of ours.
    const gateway = createServer((request, response) => {
      const path = (request.url ?? "").replace(/^\/ipfs\/copy\//, "").replace(/\?.*/, "");
      const body = files.get(path === "" ? "index.html" : path);
      const type = { js: "text/javascript", css: "text/css", svg: "image/svg+xml", html: "text/html" }[
        path.split(".").at(-1) ?? ""
      ];
      response
        .writeHead(body ? 200 : 404, { "content-type": type ?? (path === "" ? "text/html" : "application/json") })
        .end(body);
    });
    const attacker = createServer((request, response) => {
      const target = new URL(request.url ?? "/", "http://attacker").searchParams.get("target") ?? "";
      response
        .writeHead(200, { "content-type": "text/html" })
        .end(`<iframe src="${target}" width="900" height="700"></iframe>`);
    });
    const [copy, attack] = await Promise.all(
      [gateway, attacker].map((server) => listen(server, { host: "127.0.0.1", port: 0 })),
    );
    const { page, wrong, close } = await open(browser);
    // By itself the copy works, from any path.
    await visit(page, `${copy ?? ""}/ipfs/copy/#/nodes/1`);
    await textWith(page, /same on chain/);
    assert.deepEqual(wrong, []);
    await page.goto(`${attack ?? ""}/?target=${encodeURIComponent(`${copy ?? ""}/ipfs/copy/`)}`);
    const framed = page.frameLocator("iframe");
    await framed.getByText("in a frame it shows nothing").waitFor(WAIT);
    assert.equal(await framed.getByRole("button").count(), 0);
    assert.equal(await framed.getByRole("link").count(), 0);
    await page.goto(`${attack ?? ""}/?target=${encodeURIComponent(served.url)}`);
    await page.waitForTimeout(1_000);
    assert.equal(await page.frameLocator("iframe").locator("#root").count(), 0, "the browser itself refuses");
    await close();
    await Promise.all([gateway, attacker].map(closeServer));
  },
);
