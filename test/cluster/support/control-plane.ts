import { execFile } from "node:child_process";
import { generateKeyPairSync, randomBytes } from "node:crypto";
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { Agent, get } from "node:https";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";

import {
  AppsV1Api,
  AutoscalingV2Api,
  BatchV1Api,
  CoreV1Api,
  CustomObjectsApi,
  KubeConfig,
  RbacAuthorizationV1Api,
} from "@kubernetes/client-node";

import { Daemon, freePort } from "./daemon.ts";

/** What `npm run test:cluster` hands on. */
const { DRMP_CLUSTER_BIN: binaries, DRMP_CLUSTER_DIR: own, DRMP_CLUSTER_ADDRESSES: addresses } = process.env;
const execute = promisify(execFile);
/** Service addresses: the first is that of the service `kubernetes`, see scripts/cluster/machine.ts. */
const SERVICES = "10.96.0.0/16";

/** Why the control plane cannot run here; false if it can. */
export const noControlPlane =
  binaries === undefined ? "run it by npm run test:cluster, which builds Kubernetes" : false;

/** Path of one of the cluster's programs, or of a definition of a custom resource. */
export function built(...path: string[]): string {
  return join(binaries ?? "", ...path);
}

/** A client of the API server, known by its token. */
interface User {
  readonly name: string;
  readonly token: string;
  readonly groups: readonly string[];
}

/** Which of the control plane's programs run, and how quickly they act. */
export interface ControlPlaneOptions {
  readonly scheduler?: boolean;
}

/**
 * The programs of a cluster's control plane: etcd, an API server with admission, roles and Pod Security as they are by default, the
 * controllers, and if wanted the scheduler. What they wait for is shortened: a machine counts as lost after twenty seconds.
 */
export class ControlPlane {
  readonly directory: string;
  readonly server: string;
  /** Certificates that the API server's is signed by. */
  readonly caFile: string;
  readonly admin: KubeConfig;
  readonly core: CoreV1Api;
  readonly batch: BatchV1Api;
  readonly apps: AppsV1Api;
  readonly autoscaling: AutoscalingV2Api;
  readonly custom: CustomObjectsApi;
  readonly roles: RbacAuthorizationV1Api;
  readonly #users: readonly User[];
  readonly #daemons: readonly Daemon[];
  readonly #temporary: boolean;

  private constructor(
    at: Pick<ControlPlane, "directory" | "server" | "caFile">,
    users: readonly User[],
    daemons: readonly Daemon[],
    temporary: boolean,
  ) {
    this.directory = at.directory;
    this.server = at.server;
    this.caFile = at.caFile;
    this.#users = users;
    this.#daemons = daemons;
    this.#temporary = temporary;
    this.admin = this.config(this.#user("admin").token);
    this.core = this.admin.makeApiClient(CoreV1Api);
    this.batch = this.admin.makeApiClient(BatchV1Api);
    this.apps = this.admin.makeApiClient(AppsV1Api);
    this.autoscaling = this.admin.makeApiClient(AutoscalingV2Api);
    this.custom = this.admin.makeApiClient(CustomObjectsApi);
    this.roles = this.admin.makeApiClient(RbacAuthorizationV1Api);
  }

  static async start({ scheduler = false }: ControlPlaneOptions = {}): Promise<ControlPlane> {
    const directory =
      own === undefined ? mkdtempSync(join(tmpdir(), "drmp-cluster-")) : mkdtempSync(join(own, "plane-"));
    const at = (name: string) => join(directory, name);
    // Other users may read what they are given.
    chmodSync(directory, 0o711);
    const users = [
      { name: "admin", groups: ["system:masters"] },
      { name: "system:kube-controller-manager", groups: ["system:masters"] },
      { name: "system:kube-scheduler", groups: [] },
      ...NODES.map((name) => ({ name: `system:node:${name}`, groups: ["system:nodes"] })),
    ].map((user) => ({ ...user, token: randomBytes(16).toString("hex") }));
    const lines = users.map(({ name, token, groups }) => `${token},${name},${name},"${groups.join(",")}"`);
    writeFileSync(at("tokens.csv"), `${lines.join("\n")}\n`, { mode: 0o600 });
    const { privateKey, publicKey } = generateKeyPairSync("rsa", {
      modulusLength: 2048,
      privateKeyEncoding: { type: "pkcs1", format: "pem" },
      publicKeyEncoding: { type: "spki", format: "pem" },
    });
    writeFileSync(at("service-accounts.key"), privateKey, { mode: 0o600 });
    writeFileSync(at("service-accounts.pub"), publicKey);
    const daemons: Daemon[] = [];
    const start = (name: string, args: readonly string[]) => {
      const daemon = Daemon.start(name, built(name), args, directory);
      daemons.push(daemon);
      return daemon;
    };
    // In a network of its own every address is the cluster's; elsewhere nothing listens but on loopback.
    const [outer] = (addresses ?? "").split(",");
    const apart = outer !== undefined && outer !== "";
    const port = apart ? 6443 : await freePort();
    const [clients, peers] = [await freePort(), await freePort()].map((each) => `http://127.0.0.1:${String(each)}`);
    const server = `https://${apart ? "localhost" : "127.0.0.1"}:${String(port)}`;
    const caFile = at("apiserver/apiserver.crt");
    try {
      start("etcd", [
        ...[`--data-dir=${at("etcd")}`, `--listen-client-urls=${clients}`, `--advertise-client-urls=${clients}`],
        ...[
          `--listen-peer-urls=${peers}`,
          `--initial-advertise-peer-urls=${peers}`,
          `--initial-cluster=default=${peers}`,
        ],
        // Nothing of it outlives the test.
        "--unsafe-no-fsync",
      ]);
      const api = start("kube-apiserver", [
        ...[`--etcd-servers=${clients}`, `--secure-port=${String(port)}`, `--cert-dir=${at("apiserver")}`],
        ...[`--bind-address=${apart ? "0.0.0.0" : "127.0.0.1"}`, `--advertise-address=${apart ? outer : "192.0.2.1"}`],
        ...[`--service-cluster-ip-range=${SERVICES}`, "--endpoint-reconciler-type=none"],
        ...[`--token-auth-file=${at("tokens.csv")}`, "--authorization-mode=Node,RBAC"],
        `--service-account-issuer=https://kubernetes.default.svc`,
        `--service-account-key-file=${at("service-accounts.pub")}`,
        `--service-account-signing-key-file=${at("service-accounts.key")}`,
        // Extensions are found without kube-proxy, by their endpoints.
        "--enable-aggregator-routing=true",
        // There is no name service.
        "--kubelet-preferred-address-types=InternalIP",
        "--default-not-ready-toleration-seconds=2",
        "--default-unreachable-toleration-seconds=2",
      ]);
      await api.ready(async () => existsSync(caFile) && (await answersOk(`${server}/readyz`, caFile, users[0]?.token)));
      const plane = new ControlPlane({ directory, server, caFile }, users, daemons, own === undefined);
      start("kube-controller-manager", [
        ...[`--kubeconfig=${plane.kubeconfig("system:kube-controller-manager")}`, "--leader-elect=false"],
        ...[`--root-ca-file=${caFile}`, `--service-account-private-key-file=${at("service-accounts.key")}`],
        ...["--bind-address=127.0.0.1", `--secure-port=${String(await freePort())}`],
        ...["--node-monitor-period=1s", "--node-monitor-grace-period=20s"],
        "--horizontal-pod-autoscaler-sync-period=2s",
      ]);
      if (scheduler) {
        start("kube-scheduler", [
          ...[`--kubeconfig=${plane.kubeconfig("system:kube-scheduler")}`, "--leader-elect=false"],
          ...["--bind-address=127.0.0.1", `--secure-port=${String(await freePort())}`],
        ]);
      }
      return plane;
    } catch (error) {
      for (const daemon of daemons.reverse()) await daemon.kill();
      if (own === undefined) rmSync(directory, { recursive: true, force: true });
      throw error;
    }
  }

  /** A client's configuration, by token. */
  config(token: string): KubeConfig {
    const config = new KubeConfig();
    config.loadFromClusterAndUser(
      { name: "cluster", server: this.server, caFile: this.caFile, skipTLSVerify: false },
      { name: "user", token },
    );
    return config;
  }

  /** Writes a kubeconfig file for one of the cluster's own users, or for a token. @returns its path. */
  kubeconfig(user: string, token = this.#user(user).token, server = this.server): string {
    const file = join(this.directory, `${user.replaceAll(":", "-")}.kubeconfig`);
    const config = {
      ...{ apiVersion: "v1", kind: "Config", "current-context": "cluster" },
      clusters: [{ name: "cluster", cluster: { server, "certificate-authority": this.caFile } }],
      users: [{ name: "user", user: { token } }],
      contexts: [{ name: "cluster", context: { cluster: "cluster", user: "user" } }],
    };
    writeFileSync(file, JSON.stringify(config), { mode: 0o600 });
    return file;
  }

  /** A token of a service account, as its pods have one. */
  async tokenOf(namespace: string, name: string): Promise<string> {
    const { status } = await this.core.createNamespacedServiceAccountToken({
      ...{ namespace, name },
      body: { spec: { audiences: ["https://kubernetes.default.svc"], expirationSeconds: 7200 } },
    });
    if (status?.token === undefined) throw new Error(`no token for ${namespace}/${name}`);
    return status.token;
  }

  /** Runs kubectl as the cluster's owner. @returns what it printed. @throws with what it said, if it fails. */
  async kubectl(...args: string[]): Promise<string> {
    // What it remembers of a server is not another cluster's at the same address.
    const own = ["--kubeconfig", this.kubeconfig("admin"), "--cache-dir", join(this.directory, "kubectl")];
    // Not waited for in place: this process may be what it waits for.
    const { stdout } = await execute(built("kubectl"), [...own, ...args], { timeout: 600_000, maxBuffer: 1 << 26 });
    return stdout;
  }

  /** What the programs said last, for a test that failed. */
  words(): string {
    return this.#daemons.map((daemon) => `--- ${daemon.name}\n${daemon.words()}`).join("\n");
  }

  async stop(): Promise<void> {
    for (const daemon of [...this.#daemons].reverse()) await daemon.stop();
    if (this.#temporary) rmSync(this.directory, { recursive: true, force: true });
  }

  #user(name: string): User {
    const found = this.#users.find((user) => user.name === name);
    if (!found) throw new Error(`no user ${name}`);
    return found;
  }
}

/** Names of the machines that a cluster may have. */
export const NODES = ["node-0", "node-1"];

/** Longest wait for an answer about health. */
const ANSWER_MS = 5_000;

async function answersOk(url: string, caFile: string, token = ""): Promise<boolean> {
  const agent = new Agent({ ca: readFileSync(caFile) });
  return new Promise((resolve, reject) => {
    const request = get(
      url,
      { agent, headers: { authorization: `Bearer ${token}` }, timeout: ANSWER_MS },
      (response) => {
        response.resume();
        resolve(response.statusCode === 200);
      },
    );
    request
      .on("error", reject)
      .on("timeout", () => request.destroy(new Error(`no answer within ${String(ANSWER_MS)} ms`)));
  });
}
