// Tests that `npm test` leaves out, each with a script of its own:
//
//     npm run test:stress     floods, fuzzing and memory at full size; with one worker, because they measure
//     npm run test:browser    needs Chromium
//     npm run test:install    installs from the npm registry
import base, { project } from '../jest.config.mjs';

/** @type {import('jest').Config} */
export default {
  ...base,
  rootDir: '..',
  projects: [
    project('stress', '/test/stress/.*\\.stress-spec\\.ts$'),
    project('browser', '/test/browser/.*\\.e2e-spec\\.ts$'),
    project('install', '/test/install/.*\\.e2e-spec\\.ts$'),
  ],
};
