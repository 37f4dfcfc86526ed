import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";

import { temporaryDirectory } from "../testing.ts";
import { credentialsFor, type NodeRegistry, registryFor, registryOf } from "./registries.ts";

const DIGEST = `@sha256:${"ab".repeat(32)}`;
const ANN = "0x00000000000000000000000000000000000000AA";

function registry(prefix: string, changes: Partial<NodeRegistry> = {}): NodeRegistry {
  return { prefix, username: "node", passwordFile: "/nowhere/pass", developers: "anyone", ...changes };
}

test("an image's registry is read as engines read it", () => {
  for (const [image, expected] of [
    ["registry.example:5000/lab/trainer", "registry.example:5000"],
    ["localhost/trainer", "localhost"],
    ["lab/trainer", "docker.io"],
    ["trainer", "docker.io"],
  ] as const) {
    assert.equal(registryOf(image + DIGEST), expected);
  }
});

test("the node's registry with the longest prefix that ends with a part of the name is taken", () => {
  const [all, lab] = [registry("registry.example"), registry("registry.example/lab")];
  const given = [all, lab, registry("docker.io/team")];
  assert.equal(registryFor(`registry.example/lab/trainer${DIGEST}`, undefined, given), lab);
  assert.equal(registryFor(`registry.example/laboratory/trainer${DIGEST}`, undefined, given), all);
  assert.equal(registryFor(`registry.example.org/lab/trainer${DIGEST}`, undefined, given), undefined);
  assert.equal(registryFor(`team/trainer${DIGEST}`, undefined, given), given[2]);
});

test("credentials that are for named developers are nobody else's", () => {
  const given = [registry("registry.example", { developers: [ANN] })];
  const image = `registry.example/trainer${DIGEST}`;
  assert.equal(registryFor(image, ANN.toLowerCase(), given), given[0]);
  assert.equal(registryFor(image, "0x00000000000000000000000000000000000000bb", given), undefined);
  assert.equal(registryFor(image, undefined, given), undefined);
});

test("the developer's credentials go before the node's, whose file is read each time", async (context) => {
  const passwordFile = join(await temporaryDirectory(context), "pass");
  const given = [registry("registry.example", { passwordFile })];
  const image = `registry.example/trainer${DIGEST}`;
  await assert.rejects(
    credentialsFor({ image }, undefined, given),
    /The password for registry\.example cannot be read/,
  );
  for (const password of ["one", "two"]) {
    await writeFile(passwordFile, `${password}\n`);
    assert.deepEqual(await credentialsFor({ image }, undefined, given), { username: "node", password });
  }
  const own = { username: "lab", password: "own" };
  assert.deepEqual(await credentialsFor({ image, registry: own }, undefined, given), own);
  assert.equal(await credentialsFor({ image: `other.example/trainer${DIGEST}` }, undefined, given), undefined);
});
