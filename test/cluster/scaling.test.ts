/** What scales the agents: a HorizontalPodAutoscaler that acts, and KEDA's objects as its own definition takes them. */
import assert from "node:assert/strict";
import { mkdtemp, realpath, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import { after, before, test } from "node:test";

import { until } from "@verai/executor/testing";
import { ControlPlane, noControlPlane } from "./support/control-plane.ts";
import { addressOfPlane, noMachines } from "./support/machine.ts";
import { MetricsAdapter } from "./support/metrics-adapter.ts";
import { addCustomResources, overlay } from "./support/overlays.ts";

let plane: ControlPlane;
before(async () => {
  if (noControlPlane) return;
  plane = await ControlPlane.start();
  await addCustomResources(plane);
  await plane.kubectl("create", "namespace", "drmp");
});
after(() => (noControlPlane ? undefined : plane.stop()));

test("KEDA's definition takes the overlays' object, and would refuse another", { skip: noControlPlane }, async () => {
  const apply = async (change: (spec: Record<string, unknown>) => void) => {
    const rendered = await plane.kubectl(
      "apply",
      "--dry-run=client",
      "--output=json",
      "--filename",
      `${component("keda")}/scaled-object.yaml`,
    );
    const object = JSON.parse(rendered) as { metadata: { namespace: string }; spec: Record<string, unknown> };
    object.metadata.namespace = "drmp";
    change(object.spec);
    const file = join(plane.directory, "scaled-object.json");
    await writeFile(file, JSON.stringify(object));
    return plane.kubectl("apply", "--server-side", "--validate=strict", "--filename", file);
  };
  assert.match(await apply(() => undefined), /scaledobject\.keda\.sh\/drmp-agent serverside-applied/);
  await assert.rejects(
    apply((spec) => (spec["maxReplicaCnt"] = 3)),
    /maxReplicaCnt/,
  );
  await assert.rejects(
    apply((spec) => delete spec["triggers"]),
    /spec\.triggers: Required value/,
  );
});

test(
  "a HorizontalPodAutoscaler scales the agents by what the market wants",
  { skip: noMachines, timeout: 900_000 },
  async (context) => {
    const adapter = new MetricsAdapter(plane);
    context.after(() => adapter.stop());
    await adapter.start(plane, addressOfPlane());
    // Three agents' worth of eight units.
    adapter.values.set("drmp_wanted_units class=cpu-eu", 24);
    const folder = await mkdtemp(join(tmpdir(), "drmp-overlay-"));
    context.after(() => rm(folder, { recursive: true }));
    const from = async (path: string) => relative(await realpath(folder), path);
    const kustomization = {
      ...{ apiVersion: "kustomize.config.k8s.io/v1beta1", kind: "Kustomization", namespace: "drmp" },
      resources: [await from(join(overlay("base-sepolia"), "../../base"))],
      components: [await from(component("hpa"))],
    };
    await writeFile(join(folder, "kustomization.yaml"), JSON.stringify(kustomization));
    await plane.kubectl("apply", "--server-side", "--force-conflicts", "--kustomize", folder);
    const replicas = async () =>
      (await plane.apps.readNamespacedStatefulSet({ namespace: "drmp", name: "drmp-agent" })).spec?.replicas;
    const state = async () =>
      JSON.stringify(
        (await plane.autoscaling.readNamespacedHorizontalPodAutoscaler({ namespace: "drmp", name: "drmp-agent" }))
          .status,
      );
    assert.equal(await replicas(), 1);
    // By its own rule a minute later, and at most twice as many at once.
    await until("two agents", async () => (await replicas()) === 2, 400).catch(async (error: unknown) => {
      throw new Error(`${String(error)}: ${await state()}`);
    });
    await plane.kubectl("apply", "--server-side", "--force-conflicts", "--kustomize", folder);
    assert.equal(await replicas(), 2, "applying it again keeps them");
    // An adapter that has no such metric is no reason to leave the market.
    adapter.values.clear();
    await until("it says so", async () => /FailedGetExternalMetric/.test(await state()), 300);
    assert.equal(await replicas(), 2);
  },
);

function component(name: string): string {
  return join(overlay("base-sepolia"), "../../components", name);
}
