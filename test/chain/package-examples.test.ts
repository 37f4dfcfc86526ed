import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";

import { expect } from "chai";

import { ROOT } from "@verai/devnet/processes";
import { buildPackage } from "../../packages/drmp/build/build.ts";
import { type ExampleChain, startExampleChain } from "../package/example-chain.ts";
import { examples, execute, SAYS } from "../package/project.ts";

describe("examples of the package's README, with the libraries of this repository", () => {
  let chain: ExampleChain;
  let folder: string;

  before(async () => {
    // Within the repository, so that its libraries are found.
    await mkdir(join(ROOT, ".data"), { recursive: true });
    folder = await mkdtemp(join(ROOT, ".data", "package-examples-"));
    await buildPackage(ROOT, join(folder, "node_modules", "@verai", "drmp"));
    for (const [name, text] of await examples()) await writeFile(join(folder, name), text);
    chain = await startExampleChain();
  });

  after(async () => {
    await chain.close();
    await rm(folder, { recursive: true, force: true });
  });

  for (const name of ["ethers.ts", "viem.ts", "quote.ts", "enums.ts"] as const) {
    it(`${name} runs as it stands`, async () => {
      const said = await execute(folder, process.execPath, [name], chain.environment);
      for (const each of SAYS[name]) expect(said).to.match(each);
    });
  }
});
