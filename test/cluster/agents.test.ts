/**
 * The agents' StatefulSet as an overlay has it, with the image that its Dockerfile makes: it registers its node on a local chain, is granted a
 * lease, runs it as a Job of real pods with the real trainer, is killed and restarted meanwhile, and delivers.
 */
import assert from "node:assert/strict";
import { chmodSync, chownSync, copyFileSync, existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";

import type { V1ConfigMap } from "@kubernetes/client-node";
import { HDNodeWallet, Wallet } from "ethers";
import { parseAllDocuments, stringify } from "yaml";

import { until } from "@verai/executor/testing";
import { OneAgent, training } from "../support/one-agent.ts";
import { USER } from "./support/agent-process.ts";
import { TestCluster } from "./support/cluster.ts";
import { addressOfPlane, noMachines, sharedFolder } from "./support/machine.ts";
import { overlay } from "./support/overlays.ts";
import { Proxy } from "./support/proxy.ts";

const { DRMP_CLUSTER_IMAGES: images } = process.env;
const skip = noMachines || (images === undefined ? "the product's images are not built" : false);
const POD = "drmp-agent-0";
/** Of the local chain's well-known accounts. */
const PHRASE = "test test test test test test test test test test test junk";

interface Manifest {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: { readonly name: string };
}

let cluster: TestCluster;
let one: OneAgent;
let proxy: Proxy;
before(async () => {
  if (skip) return;
  [cluster, one] = await Promise.all([TestCluster.start(), OneAgent.open(["/ip4/0.0.0.0/tcp/0"])]);
  cluster.giveVolume();
  for (const machine of cluster.machines) {
    for (const name of ["agent", "trainer"]) machine.import(join(images ?? "", `${name}.tar`));
  }
});
after(async () => {
  if (skip) return;
  await proxy?.stop();
  await one?.close();
  await cluster?.stop();
});

/** The overlay's agents: what it says of them, but for the chain, the volumes and the wallets, which are this test's. */
async function applyAgents(): Promise<void> {
  const { plane, volume } = cluster;
  proxy = new Proxy(Number(new URL(one.market.url).port));
  const port = await proxy.start("0.0.0.0");
  const deployment = join(volume, "deployment.json");
  copyFileSync(one.bench.network.deployment, deployment);
  chmodSync(deployment, 0o644);
  const data = sharedFolder("agent-data");
  chownSync(data, USER, USER);
  const keys = await Promise.all(
    [
      ["", 6],
      ["owner.", 10],
    ].map(async ([kind, account]) => {
      const wallet = new Wallet(testKey(Number(account)));
      const keystore = await wallet.encrypt("a passphrase");
      return {
        [`${POD}.${String(kind)}keystore.json`]: keystore,
        [`${POD}.${String(kind)}passphrase`]: "a passphrase",
      };
    }),
  );
  const rendered = parseAllDocuments(await plane.kubectl("kustomize", overlay("base-sepolia"))).map(
    (document) => document.toJS() as Manifest,
  );
  const objects = rendered.filter(({ metadata }) => /^drmp-agents?(-|$)/.test(metadata.name));
  const config = objects.find(
    (each): each is Manifest & V1ConfigMap => "agent.json" in ((each as V1ConfigMap).data ?? {}),
  );
  assert.ok(config?.data);
  const said = JSON.parse(config.data["agent.json"] ?? "") as Record<string, object>;
  config.data["agent.json"] = JSON.stringify({
    ...said,
    network: {
      rpcUrl: `http://${addressOfPlane()}:${String(port)}`,
      chainId: 31_337,
      deployment: "/work/deployment.json",
    },
    owner: { keystore: "/run/agent/owner.keystore.json", passphraseFile: "/run/agent/owner.passphrase" },
    node: { ...said["node"], capacity: 2, ask: "0.001" },
    store: { listen: ["/ip4/0.0.0.0/tcp/4001"], replicas: 0 },
    executor: { ...said["executor"], unitSize: { cpus: 1, memoryMiB: 256 } },
    telemetry: { cpus: 64, sampleEvery: 1 },
    ...{ interval: 0.5, grace: 5, minFree: 1 },
  });
  const storage = {
    ...{ apiVersion: "v1", kind: "PersistentVolume", metadata: { name: "agent-data" } },
    spec: {
      ...{ capacity: { storage: "100Gi" }, accessModes: ["ReadWriteOnce"] },
      hostPath: { path: data, type: "Directory" },
      claimRef: { namespace: "drmp", name: `data-${POD}` },
    },
  };
  const secret = {
    ...{ apiVersion: "v1", kind: "Secret", metadata: { name: "drmp-agents-keys", namespace: "drmp" } },
    stringData: Object.assign({}, ...keys) as Record<string, string>,
  };
  // Its autoscaler is KEDA's, which does not run here.
  const wanted = objects.filter(({ kind }) => kind !== "ScaledObject");
  const file = join(plane.directory, "agents.yaml");
  writeFileSync(file, [...wanted, storage, secret].map((each) => stringify(each)).join("---\n"));
  await plane.kubectl("apply", "--server-side", "--force-conflicts", "--filename", file);
}

/** Private key of one of the local chain's well-known accounts. */
function testKey(account: number): string {
  return HDNodeWallet.fromPhrase(PHRASE, "", `m/44'/60'/0'/0/${String(account)}`).privateKey;
}

/** What a process was started with; nothing if it has ended meanwhile. */
function commandOf(pid: string): string[] {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, "utf8").split("\0");
  } catch {
    return [];
  }
}

/** Kills the agent without a word to it, as a machine does that has no memory left: its pod starts it again. */
function killAgent(): void {
  const agents = readdirSync("/proc").filter((pid) => {
    if (!/^\d+$/.test(pid)) return false;
    const command = commandOf(pid);
    return command.includes("agent/main.ts") && command.includes("/run/agent/agent.json");
  });
  assert.equal(agents.length, 1);
  process.kill(Number(agents[0]), "SIGKILL");
}

/** Waits, and tells what the agent says if it waits in vain. */
async function eventually(what: string, holds: () => boolean | Promise<boolean>): Promise<void> {
  await until(what, holds, 900).catch(async (error: unknown) => {
    throw new Error(`${String(error)}\n${await said()}`, { cause: error });
  });
}

/** What the agent's pod says, for a wait in vain. */
async function said(): Promise<string> {
  try {
    return await cluster.plane.kubectl("--namespace", "drmp", "logs", POD, "--all-containers", "--tail=60");
  } catch (error) {
    return `${String(error)}\n${await cluster.plane.kubectl("--namespace", "drmp", "describe", "pod", POD)}`;
  }
}

test("the agent's pod starts, registers its node and claims", { skip }, async () => {
  await applyAgents();
  await eventually("the node is listed", async () => {
    const node = await one.node();
    return node?.listing !== undefined && node.endpoint !== "";
  });
  const { spec } = await cluster.plane.apps.readNamespacedStatefulSet({
    namespace: "drmp",
    name: "drmp-agent",
  });
  assert.equal(spec?.replicas, 1);
});

test("a lease becomes a Job of real pods; its agent is killed and goes on with it; it delivers", { skip }, async () => {
  await one.leased(training(600));
  await eventually("a checkpoint is posted", async () => (await one.checkpoint()) !== undefined);
  const pods = async () => {
    const { items } = await cluster.plane.core.listNamespacedPod({
      namespace: "drmp",
      labelSelector: "app.kubernetes.io/name=drmp-unit",
    });
    return items.map(({ metadata }) => metadata?.name);
  };
  const [unit] = await pods();
  assert.ok(unit);
  killAgent();
  const log = join(cluster.volume, POD, "leases/1-1/unit-0/unit.log");
  await eventually("it is taken over", () => existsSync(log) && /taken over/.test(readFileSync(log, "utf8")));
  assert.deepEqual(await pods(), [unit], "the same pod goes on");
  await eventually("it is delivered", async () => (await one.lease())?.status === "delivered");
  assert.equal((await one.lease())?.fence, 1);
  await eventually("its pods are gone", async () => (await pods()).length === 0);
});

test("scaled down, the agent drains and leaves", { skip }, async () => {
  await cluster.plane.kubectl("--namespace", "drmp", "scale", "statefulset", "drmp-agent", "--replicas", "0");
  await cluster.plane.kubectl("--namespace", "drmp", "wait", "--for=delete", "--timeout=590s", `pod/${POD}`);
});
