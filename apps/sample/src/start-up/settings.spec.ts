import { parseSettings } from './settings.js';

const KINDE = {
  KINDE_DOMAIN: 'acme',
  KINDE_MANAGEMENT_CLIENT_ID: 'id',
  KINDE_MANAGEMENT_CLIENT_SECRET: 'secret',
};

describe('parseSettings', () => {
  it('has defaults for all settings', () => {
    expect(parseSettings({}, [])).toEqual({ port: 3000, httpAdapter: 'express', kindeDomain: undefined });
  });

  it('treats an empty variable as unset', () => {
    expect(parseSettings({ PORT: '', HTTP_ADAPTER: '', KINDE_DOMAIN: '' }, [])).toEqual(parseSettings({}, []));
  });

  it.each([
    [{ HTTP_ADAPTER: 'fastify' }, []],
    [{}, ['--fastify']],
    [{ HTTP_ADAPTER: 'express' }, ['--fastify']],
  ])('chooses Fastify for %j %j', (environment, args) => {
    expect(parseSettings(environment, args).httpAdapter).toBe('fastify');
  });

  it('uses a real Kinde when all three variables are set', () => {
    expect(parseSettings(KINDE, []).kindeDomain).toBe('acme');
  });

  it.each([
    [{ ...KINDE, KINDE_DOMAIN: '' }, 'KINDE_DOMAIN is not set'],
    [{ KINDE_DOMAIN: 'acme' }, 'KINDE_MANAGEMENT_CLIENT_ID and KINDE_MANAGEMENT_CLIENT_SECRET are not set'],
  ])('says what half a configuration lacks, and never what it has', (environment, message) => {
    expect(() => parseSettings(environment, [])).toThrow(message);
    expect(() => parseSettings(environment, [])).not.toThrow('secret');
  });

  it.each(['abc', '-1', '65536', '3000.5', '0x50'])('rejects PORT=%s', (PORT) => {
    expect(() => parseSettings({ PORT }, [])).toThrow(`PORT must be a number from 0 to 65535, and is "${PORT}"`);
  });

  it('rejects an unknown HTTP adapter', () => {
    expect(() => parseSettings({ HTTP_ADAPTER: 'koa' }, [])).toThrow(
      'HTTP_ADAPTER must be express or fastify, and is "koa"',
    );
  });

  it('rejects an unknown flag', () => {
    expect(() => parseSettings({}, ['--fast'])).toThrow('Unknown arguments: --fast (the only flag is --fastify)');
  });
});
