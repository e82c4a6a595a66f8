// page/ and the libraries it names → static/viewer/built/, which the service serves: one module for the page, one for
// its worker, one for the page of two, one for collections of millions, each also compressed, so that the service sends them without compressing anything
// itself.

import { readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { brotliCompressSync, gzipSync } from "node:zlib";
import { build } from "esbuild";

const target = "static/viewer/built";
rmSync(target, { recursive: true, force: true });
await build({
  entryPoints: {
    main: "page/main.js",
    tiled: "page/tiled.js",
    compare: "page/compare.js",
    "tiles.worker": "page/render/tiles.worker.js",
  },
  bundle: true,
  external: ["./tiled.js"], // fetched by main.js where it is needed
  minify: true,
  format: "esm",
  target: "es2022",
  legalComments: "linked",
  outdir: target,
  logLevel: "warning",
});
for (const name of readdirSync(target).filter((name) => name.endsWith(".js"))) {
  const code = readFileSync(`${target}/${name}`);
  writeFileSync(`${target}/${name}.br`, brotliCompressSync(code));
  writeFileSync(`${target}/${name}.gz`, gzipSync(code, { level: 9 }));
}
