import { curlOf, DEMO_CALLS } from './demo-calls.js';

describe('curlOf', () => {
  it('sends the key as a Bearer credential', () => {
    expect(
      curlOf(
        { shows: '', method: 'GET', path: '/me', key: 'ada', answer: { status: 200, contains: '' } },
        'http://a:1',
      ),
    ).toBe('curl -i http://a:1/me -H "Authorization: Bearer k_demo_user_ada_lovelace"');
  });

  it('omits the header without a key', () => {
    expect(
      curlOf(
        { shows: '', method: 'GET', path: '/health', key: 'none', answer: { status: 200, contains: '' } },
        'http://a:1',
      ),
    ).toBe('curl -i http://a:1/health');
  });

  it('quotes a body for Unix shells and for Windows', () => {
    expect(
      curlOf(
        {
          shows: '',
          method: 'POST',
          path: '/x',
          key: 'none',
          body: { name: 'M "1"' },
          answer: { status: 201, contains: '' },
        },
        'http://a:1',
      ),
    ).toBe(
      'curl -i -X POST http://a:1/x -H "Content-Type: application/json" -d "{\\"name\\":\\"M \\\\\\"1\\\\\\"\\"}"',
    );
  });
});

describe('DEMO_CALLS', () => {
  it('contain no character that a shell expands between double quotes', () => {
    expect(DEMO_CALLS.map((call) => curlOf(call, '')).join('\n')).not.toMatch(/[$`!]/);
  });
});
