import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";

import type { V1Container, V1PodSpec } from "@kubernetes/client-node";
import { parse, parseAllDocuments } from "yaml";

import { agentConfig } from "@verai/agent/config";
import { indexerConfig } from "@verai/indexer/config";
import { keeperConfig } from "@verai/keepers/config";
import { sponsorConfig } from "@verai/sponsor/config";
import { siteFileSchema } from "@verai/web/server/site";
import { findKubectl } from "../support/kubectl.ts";
import { type Manifest, nameOf, problemsOf } from "../support/manifests.ts";

const DEPLOY = fileURLToPath(new URL("../../deploy", import.meta.url));
const KUBERNETES = join(DEPLOY, "kubernetes");
const kubectl = findKubectl();
const skip = "missing" in kubectl ? kubectl.missing : false;
const overlays = readdirSync(join(KUBERNETES, "overlays"));

const read = (text: string): Manifest[] => parseAllDocuments(text).map((document) => document.toJS() as Manifest);

/** All files of manifests as they lie there, but for Kustomize's own. */
function sources(): Manifest[] {
  return readdirSync(KUBERNETES, { recursive: true, encoding: "utf8" })
    .filter((file) => file.endsWith(".yaml") && !file.endsWith("kustomization.yaml"))
    .flatMap((file) => read(readFileSync(join(KUBERNETES, file), "utf8")));
}

function render(overlay: string): Manifest[] {
  assert.ok("path" in kubectl);
  const { status, stdout, stderr } = spawnSync(kubectl.path, ["kustomize", join(KUBERNETES, "overlays", overlay)], {
    encoding: "utf8",
  });
  assert.equal(status, 0, stderr);
  return read(stdout);
}

/** Pods that manifests make, with the name of what makes them. */
function podsOf(manifests: readonly Manifest[]): { name: string; pod: V1PodSpec }[] {
  return manifests.flatMap((manifest) => {
    const pod = (manifest as { spec?: { template?: { spec?: V1PodSpec } } }).spec?.template?.spec;
    return pod ? [{ name: nameOf(manifest), pod }] : [];
  });
}

test("every manifest fits its schema, KEDA's included, and has no unknown field", async () => {
  const manifests = sources();
  assert.ok(manifests.length > 15);
  assert.ok(manifests.some(({ kind }) => kind === "ScaledObject"));
  assert.deepEqual(await problemsOf(manifests), []);
});

test("the check finds a wrong type, a missing and an unknown field, in the middle of things", async () => {
  const budget = { apiVersion: "policy/v1", kind: "PodDisruptionBudget", metadata: { name: "b" } };
  const scaled = { apiVersion: "keda.sh/v1alpha1", kind: "ScaledObject", metadata: { name: "s" } };
  const trigger = { type: "metrics-api", metadata: {} };
  const bad = [
    { ...budget, spec: { maxUnavailable: true } },
    { ...budget, spec: { maxUnavailable: 1, maxUnavailble: 1 } },
    { ...scaled, spec: { scaleTargetRef: {}, triggers: [trigger] } },
    { ...scaled, spec: { scaleTargetRef: { name: "x" }, triggers: [{ ...trigger, metricTyp: "x" }] } },
  ];
  for (const manifest of bad) assert.notDeepEqual(await problemsOf([manifest]), [], JSON.stringify(manifest));
  assert.deepEqual(
    await problemsOf([{ ...scaled, spec: { scaleTargetRef: { name: "x" }, triggers: [trigger] } } as Manifest]),
    [],
  );
});

for (const overlay of overlays) {
  test(`${overlay}: renders to valid manifests whose pods keep to the restricted profile`, { skip }, async () => {
    const manifests = render(overlay);
    assert.deepEqual(await problemsOf(manifests), []);
    const pods = podsOf(manifests);
    assert.equal(pods.length, 5);
    for (const { name, pod } of pods) {
      assert.equal(pod.securityContext?.runAsNonRoot, true, name);
      assert.equal(pod.securityContext?.seccompProfile?.type, "RuntimeDefault", name);
      const containers: V1Container[] = [...pod.containers, ...(pod.initContainers ?? [])];
      for (const { image, securityContext, resources } of containers) {
        assert.match(image ?? "", /^ghcr\.io\/.*:\d/, name);
        assert.equal(securityContext?.allowPrivilegeEscalation, false, name);
        assert.equal(securityContext?.readOnlyRootFilesystem, true, name);
        assert.deepEqual(securityContext?.capabilities?.drop, ["ALL"], name);
        assert.ok(resources?.requests?.["cpu"] && resources.requests["memory"] && resources.limits?.["memory"], name);
      }
      const [main] = pod.containers;
      for (const probe of [main?.startupProbe, main?.livenessProbe, main?.readinessProbe]) {
        // An indexer answers only from the chain's newest block.
        const isReady = name.includes("indexer") && probe === main?.readinessProbe;
        assert.equal(probe?.httpGet?.path, isReady ? "/ready" : "/health", name);
      }
    }
    // By reference alone: no manifest has a secret in it.
    assert.ok(!manifests.some(({ kind }) => kind === "Secret"));
  });

  test(`${overlay}: every reference leads somewhere, and the configurations are valid`, { skip }, () => {
    const manifests = render(overlay);
    const has = (kind: string, name: string | undefined) =>
      assert.ok(
        manifests.some((each) => each.kind === kind && each.metadata?.name === name),
        `${kind} ${name ?? ""}`,
      );
    for (const { pod } of podsOf(manifests)) {
      for (const { configMap, persistentVolumeClaim } of pod.volumes ?? []) {
        if (configMap) has("ConfigMap", configMap.name);
        if (persistentVolumeClaim) has("PersistentVolumeClaim", persistentVolumeClaim.claimName);
      }
      if (pod.serviceAccountName !== undefined) has("ServiceAccount", pod.serviceAccountName);
    }
    for (const manifest of manifests) {
      const { scaleTargetRef } =
        (manifest as { spec?: { scaleTargetRef?: { kind: string; name: string } } }).spec ?? {};
      if (!scaleTargetRef) continue;
      has(scaleTargetRef.kind, scaleTargetRef.name);
      const target = manifests.find(
        ({ kind, metadata }) => kind === scaleTargetRef.kind && metadata?.name === scaleTargetRef.name,
      );
      // Applying the overlay again would reset what the autoscaler has set.
      assert.equal((target as { spec?: { replicas?: number } } | undefined)?.spec?.replicas, undefined);
    }
    const data = manifests
      .filter(({ kind }) => kind === "ConfigMap")
      .map((each) => (each as { data?: Record<string, string> }).data ?? {});
    const config = (name: string) =>
      JSON.parse(data.map((each) => each[name]).find((text) => text !== undefined) ?? "") as unknown;
    assert.ok(keeperConfig.parse(config("keepers.json")).network.chainId > 1);
    const { api, service, network } = indexerConfig.parse(config("indexer.json"));
    assert.deepEqual([api.port, service.port, network.chainId > 1], [9480, 9464, true]);
    const sponsor = sponsorConfig.parse(config("sponsor.json"));
    assert.deepEqual([sponsor.api.port, sponsor.service.port, sponsor.network.chainId], [9490, 9464, network.chainId]);
    const site = siteFileSchema.parse(config("web.json"));
    assert.deepEqual([site.chainId, site.rpcUrl], [network.chainId, network.rpcUrl]);
    const agent = agentConfig.parse(config("agent.json"));
    assert.ok(agent.executor?.kind === "kubernetes");
    has("PersistentVolumeClaim", agent.executor.volume.claim);
    has("PriorityClass", agent.executor.priorityClass);
  });
}

test("the compose file: not root, read-only, nothing added", () => {
  const { services } = parse(readFileSync(join(DEPLOY, "compose.yaml"), "utf8"), { merge: true }) as {
    services: Record<string, { read_only?: boolean; cap_drop?: string[]; user?: string; build: { target: string } }>;
  };
  const dockerfile = readFileSync(join(DEPLOY, "images/Dockerfile"), "utf8");
  for (const [name, service] of Object.entries(services)) {
    assert.match(dockerfile, new RegExp(`^FROM \\S+ AS ${service.build.target}$`, "m"));
    if (name === "trainer") continue;
    assert.equal(service.read_only, true, name);
    assert.deepEqual(service.cap_drop, ["ALL"], name);
    assert.match(service.user ?? "", /^\$\{DRMP_UID/, name);
  }
});
