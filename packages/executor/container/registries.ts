import { createHmac } from "node:crypto";
import { readFile } from "node:fs/promises";

import { WorkloadError } from "../errors.ts";
import type { TaskSpec } from "../spec.ts";
import { messageOf } from "./engine.ts";

/** What a registry is shown. */
export interface Credentials {
  readonly username: string;
  readonly password: string;
}

/** A registry, or a part of one, that the node's owner has credentials for. */
export interface NodeRegistry {
  /** How images' names begin: a host, such as `registry.example:5000`, or a host and a path. */
  readonly prefix: string;
  readonly username: string;
  /** File that holds the password or token; read before each pull. */
  readonly passwordFile: string;
  /** Whose tasks may use them: a program can show to its developer whatever its image has. */
  readonly developers: "anyone" | readonly string[];
}

/** Host by which engines know images whose names have none. */
const DOCKER_HUB = "docker.io";

/** Registry of an image, by the rules of Docker's references. */
export function registryOf(image: string): string {
  const [first = "", ...rest] = image.split("/");
  return rest.length > 0 && (/[.:]/.test(first) || first === "localhost") ? first : DOCKER_HUB;
}

/**
 * The node's own registry that an image is pulled from for a developer; undefined if none is meant for both. Of several the one with
 * the longest prefix. Pure.
 *
 * @param developer Address that submitted the task; undefined: not known, which is nobody's.
 */
export function registryFor(
  image: string,
  developer: string | undefined,
  registries: readonly NodeRegistry[],
): NodeRegistry | undefined {
  const name =
    registryOf(image) === DOCKER_HUB && !image.startsWith(`${DOCKER_HUB}/`) ? `${DOCKER_HUB}/${image}` : image;
  const isFor = ({ developers }: NodeRegistry) =>
    developers === "anyone" || developers.some((each) => each.toLowerCase() === developer?.toLowerCase());
  return registries
    .filter((each) => name.startsWith(each.prefix.endsWith("/") ? each.prefix : `${each.prefix}/`) && isFor(each))
    .toSorted((a, b) => b.prefix.length - a.prefix.length)[0];
}

/**
 * What an image is pulled with: the developer's credentials, which a confidential spec has, or the node's own; undefined: none.
 *
 * @throws {@link WorkloadError} `IMAGE_UNAVAILABLE` if the node's own cannot be read
 */
export async function credentialsFor(
  spec: Pick<TaskSpec, "image" | "registry">,
  developer: string | undefined,
  registries: readonly NodeRegistry[],
): Promise<Credentials | undefined> {
  if (spec.registry !== undefined) return spec.registry;
  const own = registryFor(spec.image ?? "", developer, registries);
  if (own === undefined) return undefined;
  try {
    return { username: own.username, password: (await readFile(own.passwordFile, "utf8")).trim() };
  } catch (cause) {
    throw new WorkloadError(
      "IMAGE_UNAVAILABLE",
      `The password for ${own.prefix} cannot be read: ${messageOf(cause)}. Have the node's owner correct executor.registries.`,
      { cause },
    );
  }
}

/** Shows that credentials are the same as before, without keeping them. */
export function fingerprintOf({ username, password }: Credentials, salt: string): string {
  return createHmac("sha256", Buffer.from(salt, "hex")).update(`${username}\0${password}`).digest("hex");
}
