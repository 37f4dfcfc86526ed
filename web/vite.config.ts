import react from "@vitejs/plugin-react";
import { defineConfig, type Plugin } from "vite";

/** Fails the build where a module of Node's would come along: what a reader's browser cannot run must not get in unnoticed. */
function noNode(): Plugin {
  return {
    name: "no-node",
    generateBundle(_, bundle) {
      for (const chunk of Object.values(bundle)) {
        if (chunk.type !== "chunk") continue;
        for (const [id, { renderedLength }] of Object.entries(chunk.modules)) {
          if (/browser-external|^node:/.test(id) && renderedLength > 0) {
            throw new Error(`${chunk.fileName} holds ${id}: browsers have no such module.`);
          }
        }
      }
    },
  };
}

export default defineConfig({
  root: import.meta.dirname,
  base: "./",
  plugins: [noNode(), react()],
  build: {
    target: "es2023",
    // Inlined assets would need data: in the content security policy.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    reportCompressedSize: false,
  },
});
