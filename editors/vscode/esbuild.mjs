// Builds the extension for Node and its panels for the browser, into dist/.
import { build } from "esbuild";

const production = process.argv.includes("--production");
const common = {
  bundle: true,
  minify: production,
  sourcemap: production ? false : "linked",
  legalComments: "none",
  outdir: "dist",
  logLevel: "warning",
};

await Promise.all([
  build({
    ...common,
    entryPoints: { extension: "src/extension.ts" },
    platform: "node",
    format: "cjs",
    target: "node20",
    external: ["vscode"],
  }),
  build({
    ...common,
    entryPoints: { overview: "src/webview/overview.tsx", session: "src/webview/session.tsx" },
    platform: "browser",
    format: "iife",
    target: "es2022",
    jsx: "automatic",
    jsxImportSource: "preact",
  }),
]);
