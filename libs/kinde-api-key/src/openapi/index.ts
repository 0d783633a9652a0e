export type { ApiDocument } from './api-document.js';
export { documentApiKeys, type DocumentApiKeysOptions } from './document-api-keys.js';
