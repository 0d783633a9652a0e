import { isRecord, OptionsReader } from './options-reader.js';

describe('isRecord', () => {
  it.each([
    [{}, true],
    [{ a: 1 }, true],
    [Object.create(null) as object, true],
    [[], false],
    [null, false],
    [undefined, false],
    ['text', false],
    [() => undefined, false],
  ])('knows objects with fields: %p %s', (value, expected) => {
    expect(isRecord(value)).toBe(expected);
  });
});

describe('OptionsReader', () => {
  it.each([[null], [[]], ['text'], [7], [true]])('takes %p for no options, and says so', (input) => {
    const reader = new OptionsReader(input, '');
    expect(reader.problems).toEqual(['the options must be an object']);
    expect(reader.value).toEqual({});
  });

  it('names the section that is no object, in the words of its parent', () => {
    const reader = new OptionsReader({ kinde: 7, cache: true }, '');
    reader.section('kinde').section('http');
    reader.section('cache', 'an object, or false to turn it off');
    expect(reader.problems).toEqual(['kinde must be an object', 'cache must be an object, or false to turn it off']);
  });

  it('reports every problem of every section in one list, with its path', () => {
    const reader = new OptionsReader({ wrong: 1, kinde: { http: { wrong: 1 }, retries: 'x' } }, '');
    const connection = reader.section('kinde');
    reader.refuseUnknown(['kinde']);
    connection.integer('retries', 0, 5, 1);
    connection.section('http').refuseUnknown(['proxy', 'httpAgent']);
    expect(reader.problems).toEqual([
      'wrong is not an option; known here: kinde',
      'kinde.retries must be a whole number from 0 to 5',
      'kinde.http.wrong is not an option; known here: proxy, httpAgent',
    ]);
  });

  describe('text', () => {
    const read = (input: object, env: NodeJS.ProcessEnv = {}) => {
      const reader = new OptionsReader(input, '');
      return { found: reader.text('domain', env, 'KINDE_DOMAIN'), problems: reader.problems };
    };

    it.each([
      [{ domain: 'acme' }, { KINDE_DOMAIN: 'other' }],
      [{ domain: '  acme\n' }, {}],
      [{}, { KINDE_DOMAIN: 'acme' }],
      [{ domain: undefined }, { KINDE_DOMAIN: ' acme ' }],
    ])('prefers the option to the environment, and trims: %j %j', (input, env) => {
      expect(read(input, env)).toEqual({ found: 'acme', problems: [] });
    });

    it.each([[{}], [{ KINDE_DOMAIN: '' }], [{ KINDE_DOMAIN: '   ' }]])('is missing with %j', (env) => {
      expect(read({}, env)).toEqual({
        found: undefined,
        problems: ['domain is missing: pass it to forRoot() or set KINDE_DOMAIN in the environment'],
      });
    });

    it.each([[''], ['  '], [null], [7], [['acme']], [{}]])(
      'does not fall back to the environment for a wrong value: %j',
      (domain) => {
        expect(read({ domain }, { KINDE_DOMAIN: 'acme' })).toEqual({
          found: undefined,
          problems: ['domain must be a text that is not empty'],
        });
      },
    );
  });

  describe('integer', () => {
    const read = (value: unknown) => {
      const reader = new OptionsReader({ retries: value }, '');
      return { found: reader.integer('retries', 0, 5, 1), problems: reader.problems };
    };

    it.each([
      [undefined, 1],
      [0, 0],
      [5, 5],
    ])('takes %p', (value, found) => {
      expect(read(value)).toEqual({ found, problems: [] });
    });

    it.each([-1, 6, 1.5, Number.NaN, Number.POSITIVE_INFINITY, '3', null, true, 3n])('refuses %p', (value) => {
      expect(read(value)).toEqual({ found: 1, problems: ['retries must be a whole number from 0 to 5'] });
    });
  });

  it.each([
    [undefined, true, []],
    [false, false, []],
    [true, true, []],
    ['false', false, ['flag must be true or false']],
    [1, false, ['flag must be true or false']],
    [null, false, ['flag must be true or false']],
  ])('reads the flag %p', (flag, found, problems) => {
    const reader = new OptionsReader({ flag }, '');
    expect(reader.flag('flag', true)).toBe(found);
    expect(reader.problems).toEqual(problems);
  });

  it.each([[[]], ['text'], [['']], [[7]], [['a', null]], [{}], [null]])('refuses %j for a list of texts', (list) => {
    const reader = new OptionsReader({ list }, '');
    expect(reader.texts('list')).toEqual([]);
    expect(reader.problems).toEqual(['list must list at least one text, or be left out']);
  });

  it('copies the lists that it takes', () => {
    const list = ['a'];
    const classes = [class {}];
    const reader = new OptionsReader({ list, classes }, '');
    expect(reader.texts('list')).toEqual(['a']);
    expect(reader.texts('list')).not.toBe(list);
    expect(reader.functions('classes')).toEqual(classes);
    expect(reader.functions('classes')).not.toBe(classes);
    expect(reader.texts('absent')).toEqual([]);
    expect(reader.functions('absent')).toEqual([]);
    expect(reader.problems).toEqual([]);
  });

  it.each([[class {}], [['Guard']], [[{}]], [null]])('refuses %p for a list of classes', (list) => {
    const reader = new OptionsReader({ list }, '');
    expect(reader.functions('list')).toEqual([]);
    expect(reader.problems).toEqual(['list must be a list of classes']);
  });

  it('takes a function or nothing for a function', () => {
    const reader = new OptionsReader({ listener: Math.max, wrong: 'text', nothing: null }, '');
    expect(reader.optionalFunction('listener')).toBe(Math.max);
    expect(reader.optionalFunction('absent')).toBeUndefined();
    expect(reader.problems).toEqual([]);
    expect(reader.optionalFunction('wrong')).toBeUndefined();
    expect(reader.optionalFunction('nothing')).toBeUndefined();
    expect(reader.problems).toEqual(['wrong must be a function', 'nothing must be a function']);
  });

  it('takes an object or nothing for an object', () => {
    const reader = new OptionsReader({ agent: {}, wrong: 'text' }, '');
    reader.object('agent');
    reader.object('absent');
    reader.object('wrong');
    expect(reader.problems).toEqual(['wrong must be an object']);
  });
});
