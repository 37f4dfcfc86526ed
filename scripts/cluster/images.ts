import { spawnSync } from "node:child_process";
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import { packRootFs, removeRootFs } from "../../test/support/root-fs.ts";
import { ROOT } from "../check/files.ts";
import { hasBuildah } from "../images/archive.ts";

const HOME = join(ROOT, ".data/cluster/images");
const DOCKERFILE = "deploy/images/Dockerfile";
/** What the overlays name them. */
const PREFIX = "ghcr.io/verai/drmp-";
const IMAGES = ["agent", "trainer"];
/** Longest run of one command of Buildah, milliseconds: some minutes are usual. */
const BUILD_MS = 1_800_000;

/** Why the product's images cannot be built here; undefined if they can. */
export function whyNoImages(): string | undefined {
  return hasBuildah()
    ? undefined
    : "buildah, which builds the product's images, not found (Debian: apt-get install buildah)";
}

/**
 * Builds the images that agents and units of the overlays run, from the real Dockerfile; in the place of Node's image stands one of this
 * machine's programs. What has not changed since the last time is taken from there.
 *
 * @returns Folder of the archives.
 */
export async function buildImages(): Promise<string> {
  mkdirSync(HOME, { recursive: true });
  const settings = join(HOME, "storage.conf");
  const [graph, running] = [join(HOME, "root"), join(HOME, "run")];
  writeFileSync(settings, `[storage]\ndriver = "overlay"\ngraphroot = "${graph}"\nrunroot = "${running}"\n`);
  const buildah = (...args: string[]) => {
    const env = { ...process.env, CONTAINERS_STORAGE_CONF: settings, BUILDAH_ISOLATION: "chroot" };
    const { status, stdout, stderr, error } = spawnSync("buildah", args, {
      cwd: ROOT,
      env,
      encoding: "utf8",
      maxBuffer: 1 << 26,
      timeout: BUILD_MS,
    });
    if (status !== 0) throw new Error(`buildah ${args.join(" ")}: ${error?.message ?? stderr.slice(-3000)}`);
    return stdout.trim();
  };
  const base = /^ARG NODE_IMAGE=(\S+)$/m.exec(readFileSync(join(ROOT, DOCKERFILE), "utf8"))?.[1] ?? "";
  if (!buildah("images", "--format", "{{.Name}}:{{.Tag}}").split("\n").includes(base)) {
    const tar = await packRootFs();
    const container = buildah("from", "scratch");
    buildah("add", "--quiet", container, tar, "/");
    const environment = ["PATH=/usr/local/bin:/bin", "NODE_EXTRA_CA_CERTS=/etc/ssl/certs/ca-certificates.crt"];
    buildah("config", ...environment.flatMap((one) => ["--env", one]), container);
    buildah("commit", "--quiet", container, base);
    buildah("rm", container);
    await removeRootFs(tar);
  }
  const { version } = JSON.parse(readFileSync(join(ROOT, "package.json"), "utf8")) as { version: string };
  for (const name of IMAGES) {
    const reference = `${PREFIX}${name}:${version}`;
    buildah("build", "--layers", "--pull=never", "--file", DOCKERFILE, "--target", name, "--tag", reference, ".");
    const file = join(HOME, `${name}.tar`);
    rmSync(file, { force: true });
    buildah("push", "--quiet", reference, `docker-archive:${file}:${reference}`);
  }
  return HOME;
}
