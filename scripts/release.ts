/**
 * Makes a release: `npm run release -- <version> --dry-run`, then without `--dry-run`.
 *
 *     --dry-run      signs with a key made for it, and leaves the repository as it is
 *     --key <file>   SSH key that signs; by default Git's user.signingKey
 *     --no-images    leaves the images out
 *     --base <image> Node's image, by digest
 *
 * The commit is cloned, given the version and the date of the commit, and built from its lockfile: nothing of this folder but what is
 * committed gets into it. Each package is built twice and must come out equal to the byte. What is made lies in
 * `.data/release/<version>`: the packages, images with their bills of materials, `contracts.json` with what each contract's code is,
 * the notes, and `SHA256SUMS` with its signature. Without `--dry-run` the commit and its signed tag come into this repository, and the
 * commands that publish are shown; nothing is published by this program.
 */
import { createHash } from "node:crypto";
import { cpSync, globSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import { Output } from "@verai/devnet/output";
import { EXIT, messageOf, programOf } from "@verai/process/program";
import { ROOT } from "./check/files.ts";
import { findPython, PYTHON_WANTED, pythonEnvironment } from "./python/environment.ts";
import { type ReleasedArtifact, releasedContracts } from "./release/contracts.ts";
import { run } from "./release/run.ts";
import { type SigningKey, signFile, signTag, throwawayKey } from "./release/signing.ts";
import { NAMES_VERSION, releaseChangelog, tooSmallAStep, withVersion } from "./release/version.ts";

interface Options {
  readonly dryRun: boolean;
  readonly key?: string;
  readonly images: boolean;
  readonly base?: string;
}

const output = new Output();

programOf("release", "Makes a release: packages, images, checksums and a signed tag")
  .argument("<version>", "the version, such as 0.2.0")
  .option("--dry-run", "signs with a key made for it, and leaves the repository as it is", false)
  .option("--key <file>", "SSH key that signs; by default Git's user.signingKey")
  .option("--no-images", "leaves the images out")
  .option("--base <image>", "Node's image, by digest")
  .action((version: string, options: Options) => {
    try {
      release(version, options);
    } catch (error) {
      process.stderr.write(`${messageOf(error)}\n`);
      process.exitCode = EXIT.failed;
    } finally {
      output.close();
    }
  })
  .parse();

function release(version: string, options: Options): void {
  const tag = `v${version}`;
  if (!options.dryRun && git(ROOT, "status", "--porcelain") !== "")
    throw new Error(
      "There are changes that are not committed: commit them, or add --dry-run, which looks at the last commit.",
    );
  if (git(ROOT, "tag", "--list", tag) !== "") throw new Error(`The tag ${tag} exists already: take another version.`);
  const key = options.dryRun ? throwawayKey() : ownKey(options.key);
  try {
    const folder = join(ROOT, ".data", "release", version);
    const tree = join(folder, "tree");
    const made = join(folder, "made");
    rmSync(folder, { recursive: true, force: true });
    mkdirSync(made, { recursive: true });

    output.say("cloning the last commit, and giving it the version");
    run("git", ["clone", "--quiet", "--no-hardlinks", ROOT, tree]);
    const epoch = git(tree, "log", "-1", "--format=%ct");
    writeFileSync(join(made, "NOTES.md"), nameVersion(tree, version, new Date(Number(epoch) * 1000)));

    output.say("installing what its lockfile names, and compiling the contracts");
    run("npm", ["ci", "--no-audit", "--no-fund"], { cwd: tree });
    const bin = join(tree, "node_modules", ".bin");
    run(join(bin, "hardhat"), ["build", "--no-tests", "--quiet"], { cwd: tree });
    run("npm", ["run", "--silent", "abi"], { cwd: tree });
    const changed = git(tree, "status", "--porcelain", "--", "packages/client");
    if (changed !== "")
      throw new Error(`The client's interfaces are not those of the contracts: npm run abi.\n${changed}`);
    writeJson(join(made, "contracts.json"), { version, contracts: releasedContracts(artifactsOf(tree)) });

    output.say("packing for npm and PyPI, twice");
    packForNpm(tree, made, bin);
    packForPython(tree, made, epoch);

    if (options.images) {
      output.say("building the images, with what they are made of");
      const base = options.base === undefined ? [] : ["--base", options.base];
      const build = ["scripts/images.ts", "--tag", version, "--archives", join(made, "images"), ...base];
      run(process.execPath, build, { cwd: tree, shown: true });
    }

    output.say("signing checksums and tag, and verifying both");
    const sums = join(made, "SHA256SUMS");
    writeFileSync(sums, checksums(made));
    signFile(sums, key);
    git(tree, "add", "--all");
    git(tree, ...authorOf(options.dryRun), "commit", "--quiet", "--message", `release: make version ${version}`);
    signTag(tree, tag, `Version ${version}`, key);

    for (const line of readFileSync(sums, "utf8").trim().split("\n")) output.say(line);
    if (options.dryRun) {
      output.say(`dry run: nothing was published, tagged or committed here; what was made is in ${made}`);
      return;
    }
    run("git", ["fetch", "--quiet", tree, "HEAD", `refs/tags/${tag}:refs/tags/${tag}`], { cwd: ROOT });
    run("git", ["merge", "--quiet", "--ff-only", "FETCH_HEAD"], { cwd: ROOT });
    output.say("To publish:");
    for (const line of publishing(version, made, options.images)) output.say(`  ${line}`);
  } finally {
    key.forget();
  }
}

/** Writes the version into a tree. @returns The notes of the release. */
function nameVersion(tree: string, version: string, date: Date): string {
  const { version: old } = JSON.parse(readFileSync(join(tree, "package.json"), "utf8")) as { version: string };
  const page = join(tree, "CHANGELOG.md");
  const { changelog, notes } = releaseChangelog(readFileSync(page, "utf8"), version, date.toISOString().slice(0, 10));
  const tooSmall = tooSmallAStep(old, version, notes);
  if (tooSmall !== undefined) throw new Error(tooSmall);
  writeFileSync(page, changelog);
  for (const file of globSync([...NAMES_VERSION], { cwd: tree })) {
    const text = readFileSync(join(tree, file), "utf8");
    const named = withVersion(text, file, old, version);
    if (named !== text) writeFileSync(join(tree, file), named);
  }
  return `# Version ${version}\n\n${notes}\n`;
}

/** Artifacts of our own contracts. */
function artifactsOf(tree: string): ReleasedArtifact[] {
  const files = globSync("artifacts/contracts/**/*.sol/*.json", { cwd: tree });
  return files.map((file) => JSON.parse(readFileSync(join(tree, file), "utf8")) as ReleasedArtifact);
}

function packForNpm(tree: string, made: string, bin: string): void {
  const pack = (): string => {
    const said = run("npm", ["run", "--silent", "package"], { cwd: tree });
    const [, file = ""] = /^(.+\.tgz): /m.exec(said) ?? [];
    return file;
  };
  const file = pack();
  const first = readFileSync(file);
  if (!first.equals(readFileSync(pack()))) throw new Error(`${file} is another when it is built again.`);
  run(join(bin, "publint"), ["--strict", file], { cwd: tree });
  run(join(bin, "attw"), [file, "--profile", "esm-only"], { cwd: tree });
  cpSync(file, join(made, file.split("/").at(-1) ?? "package.tgz"));
}

function packForPython(tree: string, made: string, epoch: string): void {
  const python = findPython();
  if (python === undefined) throw new Error(`The Python package needs ${PYTHON_WANTED}.`);
  const tools = join(pythonEnvironment(python, "tools", join(ROOT, "python", "requirements-dev.txt")), "bin");
  const build = (name: string): string[] => {
    const folder = join(tree, ".data", "python-package", name);
    run(join(tools, "pyproject-build"), ["--no-isolation", "--outdir", folder, "."], {
      cwd: join(tree, "python"),
      env: { SOURCE_DATE_EPOCH: epoch },
    });
    return readdirSync(folder)
      .sort()
      .map((file) => join(folder, file));
  };
  const [files, again] = [build("a"), build("b")];
  if (digestOf(files) !== digestOf(again)) throw new Error("The Python package is another when it is built again.");
  run(join(tools, "twine"), ["check", "--strict", ...files]);
  for (const file of files) cpSync(file, join(made, file.split("/").at(-1) ?? ""));
}

function digestOf(files: readonly string[]): string {
  const hash = createHash("sha256");
  for (const file of files) hash.update(readFileSync(file));
  return hash.digest("hex");
}

/** One line a file, as `sha256sum --check` reads it. */
function checksums(folder: string): string {
  const files = readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(folder.length + 1))
    .sort();
  return files.map((file) => `${digestOf([join(folder, file)])}  ${file}\n`).join("");
}

/** The key that Git signs with, or another one. */
function ownKey(file: string | undefined): SigningKey {
  const ask = (setting: string): string => run("git", ["-C", ROOT, "config", "--default", "", "--get", setting]).trim();
  const key = file ?? ask("user.signingKey");
  if (key === "") throw new Error("No key signs: name an SSH key with --key, or set Git's user.signingKey.");
  return { file: key, signer: ask("user.email"), forget: () => undefined };
}

/** Who commits in a dry run, where Git may know nobody. */
function authorOf(dryRun: boolean): string[] {
  return dryRun ? ["-c", "user.name=dry run", "-c", "user.email=dry-run@example.org"] : [];
}

/** The commands that publish what was made. */
function publishing(version: string, made: string, images: boolean): string[] {
  const archives = images ? readdirSync(join(made, "images")).filter((file) => file.endsWith(".tar")) : [];
  return [
    `git push origin HEAD v${version}`,
    `npm publish ${join(made, `verai-drmp-${version}.tgz`)} --provenance`,
    `twine upload ${join(made, "drmp-*")}`,
    ...archives.map((file) => {
      const name = file.replace(/\.tar$/, "");
      return `skopeo copy oci-archive:${join(made, "images", file)} docker://ghcr.io/verai/drmp-${name}:${version}`;
    }),
  ];
}

function writeJson(file: string, value: object): void {
  writeFileSync(file, `${JSON.stringify(value, null, 2)}\n`);
}

function git(repository: string, ...args: readonly string[]): string {
  return run("git", ["-C", repository, ...args]).trim();
}
