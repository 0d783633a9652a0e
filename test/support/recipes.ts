import { transformSync } from '@swc/core';
import { DOCS, sectionOf } from './markdown.js';
import { swcOptions } from './swc-options.js';

/** The recipes of the page on callers: each is one file of an app, and exports its `AppModule`. */
export const RECIPES = [
  'jwt',
  'passport',
  'session',
  'side-by-side',
  'side-by-side-passport',
  'side-by-side-session',
] as const;
export type RecipeName = (typeof RECIPES)[number];

/** @returns the code of a recipe, as the page shows it */
export function recipeCode(name: RecipeName): string {
  return codeOf(`${DOCS}/callers.md`, `recipe-${name}`);
}

/** @returns the code in a section of a page */
export function codeOf(page: string, section: string): string {
  return sectionOf(page, section).replace(/^```ts\n|```$/g, '');
}

/** Runs a recipe's file. @returns what it exports */
export function runRecipe(name: RecipeName): Record<string, unknown> {
  return runExample(recipeCode(name), `${name}.ts`);
}

/** Runs an example of a page. @returns what it exports */
export function runExample(source: string, filename: string): Record<string, unknown> {
  const { code } = transformSync(source, swcOptions('commonjs', { filename }));
  const exports: Record<string, unknown> = {};
  // oxlint-disable-next-line typescript/no-implied-eval -- the code is a page of this repository
  new Function('require', 'exports', code)(require, exports);
  return exports;
}
