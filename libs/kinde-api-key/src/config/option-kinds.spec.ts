import {
  EXACT_TEXT,
  choice,
  flag,
  integer,
  isRecord,
  object,
  offBy,
  option,
  readArgument,
  readTable,
  section,
  TEXT,
  type OptionKind,
} from './option-kinds.js';

function read<Used>(kind: OptionKind<unknown, Used>, given: unknown, env: NodeJS.ProcessEnv = {}) {
  const problems: string[] = [];
  return { used: kind.read(given, 'option', { problems, env }), problems };
}

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
  ])('of %p is %s', (value, expected) => {
    expect(isRecord(value)).toBe(expected);
  });
});

describe('integer', () => {
  const kind = integer({ min: 0, max: 5, default: 1 });

  it.each([
    [undefined, 1],
    [0, 0],
    [5, 5],
  ])('accepts %p and uses %p', (given, used) => {
    expect(read(kind, given)).toEqual({ used, problems: [] });
  });

  it.each([-1, 6, 1.5, Number.NaN, Number.POSITIVE_INFINITY, '3', null, true, 3n])('rejects %p', (given) => {
    expect(read(kind, given).problems).toEqual(['option must be a whole number from 0 to 5']);
  });

  it('without a default is a problem when it is absent', () => {
    expect(read(integer({ min: 1, max: 5 }), undefined).problems).toEqual([
      'option is missing: a whole number from 1 to 5',
    ]);
  });
});

describe('a text', () => {
  const kind = option({ ...TEXT, env: 'KINDE_DOMAIN', absent: '', missing: 'set KINDE_DOMAIN' });

  it.each([
    ['acme', { KINDE_DOMAIN: 'other' }],
    ['  acme\n', {}],
    [undefined, { KINDE_DOMAIN: 'acme' }],
    [undefined, { KINDE_DOMAIN: ' acme ' }],
  ])('%j beats the environment %j, and loses its surrounding blanks', (given, env) => {
    expect(read(kind, given, env)).toEqual({ used: 'acme', problems: [] });
  });

  it.each([[{}], [{ KINDE_DOMAIN: '' }], [{ KINDE_DOMAIN: '   ' }]])('is missing with the environment %j', (env) => {
    expect(read(kind, undefined, env).problems).toEqual(['option is missing: set KINDE_DOMAIN']);
  });

  it.each([[''], ['  '], [null], [7], [['acme']], [{}]])(
    'of the wrong type does not fall back to the environment: %j',
    (given) => {
      expect(read(kind, given, { KINDE_DOMAIN: 'acme' }).problems).toEqual(['option must be a text that is not empty']);
    },
  );

  it('may have a default, or be absent', () => {
    expect(read(option({ ...TEXT, absent: 'orgCode' }), undefined)).toEqual({ used: 'orgCode', problems: [] });
    const optional = option<string, null>({ ...TEXT, env: 'KINDE_API_ID', absent: null });
    expect(read(optional, undefined)).toEqual({ used: null, problems: [] });
    expect(read(optional, undefined, { KINDE_API_ID: 'api_1' }).used).toBe('api_1');
  });
});

describe('a credential', () => {
  const kind = option({ ...EXACT_TEXT, env: 'SECRET', absent: '', missing: 'set SECRET' });
  const takes =
    'must be a text that is not empty, without blanks or line ends around it (a secret from a file often ends with one)';

  it('is used as it was given', () => {
    expect(read(kind, 'a b', { SECRET: 'other' })).toEqual({ used: 'a b', problems: [] });
    expect(read(kind, undefined, { SECRET: 'secret' })).toEqual({ used: 'secret', problems: [] });
  });

  it.each([['secret\n'], [' secret'], ['secret\r\n'], ['\tsecret'], ['\uFEFFsecret'], ['secret\u00A0'], [''], [7]])(
    'is a problem as %j',
    (given) => {
      expect(read(kind, given).problems).toEqual([`option ${takes}`]);
    },
  );

  it('is a problem in the environment, which is named, and its value is not', () => {
    expect(read(kind, undefined, { SECRET: 'secret\n' }).problems).toEqual([`option (SECRET) ${takes}`]);
  });

  it('is missing in an environment that is blank', () => {
    expect(read(kind, undefined, { SECRET: ' \n' }).problems).toEqual(['option is missing: set SECRET']);
  });
});

describe('flag', () => {
  it.each([
    [undefined, true],
    [false, false],
    [true, true],
  ])('accepts %p and uses %p', (given, used) => {
    expect(read(flag(true), given)).toEqual({ used, problems: [] });
  });

  it.each(['false', 'true', 1, 0, null, ''])('rejects %p', (given) => {
    expect(read(flag(false), given)).toEqual({ used: false, problems: ['option must be true or false'] });
  });
});

describe('choice', () => {
  it.each([
    [undefined, 'refusals', 0],
    ['always', 'always', 0],
    ['never', 'refusals', 1],
    [null, 'refusals', 1],
  ])('reads %p as %p', (given, used, problems) => {
    const result = read(choice('refusals', 'always'), given);
    expect(result.used).toBe(used);
    expect(result.problems).toEqual(Array(problems).fill("option must be 'refusals' or 'always'"));
  });
});

describe('object', () => {
  it('accepts an object, or nothing', () => {
    const agent = {};
    expect(read(object(), agent).used).toBe(agent);
    expect(read(object(), undefined)).toEqual({ used: null, problems: [] });
  });

  it.each(['text', null, 7])('rejects %p', (given) => {
    expect(read(object(), given).problems).toEqual(['option must be an object']);
  });
});

describe('section', () => {
  const kind = section({ size: integer({ min: 1, max: 5, default: 2 }), depth: integer({ min: 1, max: 5 }) });

  it('reports each problem inside with its path', () => {
    expect(read(kind, { size: 9, width: 1 }).problems).toEqual([
      'option.width is not an option; known here: size, depth',
      'option.size must be a whole number from 1 to 5',
      'option.depth is missing: a whole number from 1 to 5',
    ]);
  });

  it.each([[null], [[]], ['text'], [7], [true]])('reports %p as one problem', (given) => {
    expect(read(kind, given).problems).toEqual(['option must be an object']);
  });

  it('is null for the value that turns it off, and for no other', () => {
    expect(read(offBy(false, kind), false)).toEqual({ used: null, problems: [] });
    expect(read(offBy(undefined, kind), undefined)).toEqual({ used: null, problems: [] });
    expect(read(offBy(false, kind), null).problems).toEqual(['option must be an object']);
    expect(read(offBy(undefined, kind), false).problems).toEqual(['option must be an object']);
  });
});

describe('readTable', () => {
  it('rejects a field that the table does not list, even one that every object inherits', () => {
    const problems: string[] = [];
    const used = readTable({ on: flag(false) }, { on: true, toString: 1 }, { problems, env: {} });
    expect(used).toEqual({ on: true });
    expect(problems).toEqual(['toString is not an option; known here: on']);
  });
});

describe('readArgument', () => {
  const table = { size: integer({ min: 1, max: 5, default: 2 }), on: flag(false) };

  it('fills in the defaults', () => {
    expect(readArgument(table, { size: 3 }, 'measure')).toEqual({ size: 3, on: false });
  });

  it('throws one TypeError with the function, every problem and the cure', () => {
    expect(() =>
      readArgument(table, { size: 6, on: 'true', off: 1 }, 'measure', ', e.g. measure({ size: 1 })'),
    ).toThrow(
      new TypeError(
        'measure({ off }) is not an option; known here: size, on; measure({ size }) must be a whole number from 1 to 5; ' +
          'measure({ on }) must be true or false, e.g. measure({ size: 1 })',
      ),
    );
    expect(() => readArgument(table, null, 'measure')).toThrow(new TypeError('measure() needs an object'));
  });
});
