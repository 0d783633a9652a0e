import type { Browser, BrowserContext, Locator, Page } from 'playwright-core';
import { DEMO_KEYS } from '../../apps/sample/src/demo/demo-keys.js';
import { type RunningSample, startSample } from '../../apps/sample/src/start-up/start-sample.js';
import { describeBrowser, launchBrowser } from '../support/browser.js';

/** A name that a page which parses it as HTML would run. */
const HOSTILE_NAME = '<img src=x onerror="globalThis.isRun = true">';
const SECRET = /^k_live_[0-9a-f]{48}$/;

jest.setTimeout(60_000);

describeBrowser('the API keys screen in a browser', () => {
  let sample: RunningSample;
  let browser: Browser;
  let context: BrowserContext;
  let page: Page;
  let failures: string[];

  beforeAll(async () => {
    sample = await startSample({ port: 0, httpAdapter: 'express', kindeDomain: undefined });
    browser = await launchBrowser();
  });
  afterAll(async () => {
    await browser?.close();
    await sample?.stop();
  });
  beforeEach(async () => {
    failures = [];
    context = await browser.newContext({ viewport: { width: 1280, height: 900 } });
    page = await context.newPage();
    page.setDefaultTimeout(20_000);
    page.on('pageerror', (error) => failures.push(error.message));
    page.on('console', (message) => {
      // Chromium reports every answer over 399 here
      if (message.type() === 'error' && !message.text().startsWith('Failed to load resource'))
        failures.push(message.text());
    });
    await page.goto(`${sample.url}/api-keys`);
  });
  afterEach(async () => {
    await context.close();
    if (failures.length > 0) throw new Error(`The page failed: ${failures.join('; ')}`);
  });

  const button = (name: string | RegExp): Locator => page.getByRole('button', { name, exact: true });
  const row = (name: string): Locator => page.getByRole('row', { name });
  const secretDialog = (): Locator => page.locator('#secret');

  async function signIn(rawKey: string = DEMO_KEYS.acme.key): Promise<void> {
    await page.getByLabel('API key of your organization').fill(rawKey);
    await button('Show keys').click();
  }

  /** Reads the key in the open dialog, and closes it. */
  async function takeSecret(): Promise<string> {
    const key = await secretDialog().getByLabel('Key').inputValue();
    await button('I have stored it').click();
    await secretDialog().waitFor({ state: 'hidden' });
    expect(key).toMatch(SECRET);
    expect(await page.locator('#secret-key').inputValue()).toBe('');
    return key;
  }

  async function create(name: string, ...scopes: string[]): Promise<string> {
    await page.getByLabel('Name').fill(name);
    for (const scope of scopes) await page.getByRole('checkbox', { name: scope }).check();
    await button('Create key').click();
    await secretDialog().waitFor();
    return takeSecret();
  }

  async function statusWith(rawKey: string): Promise<number> {
    const headers = { authorization: `Bearer ${rawKey}` };
    return (await fetch(`${sample.url}/organizations/org_acme/projects`, { headers })).status;
  }

  it('lists the keys of the organization: name, ends of the key, scopes, last use, status', async () => {
    await signIn();
    await row(DEMO_KEYS.acmeReadOnly.name).waitFor();
    const texts = await row(DEMO_KEYS.acmeReadOnly.name).getByRole('cell').allInnerTexts();
    expect(texts.slice(0, 5).map((text) => text.split('\n').join(' '))).toEqual([
      DEMO_KEYS.acmeReadOnly.name,
      expect.stringMatching(/^k_.*…only$/) as string,
      'read:projects read:users',
      'Never',
      expect.stringMatching(/^active$/i) as string,
    ]);
    expect(await row(DEMO_KEYS.acme.name).innerText()).toContain('your key');
    expect(await page.locator('#keys').innerText()).not.toContain('org_globex');
  });

  it('creates a key, shows it once with a copy button, and it works by a call', async () => {
    await context.grantPermissions(['clipboard-read', 'clipboard-write']);
    await signIn();
    await page.getByLabel('Name').fill('Nightly export');
    await page.getByRole('checkbox', { name: 'read:projects' }).check();
    await button('Create key').click();
    await secretDialog().waitFor();
    expect(await secretDialog().innerText()).toContain('shown only once');
    await button('Copy key').click();
    await secretDialog().getByText('Copied.').waitFor();
    const copied = await page.evaluate<string>('navigator.clipboard.readText()');
    await page.keyboard.press('Escape');
    await page.keyboard.press('Escape');
    const key = await takeSecret();
    expect(copied).toBe(key);
    await row('Nightly export').waitFor();
    expect(await statusWith(key)).toBe(200);
  });

  it('rotates a key: the old secret gets 401 at the next request, and the new one 200', async () => {
    await signIn();
    const old = await create('To rotate', 'read:projects');
    expect(await statusWith(old)).toBe(200);
    await button('Rotate To rotate').click();
    await button('Rotate key').click();
    await secretDialog().waitFor();
    const rotated = await takeSecret();
    expect([await statusWith(old), await statusWith(rotated)]).toEqual([401, 200]);
  });

  it('revokes a key after a question: it gets 401 at the next request', async () => {
    await signIn();
    const key = await create('To revoke', 'read:projects');
    expect(await statusWith(key)).toBe(200);
    await button('Revoke To revoke').click();
    await button('Cancel').click();
    expect(await statusWith(key)).toBe(200);
    await button('Revoke To revoke').click();
    await button('Revoke key').click();
    await page.getByText('To revoke was revoked.').waitFor();
    expect(await statusWith(key)).toBe(401);
    expect(await row('To revoke').innerText()).toMatch(/revoked/i);
    expect(await row('To revoke').getByRole('button').count()).toBe(0);
  });

  it('shows a name with HTML as text, in the list and in every dialog', async () => {
    await signIn();
    await create(HOSTILE_NAME);
    expect(await row(HOSTILE_NAME).locator('.name').innerText()).toBe(HOSTILE_NAME);
    await row(HOSTILE_NAME).getByText('Revoke').click();
    expect(await page.locator('#confirm-heading').innerText()).toBe(`Revoke ${HOSTILE_NAME}?`);
    await button('Revoke key').click();
    await page.locator('#notice', { hasText: HOSTILE_NAME }).waitFor();
    expect(await page.locator('img').count()).toBe(0);
    expect(await page.evaluate('globalThis.isRun')).toBeUndefined();
  });

  it('sends one call for a double click', async () => {
    await signIn();
    await page.getByLabel('Name').fill('Only one');
    await button('Create key').dblclick();
    await secretDialog().waitFor();
    await takeSecret();
    await row('Only one').waitFor();
    expect(await row('Only one').count()).toBe(1);
  });

  it('continues with the new secret after a rotation of the key in use, and signs out after its revocation', async () => {
    await signIn();
    const own = await create('Own', 'read:projects', 'manage:keys');
    await button('Sign out').click();
    await signIn(own);
    await button('Rotate Own').click();
    await button('Rotate key').click();
    await secretDialog().waitFor();
    await takeSecret();
    await page.getByText('Own was rotated.').waitFor();
    await button('Revoke Own').click();
    expect(await page.locator('#confirm').innerText()).toContain('you will be signed out');
    await button('Revoke key').click();
    await page.getByText('Own was revoked.').waitFor();
    expect(await button('Show keys').isVisible()).toBe(true);
    expect(await page.locator('#keys tr').count()).toBe(0);
  });

  it.each([
    ['an unknown key', 'k_demo_nobody_has_this_one', '/key'],
    ['a key without manage:keys', DEMO_KEYS.acmeReadOnly.key, '/organizations/org_acme/api-keys'],
  ])("shows the API's own message for %s", async (_which, rawKey, path) => {
    const answer = await fetch(sample.url + path, { headers: { authorization: `Bearer ${rawKey}` } });
    const { message } = (await answer.json()) as { message: string };
    await signIn(rawKey);
    await page.locator('[role=alert]', { hasText: message }).waitFor();
    expect(await page.locator('#manage').isVisible()).toBe(false);
  });

  it('says that a key without an organization cannot be used here', async () => {
    await signIn(DEMO_KEYS.ada.key);
    await page.getByText('This key does not belong to an organization.').waitFor();
  });

  it('shows what an answer says to do next', async () => {
    const body = JSON.stringify({ message: 'Not now', hint: 'Ask the owner of the key.' });
    await page.route('**/key', (route) => route.fulfill({ status: 403, contentType: 'application/json', body }));
    await signIn();
    await page.getByText('Not now. Ask the owner of the key.').waitFor();
  });

  it('shows the list, and not a second creation, after an answer that was lost', async () => {
    await signIn();
    await page.route('**/api-keys', async (route) => {
      if (route.request().method() !== 'POST') return route.continue();
      await route.fetch();
      return route.abort();
    });
    await page.getByLabel('Name').fill('Lost');
    await button('Create key').click();
    await page.getByText('The API did not answer. Look at the list of keys before you try again.').waitFor();
    expect(await row('Lost').count()).toBe(1);
    failures = failures.filter((text) => !text.includes('net::ERR_FAILED'));
  });

  it('keeps the pasted key out of the address, storage, cookies and the page, and forgets it when the page is left', async () => {
    await signIn();
    await row(DEMO_KEYS.acme.name).waitFor();
    const kept = await page.evaluate<string>(
      'JSON.stringify([location.href, { ...localStorage }, { ...sessionStorage }, document.cookie])',
    );
    expect(kept).toBe(JSON.stringify([`${sample.url}/api-keys`, {}, {}, '']));
    expect(await page.content()).not.toContain(DEMO_KEYS.acme.key);
    expect(await page.getByLabel('API key of your organization').inputValue()).toBe('');
    await page.reload();
    await button('Show keys').waitFor();
    expect(await page.locator('#keys tr').count()).toBe(0);
  });

  it('has a policy that forbids scripts in the page, HTML from scripts, and other origins', async () => {
    const answer = await fetch(`${sample.url}/api-keys`);
    expect(answer.headers.get('content-security-policy')).toContain("default-src 'none'; script-src 'self'");
    const blocked = await page.evaluate<string[]>(`(async () => {
      const blocked = [];
      addEventListener('securitypolicyviolation', ({ effectiveDirective }) => blocked.push(effectiveDirective));
      const script = document.createElement('script');
      try { script.textContent = 'globalThis.isRun = true'; } catch { blocked.push('trusted types') }
      document.head.append(script);
      try { document.body.innerHTML = '<p>'; } catch { blocked.push('trusted types') }
      await fetch('http://127.0.0.1:9/').catch(() => undefined);
      const image = new Image();
      await new Promise((resolve) => { image.onerror = resolve; image.src = '/docs/favicon-32x32.png'; });
      await new Promise((resolve) => setTimeout(resolve));
      return blocked;
    })()`);
    expect(new Set(blocked)).toEqual(new Set(['trusted types', 'require-trusted-types-for', 'connect-src', 'img-src']));
    expect(await page.evaluate('globalThis.isRun')).toBeUndefined();
    failures = [];
  });

  it('loads nothing from elsewhere', async () => {
    const urls: string[] = [];
    page.on('request', (request) => urls.push(request.url()));
    await page.reload();
    await signIn();
    await row(DEMO_KEYS.acme.name).waitFor();
    expect(urls.filter((url) => !url.startsWith(sample.url))).toEqual([]);
  });

  it.each([1280, 390])('needs no scrolling to the side at %d pixels', async (width) => {
    await page.setViewportSize({ width, height: 900 });
    await signIn();
    await row(DEMO_KEYS.acme.name).waitFor();
    const overflow = 'document.documentElement.scrollWidth - document.documentElement.clientWidth';
    expect(await page.evaluate<number>(overflow)).toBeLessThanOrEqual(0);
  });

  it('can be used with the keyboard alone', async () => {
    await page.getByLabel('API key of your organization').focus();
    await page.keyboard.type(DEMO_KEYS.acme.key);
    await page.keyboard.press('Enter');
    await row(DEMO_KEYS.acme.name).waitFor();
    expect(await page.evaluate('document.activeElement.id')).toBe('list-heading');
    await page.getByLabel('Name').focus();
    await page.keyboard.type('By keyboard');
    await page.keyboard.press('Enter');
    await secretDialog().waitFor();
    expect(await page.evaluate('document.activeElement.id')).toBe('secret-heading');
    for (const id of ['secret-key', 'copy', 'secret-done']) {
      await page.keyboard.press('Tab');
      expect(await page.evaluate('document.activeElement.id')).toBe(id);
    }
    await page.keyboard.press('Enter');
    await page.getByText('By keyboard was created.').waitFor();
  });
});
