import js from "@eslint/js";
import globals from "globals";

// Imports go one way: i18n ← data ← render ← interaction ← ui ← the modules at the top of page/.
const ROOMS = ["i18n", "data", "render", "interaction", "ui"];
const direction = ROOMS.map((room, level) => ({
  files: [`page/${room}/**/*.js`],
  rules: {
    "no-restricted-imports": [
      "error",
      { patterns: [{ regex: `^\\.\\./(${[...ROOMS.slice(level + 1), "[^/]+$"].join("|")})` }] },
    ],
  },
}));

export default [
  js.configs.recommended,
  { files: ["page/**/*.js", "test/**/*.js"], languageOptions: { globals: { ...globals.browser, ...globals.worker } } },
  { files: ["*.mjs"], languageOptions: { globals: globals.node } },
  { rules: { "no-var": "error", "prefer-const": "error", eqeqeq: "error" } },
  ...direction,
];
