/**
 * Builds the images of deploy/images with the Docker on this machine.
 *
 *     npm run images                                  trainer, keepers, agent, indexer, web and sponsor, as drmp/…, tagged with the version
 *     npm run images -- --prefix ghcr.io/me/drmp- --tag 1.2
 *     npm run images -- trainer-python                drmp/trainer-python; also trainer-python-cuda
 *     npm run images -- --base docker.io/library/node@sha256:... trainer
 *     npm run images -- --archives images             archives that are the same each time, with what each is made of, built by Buildah
 */
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";

import { EXIT, programOf } from "@verai/process/program";
import { archive, hasBuildah } from "./images/archive.ts";

const TARGETS = ["trainer", "keepers", "agent", "indexer", "web", "sponsor"];
/** Those with a Dockerfile of their own, which are built only when named. */
const FILES: Readonly<Record<string, string>> = {
  "trainer-python": "deploy/images/python/Dockerfile",
  "trainer-python-cuda": "deploy/images/python/Dockerfile.cuda",
};

interface Options {
  readonly prefix: string;
  readonly tag: string;
  readonly base?: string;
  readonly docker: string;
  readonly archives?: string;
}
const NAMES = [...TARGETS, ...Object.keys(FILES)];
const { version } = JSON.parse(readFileSync(new URL("../package.json", import.meta.url), "utf8")) as {
  version: string;
};

programOf("images", "Builds the images of deploy/images with the Docker on this machine")
  .argument("[images...]", `which ones: ${NAMES.join(", ")}`, TARGETS)
  .option("--prefix <text>", "what the images' names begin with", "drmp/")
  .option("--tag <tag>", "their tag", version)
  .option("--base <image>", "Node's image, best by digest; by default the one that the Dockerfile names")
  .option("--docker <program>", "docker, or podman", "docker")
  .option(
    "--archives <folder>",
    "writes OCI archives, the same each time, with bills of materials; by Buildah, on Linux",
  )
  .action((images: string[], options: Options) => {
    const unknown = images.find((image) => !NAMES.includes(image));
    if (unknown !== undefined) {
      process.stderr.write(`There is no image "${unknown}": name some of ${NAMES.join(", ")}.\n`);
      process.exitCode = EXIT.usage;
      return;
    }
    const time = run("git", ["log", "-1", "--format=%ct"], true).trim();
    if (options.archives !== undefined && !hasBuildah()) {
      process.stderr.write(
        "Archives are built by buildah, which is not installed (Debian: apt-get install buildah).\n",
      );
      process.exitCode = EXIT.failed;
      return;
    }
    for (const image of images) {
      if (options.archives !== undefined) {
        const { file, digest } = archive(
          {
            name: image,
            dockerfile: FILES[image] ?? "deploy/images/Dockerfile",
            reference: `${options.prefix}${image}:${options.tag}`,
            epoch: time,
            ...(FILES[image] === undefined && { target: image }),
            ...(options.base !== undefined && { base: options.base }),
          },
          options.archives,
        );
        process.stdout.write(`${file}: ${digest}\n`);
        continue;
      }
      run(options.docker, [
        ...["build", "--file", FILES[image] ?? "deploy/images/Dockerfile"],
        ...(FILES[image] === undefined ? ["--target", image] : []),
        ...["--tag", `${options.prefix}${image}:${options.tag}`],
        ...(options.base === undefined ? [] : ["--build-arg", `NODE_IMAGE=${options.base}`]),
        // Read by builders that can set all times to that of the commit.
        ...["--build-arg", `SOURCE_DATE_EPOCH=${time}`, "."],
      ]);
    }
  })
  .parse();

/** Runs a program; ends this one with its exit code if it fails. */
function run(program: string, args: string[], quiet = false): string {
  const { status, stdout, error } = spawnSync(program, args, {
    stdio: ["ignore", quiet ? "pipe" : "inherit", "inherit"],
    encoding: "utf8",
    cwd: new URL("..", import.meta.url),
  });
  if (status === 0) return stdout ?? "";
  process.stderr.write(`${program} ${args.join(" ")} failed${error ? `: ${error.message}` : ""}\n`);
  process.exit(status ?? 1);
}
