import { EventEmitter } from 'node:events';
import { connectionOf, type RedisClient } from './redis-client.js';

describe('connectionOf', () => {
  it.each(['call', 'sendCommand'])('rejects where a client throws synchronously from %s()', async (method) => {
    const nothing = () => undefined;
    const methods = { duplicate: nothing, on: nothing, subscribe: nothing, disconnect: nothing, connect: nothing };
    const client = {
      ...methods,
      destroy: nothing,
      isOpen: true,
      [method]: () => {
        throw new Error('The client is closed');
      },
    };
    await expect(connectionOf(client as unknown as RedisClient).send(['PING'])).rejects.toThrow('closed');
  });

  it('adds one error listener to a client that many stores share', () => {
    const client = Object.assign(new EventEmitter(), {
      call: jest.fn(),
      duplicate: jest.fn(),
      subscribe: jest.fn(),
      disconnect: jest.fn(),
    });
    for (let stores = 0; stores < 20; stores += 1) connectionOf(client as unknown as RedisClient);
    expect(client.listenerCount('error')).toBe(1);
  });
});
