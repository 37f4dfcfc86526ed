import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { ROOT } from "../check/files.ts";
import { findPython, PYTHON_WANTED, pythonEnvironment } from "../python/environment.ts";
import { run } from "../release/run.ts";

/** An image as it would be published. */
export interface Archive {
  /** The OCI archive. */
  readonly file: string;
  /** What it is made of, as CycloneDX. */
  readonly bill: string;
  /** Of its manifest: what a reference by digest names. */
  readonly digest: string;
}

/** What is built. */
export interface Recipe {
  readonly name: string;
  readonly dockerfile: string;
  readonly target?: string;
  /** The image's name and tag. */
  readonly reference: string;
  /** Node's image; the Dockerfile's own if left out. */
  readonly base?: string;
  /** Time of every file and of the image, seconds since 1970. */
  readonly epoch: string;
}

/**
 * Builds an image with Buildah and writes it as an OCI archive that is the same, to the byte, each time: every file has the time of the
 * commit, nothing is taken from earlier builds, and the archive is packed in one order.
 *
 * @param folder Where the archive is written.
 */
export function archive({ name, dockerfile, target, reference, base, epoch }: Recipe, folder: string): Archive {
  mkdirSync(folder, { recursive: true });
  const layout = mkdtempSync(join(tmpdir(), "drmp-image-"));
  try {
    run(
      "buildah",
      [
        ...["build", "--format", "oci", "--layers=false", "--pull=missing", "--timestamp", epoch],
        ...["--file", dockerfile, "--tag", reference],
        ...(target === undefined ? [] : ["--target", target]),
        ...(base === undefined ? [] : ["--build-arg", `NODE_IMAGE=${base}`]),
        ".",
      ],
      { cwd: ROOT, shown: true },
    );
    run("buildah", ["push", "--quiet", reference, `oci:${layout}:${reference.split(":").at(-1) ?? "latest"}`]);
    const file = join(folder, `${name}.tar`);
    const same = [
      "--sort=name",
      `--mtime=@${epoch}`,
      "--owner=0",
      "--group=0",
      "--numeric-owner",
      "--mode=u=rwX,go=rX",
    ];
    run("tar", ["--create", "--file", file, "--directory", layout, ...same, "."]);
    const index = JSON.parse(readFileSync(join(layout, "index.json"), "utf8")) as {
      manifests: readonly { readonly digest: string }[];
    };
    const digest = index.manifests[0]?.digest;
    if (digest === undefined) throw new Error(`${layout} has no manifest.`);
    const bill = join(folder, `${name}.cdx.json`);
    writeFileSync(bill, billOf(layout, name, epoch));
    return { file, bill, digest };
  } finally {
    rmSync(layout, { recursive: true, force: true });
  }
}

/** What lies in an image: packages of npm, of its distribution, and programs that are known, as Syft finds them. */
function billOf(layout: string, name: string, epoch: string): string {
  const python = findPython();
  if (python === undefined) throw new Error(`A bill of materials needs ${PYTHON_WANTED}.`);
  const tools = pythonEnvironment(python, "images", join(ROOT, "scripts", "images", "requirements.txt"));
  const args = ["scan", `oci-dir:${layout}`, "--quiet", "--source-name", name, "--output", "cyclonedx-json"];
  return steadyBill(run(join(tools, "bin", "syft"), args, { env: { SYFT_CHECK_FOR_APP_UPDATE: "false" } }), epoch);
}

/** A bill without what differs from run to run: its number, and the time at which it was made. Pure. */
function steadyBill(text: string, epoch: string): string {
  const bill = JSON.parse(text) as { serialNumber?: string; metadata: { timestamp: string } };
  delete bill.serialNumber;
  bill.metadata.timestamp = new Date(Number(epoch) * 1000).toISOString();
  return `${JSON.stringify(bill, null, 2)}\n`;
}

/** Whether images can be built here so that they are the same each time. */
export function hasBuildah(path = process.env["PATH"] ?? ""): boolean {
  return path.split(":").some((folder) => existsSync(join(folder, "buildah")));
}
