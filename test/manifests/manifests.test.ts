import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";

import type { V1Container, V1NetworkPolicySpec, V1PodSpec } from "@kubernetes/client-node";
import { parse, parseAllDocuments } from "yaml";

import { agentConfig } from "@verai/agent/config";
import { indexerConfig } from "@verai/indexer/config";
import { databaseOf } from "@verai/indexer/database-choice";
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
  return renderFolder(join(KUBERNETES, "overlays", overlay));
}

function renderFolder(folder: string): Manifest[] {
  assert.ok("path" in kubectl);
  const { status, stdout, stderr } = spawnSync(kubectl.path, ["kustomize", folder], { encoding: "utf8" });
  assert.equal(status, 0, stderr);
  return read(stdout);
}

/** An overlay as somebody would write it who keeps history in PostgreSQL. */
function renderWithPostgres(overlay: string): Manifest[] {
  const folder = mkdtempSync(join(tmpdir(), "drmp-overlay-"));
  try {
    const from = (path: string) => relative(realpathSync(folder), join(KUBERNETES, path));
    const indexer = JSON.parse(readFileSync(join(KUBERNETES, "overlays", overlay, "indexer.json"), "utf8")) as object;
    const own = { ...indexer, database: { postgresUrlEnv: "DRMP_POSTGRES_URL" } };
    writeFileSync(join(folder, "indexer.json"), JSON.stringify(own));
    const kustomization = {
      ...{ apiVersion: "kustomize.config.k8s.io/v1beta1", kind: "Kustomization", namespace: "drmp" },
      resources: [from(`overlays/${overlay}`)],
      components: [from("components/postgres")],
      configMapGenerator: [{ name: "drmp-indexer", behavior: "merge", files: ["indexer.json"] }],
    };
    writeFileSync(join(folder, "kustomization.yaml"), JSON.stringify(kustomization));
    return renderFolder(folder);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** Holds a pod to the restricted profile, with bounds on what it takes. */
function assertRestricted(name: string, pod: V1PodSpec): void {
  assert.equal(pod.securityContext?.runAsNonRoot, true, name);
  assert.equal(pod.securityContext?.seccompProfile?.type, "RuntimeDefault", name);
  const containers: V1Container[] = [...pod.containers, ...(pod.initContainers ?? [])];
  for (const { securityContext, resources } of containers) {
    assert.equal(securityContext?.allowPrivilegeEscalation, false, name);
    assert.equal(securityContext?.readOnlyRootFilesystem, true, name);
    assert.deepEqual(securityContext?.capabilities?.drop, ["ALL"], name);
    assert.ok(resources?.requests?.["cpu"] && resources.requests["memory"] && resources.limits?.["memory"], name);
  }
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
      assertRestricted(name, pod);
      for (const { image } of [...pod.containers, ...(pod.initContainers ?? [])]) {
        assert.match(image ?? "", /^ghcr\.io\/.*:\d/, name);
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

for (const overlay of overlays) {
  test(
    `${overlay}: history in PostgreSQL, which the indexer alone reaches, by an address from a Secret`,
    { skip },
    async () => {
      const manifests = renderWithPostgres(overlay);
      assert.deepEqual(await problemsOf(manifests), []);
      const pods = podsOf(manifests);
      assert.equal(pods.length, 6);
      const podOf = (of: string) => pods.find(({ name }) => name.endsWith(` ${of}`)) ?? assert.fail(of);
      const postgres = podOf("drmp-postgres");
      assertRestricted(postgres.name, postgres.pod);
      const [server] = postgres.pod.containers;
      assert.match(server?.image ?? "", /^docker\.io\/library\/postgres:\d+\.\d+-/);
      for (const probe of [server?.startupProbe, server?.livenessProbe, server?.readinessProbe])
        assert.equal(probe?.exec?.command?.[0], "pg_isready");
      // All that it writes to is a volume.
      const written = ["/var/lib/postgresql/data", "/var/run/postgresql", "/tmp"];
      assert.deepEqual(
        server?.volumeMounts?.map(({ mountPath }) => mountPath),
        written,
      );
      const [indexer] = podOf("drmp-indexer").pod.containers;
      const url = indexer?.env?.find(({ name }) => name === "DRMP_POSTGRES_URL");
      assert.deepEqual(url?.valueFrom?.secretKeyRef, { name: "drmp-postgres", key: "url" });
      const data = manifests.map((each) => (each as { data?: Record<string, string> }).data?.["indexer.json"]);
      const config = indexerConfig.parse(JSON.parse(data.find((text) => text !== undefined) ?? ""));
      assert.equal(config.database?.postgresUrlEnv, url?.name);
      assert.deepEqual(
        databaseOf(config, { DRMP_POSTGRES_URL: "postgres://drmp:1@drmp-postgres:5432/drmp" }).kind,
        "postgres",
      );
      const policyOf = (of: string) => {
        const found = manifests.find(({ kind, metadata }) => kind === "NetworkPolicy" && metadata?.name === of);
        return (found as { spec?: V1NetworkPolicySpec } | undefined)?.spec;
      };
      const from = [{ podSelector: { matchLabels: { "app.kubernetes.io/name": "drmp-indexer" } } }];
      const { ingress, egress } = policyOf("drmp-postgres") ?? {};
      assert.deepEqual([ingress, egress], [[{ from, ports: [{ protocol: "TCP", port: 5432 }] }], undefined]);
      assert.ok(policyOf("drmp-indexer")?.egress?.some(({ ports }) => ports?.some(({ port }) => port === 5432)));
      assert.ok(!manifests.some(({ kind }) => kind === "Secret"));
    },
  );
}

test("the compose file: not root, read-only, nothing added", () => {
  const { services } = parse(readFileSync(join(DEPLOY, "compose.yaml"), "utf8"), { merge: true }) as {
    services: Record<string, Service>;
  };
  const dockerfile = readFileSync(join(DEPLOY, "images/Dockerfile"), "utf8");
  for (const [name, service] of Object.entries(services)) {
    if (service.build) assert.match(dockerfile, new RegExp(`^FROM \\S+ AS ${service.build.target}$`, "m"));
    else assert.match(service.image, /^docker\.io\/library\/postgres:\d+\.\d+-/);
    if (name === "trainer") continue;
    assert.equal(service.read_only, true, name);
    assert.deepEqual(service.cap_drop, ["ALL"], name);
    assert.match(service.user ?? "", /^\$\{DRMP_UID/, name);
  }
});

interface Service {
  readonly image: string;
  readonly build?: { readonly target: string };
  readonly read_only?: boolean;
  readonly cap_drop?: readonly string[];
  readonly user?: string;
  readonly profiles?: readonly string[];
  readonly ports?: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
  readonly volumes?: readonly string[];
}

test("the compose file: page, history, its database and a sponsor, each by its profile, at the ports that the guide names", () => {
  const { services } = parse(readFileSync(join(DEPLOY, "compose.yaml"), "utf8"), { merge: true }) as {
    services: Record<string, Service>;
  };
  const guide = readFileSync(join(DEPLOY, "../docs/guides/containers.md"), "utf8");
  for (const [name, port] of [
    ["web", 8600],
    ["indexer", indexerConfig.shape.api.parse({}).port],
    ["sponsor", sponsorConfig.shape.api.parse({}).port],
  ] as const) {
    const { profiles, ports } = services[name] ?? assert.fail(name);
    assert.deepEqual([profiles, ports], [[name], [`${String(port)}:${String(port)}`]], name);
    assert.match(guide, new RegExp(`--profile ${name}\\b`), name);
    assert.match(guide, new RegExp(`\\b${String(port)}\\b`), name);
  }
  // The service that pays has keys; those that only read have none.
  const mounts = (name: string) => (services[name]?.volumes ?? []).map((volume) => volume.split(":")[1]);
  assert.ok(mounts("sponsor").includes("/keys"));
  for (const name of ["web", "indexer", "postgres"]) assert.ok(!mounts(name).includes("/keys"), name);
  const { postgres, indexer } = services;
  assert.deepEqual([postgres?.profiles, postgres?.ports], [["postgres"], undefined], "nobody from outside reaches it");
  // One user, password and database on both sides, and what the indexer takes for an address of PostgreSQL.
  const {
    POSTGRES_USER: user = "",
    POSTGRES_DB: name = "",
    POSTGRES_PASSWORD: password = "",
  } = postgres?.environment ?? {};
  const url = indexer?.environment?.["DRMP_POSTGRES_URL"] ?? "";
  assert.equal(url, `postgres://${user}:${password}@postgres:5432/${name}`);
  const database = { postgresUrlEnv: "DRMP_POSTGRES_URL", connections: 10 };
  assert.equal(databaseOf({ database, dataDir: "/data" }, { DRMP_POSTGRES_URL: url }).kind, "postgres");
});
