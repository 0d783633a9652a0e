import { processIo } from './cli-io.js';

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
