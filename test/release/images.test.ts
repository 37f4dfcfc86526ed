/**
 * Builds the real Dockerfile's images twice, and compares every byte; shows that their bills of materials name what is in them. In the place
 * of Node's image stands one of this machine's programs. Skips where Buildah is not installed.
 */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";

import { packRootFs, removeRootFs } from "../support/root-fs.ts";

const skip = whyNot();
const TARGETS = ["trainer", "keepers", "agent", "indexer"] as const;
const EPOCH = "1764000000";
/** Where Buildah keeps this test's images: nothing of the machine's own. */
let storage: string;

before(async () => {
  if (skip) return;
  storage = await mkdtemp(join(tmpdir(), "drmp-buildah-"));
  const settings = `[storage]\ndriver = "vfs"\ngraphroot = "${storage}/root"\nrunroot = "${storage}/run"\n`;
  await writeFile(join(storage, "storage.conf"), settings);
  // In a container of another engine there is no other isolation; it has the machine's network, for npm ci.
  Object.assign(process.env, { CONTAINERS_STORAGE_CONF: join(storage, "storage.conf"), BUILDAH_ISOLATION: "chroot" });
  await importBase();
});
after(async () => {
  if (!skip) await rm(storage, { recursive: true, force: true });
});

/** An image of this machine's Node under the name that the Dockerfile gives. */
async function importBase(): Promise<void> {
  const dockerfile = await readFile("deploy/images/Dockerfile", "utf8");
  const [, name = ""] = /^ARG NODE_IMAGE=(\S+)$/m.exec(dockerfile) ?? [];
  const tar = await packRootFs();
  const container = buildah("from", "scratch");
  buildah("add", "--quiet", container, tar, "/");
  const environment = ["PATH=/usr/local/bin:/bin", "NODE_EXTRA_CA_CERTS=/etc/ssl/certs/ca-certificates.crt"];
  buildah("config", ...environment.flatMap((one) => ["--env", one]), container);
  buildah("commit", "--quiet", "--timestamp", EPOCH, container, name);
  buildah("rm", container);
  await removeRootFs(tar);
}

function buildah(...args: string[]): string {
  return run("buildah", ...args).trim();
}

function run(program: string, ...args: string[]): string {
  const { status, stdout, stderr } = spawnSync(program, args, { encoding: "utf8", maxBuffer: 1 << 26 });
  assert.equal(status, 0, `${program} ${args.join(" ")}: ${stderr}`);
  return stdout;
}

/** Why images cannot be built here; false if they can. */
function whyNot(): string | false {
  if (spawnSync("buildah", ["--version"]).status !== 0)
    return "buildah is not installed (Debian: apt-get install buildah)";
  return process.getuid?.() === 0 ? false : "Buildah has to be root to write as the images' users";
}

async function sha256(file: string): Promise<string> {
  const hash = createHash("sha256");
  for await (const chunk of createReadStream(file)) hash.update(chunk as Buffer);
  return hash.digest("hex");
}

for (const target of TARGETS) {
  test(`the image "${target}" is the same, to the byte, when it is built again`, { skip }, async () => {
    const build = (folder: string): { file: string; bill: string; digest: string } => {
      const where = join(storage, folder);
      const said = run(process.execPath, "scripts/images.ts", "--tag", "test", "--archives", where, target);
      const [, digest = ""] = /: (sha256:[0-9a-f]{64})$/m.exec(said) ?? [];
      assert.notEqual(digest, "", said);
      return { file: join(where, `${target}.tar`), bill: join(where, `${target}.cdx.json`), digest };
    };
    const [first, second] = [build("first"), build("second")];
    assert.equal(first.digest, second.digest);
    assert.equal(await sha256(first.file), await sha256(second.file), "archive");
    assert.equal(await readFile(first.bill, "utf8"), await readFile(second.bill, "utf8"), "bill of materials");

    const bill = JSON.parse(await readFile(first.bill, "utf8")) as {
      bomFormat: string;
      components: readonly { name: string; version?: string; purl?: string }[];
    };
    assert.equal(bill.bomFormat, "CycloneDX");
    const { packages } = JSON.parse(await readFile("package-lock.json", "utf8")) as {
      packages: Record<string, { version: string }>;
    };
    const wanted = target === "trainer" ? "mnist" : "ethers";
    const found = bill.components.find(({ name, purl }) => name === wanted && purl?.startsWith("pkg:npm/") === true);
    assert.equal(found?.version, packages[`node_modules/${wanted}`]?.version, wanted);
    await rm(first.file);
    await rm(second.file);
  });
}
