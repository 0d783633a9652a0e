import { processIo, wantsColors } from './cli-io.js';

describe('processIo', () => {
  it.each(['SIGINT', 'SIGTERM'] as const)(
    'resolves on %s and removes its listeners, so that a second signal ends the process',
    async (signal) => {
      const before = [process.listenerCount('SIGINT'), process.listenerCount('SIGTERM')];
      const asked = processIo.untilAskedToStop();
      expect(process.listenerCount(signal)).toBeGreaterThan(0);
      process.emit(signal);
      await asked;
      expect([process.listenerCount('SIGINT'), process.listenerCount('SIGTERM')]).toEqual(before);
    },
  );
});

describe('wantsColors', () => {
  const terminal = { isTTY: true, hasColors: () => true };

  it.each<[string, NodeJS.ProcessEnv, Parameters<typeof wantsColors>[1], boolean]>([
    ['a terminal with colors', {}, terminal, true],
    ['a terminal without colors', {}, { isTTY: true, hasColors: () => false }, false],
    ['a file', {}, {}, false],
    ['NO_COLOR on a terminal', { NO_COLOR: '1' }, terminal, false],
    ['an empty NO_COLOR on a terminal', { NO_COLOR: '' }, terminal, true],
    ['FORCE_COLOR into a file', { FORCE_COLOR: '1' }, {}, true],
    ['FORCE_COLOR=0 on a terminal', { FORCE_COLOR: '0' }, terminal, false],
    ['FORCE_COLOR beside NO_COLOR', { FORCE_COLOR: '1', NO_COLOR: '1' }, {}, true],
  ])('decides for %s', (_what, env, stream, wanted) => {
    expect(wantsColors(env, stream)).toBe(wanted);
  });
});
