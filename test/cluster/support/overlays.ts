import { fileURLToPath } from "node:url";

import { built, type ControlPlane } from "./control-plane.ts";

/** The manifests of a chain. */
export function overlay(name: string): string {
  return fileURLToPath(new URL(`../../../deploy/kubernetes/overlays/${name}`, import.meta.url));
}

/** Gives a cluster the custom resources that overlays use. */
export async function addCustomResources(plane: ControlPlane): Promise<void> {
  // Too large for the annotation in which a client keeps what it has applied.
  await plane.kubectl("apply", "--server-side", "--filename", built("crds"));
  await plane.kubectl("wait", "--for=condition=established", "--timeout=240s", "crd", "--all");
}
