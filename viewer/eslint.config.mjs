import js from "@eslint/js";
import globals from "globals";

export default [
  js.configs.recommended,
  { files: ["page/*.js"], languageOptions: { globals: { ...globals.browser, ...globals.worker } } },
  { files: ["*.mjs"], languageOptions: { globals: globals.node } },
  { rules: { "no-var": "error", "prefer-const": "error", eqeqeq: "error" } },
];
