// The "API keys" screen. Text from the API is set as `textContent` and never parsed as HTML. The raw key that was pasted is in `session` alone.

const $ = (id) => document.getElementById(id);

/** The key that was pasted, and what `/key` says about it; `undefined` while signed out. */
let session;
let isBusy = false;

$('sign-in').addEventListener('submit', (event) => {
  event.preventDefault();
  void run(() => signIn($('raw-key').value.trim()));
});
$('create').addEventListener('submit', (event) => {
  event.preventDefault();
  void run(createKey);
});
$('sign-out').addEventListener('click', () => {
  signOut();
  say('notice', 'You are signed out.');
});
$('copy').addEventListener('click', () => void copySecret());
$('secret-done').addEventListener('click', () => {
  $('secret-key').value = '';
  $('secret').close();
});
$('secret').addEventListener('cancel', (event) => event.preventDefault()); // Escape must not discard a key that is shown once
$('confirm-no').addEventListener('click', () => $('confirm').close('no'));
$('confirm-yes').addEventListener('click', () => $('confirm').close('yes'));
addEventListener('pagehide', signOut); // the browser may keep a page that was left in memory

/** Runs one action at a time, so that a double click does not create two keys, and shows how it failed. */
async function run(action) {
  if (isBusy) return;
  isBusy = true;
  $('main').setAttribute('aria-busy', 'true');
  say('notice', '');
  say('error', '');
  try {
    await action();
  } catch (error) {
    if (error.status === 401) signOut();
    say('error', error.message);
  } finally {
    isBusy = false;
    $('main').removeAttribute('aria-busy');
  }
}

async function signIn(key) {
  const { keyId, orgCode, scopes } = await send('GET', '/key', { key });
  if (orgCode === null) throw new Error('This key does not belong to an organization.');
  const keys = await send('GET', keysOf(orgCode), { key });
  session = { key, keyId, orgCode, scopes };
  $('sign-in').reset();
  $('organization').textContent = orgCode;
  $('scopes').replaceChildren(...scopes.map(boxOf));
  showSignedIn(true);
  showKeys(keys);
  $('list-heading').focus();
}

function signOut() {
  session = undefined;
  for (const dialog of [$('confirm'), $('secret')]) if (dialog.open) dialog.close();
  for (const form of [$('sign-in'), $('create')]) form.reset();
  $('secret-key').value = '';
  for (const shown of [$('keys'), $('scopes'), $('organization')]) shown.replaceChildren();
  showSignedIn(false);
  $('raw-key').focus();
}

function showSignedIn(isSignedIn) {
  for (const id of ['manage', 'session']) $(id).hidden = !isSignedIn;
  $('sign-in').hidden = isSignedIn;
}

async function createKey() {
  const name = $('name').value.trim();
  const scopes = [...$('create').querySelectorAll('[name=scope]:checked')].map((box) => box.value);
  const { key } = await send('POST', keysOf(session.orgCode), { body: { name, scopes } }).catch(rejectAfterReload);
  $('create').reset();
  await showSecret(`Your new key: ${name}`, key);
  await reload(`${name} was created.`);
}

async function rotateKey({ keyId, name }) {
  const text = 'Its present secret stops working at once. Programs that use it need the new one.';
  if (!(await confirms(`Rotate ${name}?`, text, 'Rotate key'))) return;
  const path = `${keysOf(session.orgCode)}/${encodeURIComponent(keyId)}/rotation`;
  const { key } = await send('POST', path).catch(rejectAfterReload);
  if (keyId === session.keyId) session.key = key;
  await showSecret(`The new secret of ${name}`, key);
  await reload(`${name} was rotated. The old secret is refused from now on.`);
}

async function revokeKey({ keyId, name }) {
  const isOwn = keyId === session.keyId;
  const text = isOwn
    ? 'You use this key here, so you will be signed out.'
    : 'Programs that use it are refused at once.';
  if (!(await confirms(`Revoke ${name}?`, `${text} This cannot be undone.`, 'Revoke key', 'danger'))) return;
  await send('DELETE', `${keysOf(session.orgCode)}/${encodeURIComponent(keyId)}`).catch(rejectAfterReload);
  const done = `${name} was revoked. It is refused from now on.`;
  if (!isOwn) return reload(done);
  signOut();
  say('notice', done);
}

/** Shows what is true after a call that failed: its answer may be lost, and the change made. */
async function rejectAfterReload(error) {
  if (error.status !== 401) await reload('').catch(() => undefined);
  throw error;
}

async function reload(done) {
  if (session === undefined) return; // signed out in the meantime
  showKeys(await send('GET', keysOf(session.orgCode)));
  say('notice', done);
  $('list-heading').focus();
}

function showKeys(keys) {
  const isActive = ({ status }) => status === 'active';
  const sorted = [...keys.filter(isActive), ...keys.filter((key) => !isActive(key))];
  $('keys').replaceChildren(...sorted.map(rowOf));
  $('empty').hidden = keys.length > 0;
}

function rowOf(key) {
  const row = $('key-row').content.firstElementChild.cloneNode(true);
  const at = (name) => row.querySelector(`.${name}`);
  const name = key.name ?? key.keyId;
  at('name').textContent = name;
  at('own').hidden = key.keyId !== session.keyId;
  at('ends').textContent = `${key.keyPrefix ?? ''}…${key.keySuffix ?? ''}`;
  at('scopes').replaceChildren(...key.scopes.map(itemOf));
  at('used').textContent = key.lastVerifiedOn === null ? 'Never' : timeOf(key.lastVerifiedOn);
  at('status').textContent = key.status;
  row.dataset.status = key.status;
  for (const [action, act] of [
    ['rotate', rotateKey],
    ['revoke', revokeKey],
  ]) {
    at(action).setAttribute('aria-label', `${at(action).textContent} ${name}`);
    at(action).addEventListener('click', () => void run(() => act({ keyId: key.keyId, name })));
    at(action).hidden = key.status === 'revoked';
  }
  return row;
}

function itemOf(scope) {
  const item = document.createElement('li');
  item.textContent = scope;
  return item;
}

function boxOf(scope) {
  const box = $('scope-box').content.firstElementChild.cloneNode(true);
  box.querySelector('input').value = scope;
  box.querySelector('code').textContent = scope;
  return box;
}

function timeOf(text) {
  const time = new Date(text);
  return Number.isNaN(time.getTime())
    ? text
    : time.toLocaleString(undefined, { dateStyle: 'medium', timeStyle: 'short' });
}

/** Asks a question in a dialog. */
async function confirms(question, text, yes, kind = '') {
  $('confirm-heading').textContent = question;
  $('confirm-text').textContent = text;
  $('confirm-yes').textContent = yes;
  $('confirm-yes').className = kind;
  await closed($('confirm'));
  return $('confirm').returnValue === 'yes' && session !== undefined;
}

/** Shows a raw key until it is stored, and then removes it from the page. */
async function showSecret(heading, key) {
  $('secret-heading').textContent = heading;
  $('secret-key').value = key;
  $('copied').textContent = '';
  await closed($('secret'));
  $('secret-key').value = '';
}

function closed(dialog) {
  dialog.returnValue = '';
  dialog.showModal();
  return new Promise((resolve) => dialog.addEventListener('close', resolve, { once: true }));
}

async function copySecret() {
  try {
    await navigator.clipboard.writeText($('secret-key').value);
    $('copied').textContent = 'Copied.';
  } catch {
    $('secret-key').select();
    $('copied').textContent = 'The browser does not allow it. The key is selected: press Ctrl+C or ⌘C.';
  }
}

const keysOf = (orgCode) => `/organizations/${encodeURIComponent(orgCode)}/api-keys`;

/** Calls the API. Fails with the message of its answer, and what that says to do next. */
async function send(method, path, { key = session.key, body } = {}) {
  const response = await fetch(path, {
    method,
    headers: { authorization: `Bearer ${key}`, ...(body && { 'content-type': 'application/json' }) },
    ...(body && { body: JSON.stringify(body) }),
    cache: 'no-store',
    credentials: 'omit',
    redirect: 'error',
    signal: AbortSignal.timeout(15_000),
  }).catch(() => {
    throw new Error('The API did not answer. Look at the list of keys before you try again.');
  });
  if (response.status === 204) return undefined;
  const answer = await response.json().catch(() => ({}));
  if (response.ok) return answer;
  const { message = `The API answered ${response.status}`, hint } = answer;
  const said = [message, hint].flat().filter((part) => typeof part === 'string');
  throw Object.assign(new Error(said.map((part) => part.replace(/[^.!?]$/, '$&.')).join(' ')), {
    status: response.status,
  });
}

function say(id, text) {
  $(id).textContent = text;
}
