import { bordersOf } from "./scripts/lint/borders.js";

export default {
  forbidden: bordersOf(import.meta.dirname),
  options: {
    tsPreCompilationDeps: true,
    tsConfig: { fileName: "tsconfig.json" },
    doNotFollow: { path: "node_modules" },
    exclude: { path: "^(types|artifacts|cache|coverage|web/dist)/" },
    enhancedResolveOptions: { exportsFields: ["exports"], conditionNames: ["import", "node", "default"] },
  },
};
