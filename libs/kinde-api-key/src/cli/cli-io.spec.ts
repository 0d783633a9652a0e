import { processIo } from './cli-io.js';

describe('processIo', () => {
  it.each(['SIGINT', 'SIGTERM'] as const)('waits for %s, and leaves a second one to the system', async (signal) => {
    const before = [process.listenerCount('SIGINT'), process.listenerCount('SIGTERM')];
    const asked = processIo.untilAskedToStop();
    expect(process.listenerCount(signal)).toBeGreaterThan(0);
    process.emit(signal);
    await asked;
    expect([process.listenerCount('SIGINT'), process.listenerCount('SIGTERM')]).toEqual(before);
  });
});
