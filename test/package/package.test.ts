import assert from "node:assert/strict";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";

import { ROOT } from "@verai/devnet/processes";
import { buildPackage, packPackage } from "../../packages/drmp/build/build.ts";
import { type ExampleChain, startExampleChain } from "./example-chain.ts";
import { examples, execute, makeProject, registryMissing, SAYS, typecheck } from "./project.ts";

/** Of which the examples are known to run. */
const WEB3 = "web3==8.0.0";

const BIN = join(ROOT, "node_modules", ".bin");

const skip = await registryMissing();
if (skip !== false) console.warn(`SKIPPED: ${skip}`);

describe("a stranger's project", { skip }, () => {
  let folder: string;
  let tarball: string;
  let project: string;
  let chain: ExampleChain;

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), "drmp-stranger-"));
    await buildPackage(ROOT, join(folder, "built"));
    ({ file: tarball } = await packPackage(join(folder, "built"), folder));
    project = join(folder, "project");
    await mkdir(project);
    await makeProject(project, tarball);
    chain = await startExampleChain();
  });

  after(async () => {
    await chain.close();
    await rm(folder, { recursive: true, force: true });
  });

  test("the tarball is as publint and attw want it", async () => {
    await execute(folder, join(BIN, "publint"), ["--strict", tarball]);
    // ESM alone, on purpose.
    await execute(folder, join(BIN, "attw"), [tarball, "--profile", "esm-only"]);
  });

  for (const resolution of ["bundler", "nodenext"] as const) {
    test(`its types hold, strictly, with moduleResolution ${resolution}`, async () => {
      await typecheck(project, resolution);
      // The check checks: what is wrong is found.
      await writeFile(join(project, "wrong.ts"), WRONG);
      await assert.rejects(typecheck(project, resolution), /wrong\.ts\(3,.*wrong\.ts\(4,/s);
      await rm(join(project, "wrong.ts"));
    });
  }

  for (const name of ["ethers.ts", "viem.ts", "quote.ts", "enums.ts"] as const) {
    test(`${name} runs as it stands`, async () => {
      const said = await execute(project, process.execPath, [name], chain.environment);
      for (const each of SAYS[name]) assert.match(said, each);
    });
  }

  test("web3_py.py runs as it stands", async (context) => {
    const python = join(folder, "venv", "bin", "python");
    const missing = await execute(folder, "python3", ["-m", "venv", "venv"])
      .then(() => execute(folder, python, ["-m", "pip", "install", "--quiet", WEB3]))
      .then(
        () => undefined,
        (error: unknown) => String(error),
      );
    if (missing !== undefined) {
      console.warn(`SKIPPED: the example for web3.py needs python3 with venv, and ${WEB3} from PyPI: ${missing}`);
      context.skip(missing);
      return;
    }
    assert.ok((await examples()).has("web3_py.py"));
    const said = await execute(project, python, ["web3_py.py"], chain.environment);
    for (const each of SAYS["web3_py.py"]) assert.match(said, each);
  });
});

const WRONG = `import { addressesOn, addressOf } from "@verai/drmp";
import type { Contracts } from "@verai/drmp/ethers";
addressOf(addressesOn(1), "Nobody");
export const wrong = (contracts: Contracts) => contracts.tasks.submitWithoutEscrow();
`;
