import type { Browser, Page } from 'playwright-core';
import { DEMO_KEYS } from '../../apps/sample/src/demo/demo-keys.js';
import { type RunningSample, startSample } from '../../apps/sample/src/start-up/start-sample.js';
import { describeBrowser, launchBrowser } from '../support/browser.js';

jest.setTimeout(60_000);

describeBrowser('Swagger UI at /docs in a browser', () => {
  let sample: RunningSample;
  let browser: Browser;
  let page: Page;
  const failures: string[] = [];

  beforeAll(async () => {
    sample = await startSample({ port: 0, httpAdapter: 'express', kindeDomain: undefined });
    browser = await launchBrowser();
    page = await browser.newPage();
    page.setDefaultTimeout(20_000);
    page.on('pageerror', (error) => failures.push(error.message));
    page.on('requestfailed', (request) => failures.push(request.url()));
    await page.goto(`${sample.url}/docs`);
  });
  afterAll(async () => {
    await browser?.close();
    await sample?.stop();
  });

  async function authorize(rawKey: string): Promise<void> {
    await page.click('.scheme-container .authorize');
    const dialog = page.locator('.dialog-ux');
    await dialog.locator('.auth-container').waitFor();
    const logout = dialog.getByRole('button', { name: 'Remove authorization' });
    if (await logout.isVisible()) await logout.click();
    await dialog.locator('input').fill(rawKey);
    await dialog.getByRole('button', { name: 'Apply credentials' }).click();
    await dialog.locator('.btn-done').click();
  }

  const route = (method: string, path: string) =>
    page.locator(`.opblock-${method}`, { has: page.locator(`[data-path="${path}"]`) });

  /** Opens a route, fills in its body, executes it, and reads the answer from the page. */
  async function execute(method: string, path: string, body?: unknown): Promise<{ status: string; body: string }> {
    const block = route(method, path);
    const opened = block.locator('.execute');
    if (!(await opened.isVisible())) {
      await block.locator('.opblock-summary-control').click();
      await block.getByRole('button', { name: 'Try it out' }).click();
    }
    if (body !== undefined) await block.locator('textarea').fill(JSON.stringify(body));
    const answered = page.waitForResponse(
      (response) => new URL(response.url()).pathname === path.replace('{orgCode}', 'org_acme'),
    );
    await opened.click();
    const status = String((await answered).status());
    const shown = block.locator('.live-responses-table');
    await shown.locator('.response-col_status', { hasText: status }).waitFor();
    return { status, body: await shown.locator('.highlight-code').first().innerText() };
  }

  it('shows 401 before a key is entered', async () => {
    expect(await execute('get', '/organizations/{orgCode}/projects')).toEqual({
      status: '401',
      body: expect.stringContaining('"MISSING_KEY"') as string,
    });
  });

  it('shows 200 after a key is entered once', async () => {
    await authorize(DEMO_KEYS.acme.key);
    expect(await execute('get', '/organizations/{orgCode}/projects')).toEqual({
      status: '200',
      body: expect.stringContaining('"Apollo"') as string,
    });
  });

  it('shows 403 when a read-only key writes', async () => {
    await authorize(DEMO_KEYS.acmeReadOnly.key);
    expect(await execute('post', '/organizations/{orgCode}/projects', { name: 'Mercury' })).toEqual({
      status: '403',
      body: expect.stringContaining('"INSUFFICIENT_SCOPE"') as string,
    });
  });

  it('shows 401 for a revoked key', async () => {
    await authorize(DEMO_KEYS.acmeRevoked.key);
    expect(await execute('get', '/organizations/{orgCode}/projects')).toEqual({
      status: '401',
      body: expect.stringContaining('"KEY_REVOKED"') as string,
    });
  });

  it('shows 429 to a key that is over the limit of the route, and how long to wait', async () => {
    await authorize(DEMO_KEYS.ada.key);
    for (let sent = 0; sent < 10; sent += 1) expect(await execute('get', '/me')).toMatchObject({ status: '200' });
    expect(await execute('get', '/me')).toEqual({
      status: '429',
      body: expect.stringContaining('"RATE_LIMITED"') as string,
    });
    const headers = route('get', '/me').locator(
      '.live-responses-table .headers-wrapper, .live-responses-table .microlight',
    );
    expect((await headers.allInnerTexts()).join('\n')).toMatch(/retry-after: \d+/);
  });

  it('shows the demo keys where a key is entered', async () => {
    await page.click('.scheme-container .authorize');
    const dialog = page.locator('.dialog-ux');
    await dialog.locator('.auth-container').waitFor();
    const text = await dialog.innerText();
    for (const { key } of Object.values(DEMO_KEYS)) expect(text).toContain(key);
    await dialog.locator('.btn-done').click();
  });

  it.each([
    ['401', 'MISSING_KEY'],
    ['403', 'INSUFFICIENT_SCOPE'],
    ['503', 'VERIFICATION_UNAVAILABLE'],
  ])('shows, before a call, that a route may answer %s, with an example of %s', async (status, code) => {
    const row = route('post', '/organizations/{orgCode}/projects').locator(
      `.responses-table tr.response[data-code="${status}"]`,
    );
    expect(await row.innerText()).toContain(code);
    expect(await row.locator('.highlight-code').innerText()).toContain(`"code": "`);
  });

  it('fills in the example of a body', async () => {
    await page.reload();
    const post = route('post', '/organizations/{orgCode}/users');
    await post.locator('.opblock-summary-control').click();
    await post.getByRole('button', { name: 'Try it out' }).click();
    expect(JSON.parse(await post.locator('textarea').inputValue())).toEqual({
      name: 'Alan Turing',
      email: 'alan@acme.example',
    });
  });

  it('has no script errors and no failed requests', () => {
    expect(failures).toEqual([]);
  });
});
