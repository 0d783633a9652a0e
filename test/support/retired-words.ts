/**
 * Words that this project does not use for its own ideas, and what to write instead. They are looked for in texts and, word by word, in
 * identifiers and file names: `makesRoom` contains `room`.
 */
export const RETIRED_WORDS: Readonly<Record<string, string>> = {
  // persons as subjects
  whoever: 'the request, the client, the caller',
  whomever: 'the request, the client, the caller',
  somebody: 'the request, the client, the caller, the operator',
  nobody: 'negate the verb: "is not", "does not"',
  // metaphors
  room: 'module, capacity',
  rooms: 'modules, capacity',
  lane: 'queue, priority',
  lanes: 'queues, priorities',
  proven: 'known, previously accepted',
  visit: 'request state',
  visits: 'request states',
  passage: 'accepted state',
  bury: 'publish',
  buried: 'published',
  grave: 'invalidation',
  tombstone: 'invalidation',
  tombstones: 'invalidations',
  crowd: 'slow, under load',
  place: 'scope (of a limit), header, position, module, name',
  places: 'scopes (of limits), headers, positions, modules, names',
  twin: 'duplicate, second',
  twins: 'duplicates',
  lifeline: 'circuit',
  thought: 'check',
  // caching
  remember: 'cache, keep',
  remembers: 'caches, keeps',
  remembered: 'cached, kept',
  remembering: 'caching, keeping',
  slot: 'cache entry',
  slots: 'cache entries',
  believe: 'trust, use',
  believed: 'trusted, usable',
  unbelievable: 'unusable',
};

/** Phrases, looked for in any case and across one space each. */
export const RETIRED_PHRASES: Readonly<Record<string, string>> = {
  'goes by': 'uses, takes, is decided by',
  'is none': 'is not, does not',
  'are none': 'are not, do not',
  'is no such': 'is not, does not',
  'are no such': 'are not, do not',
  'lets go of': 'releases',
  'let go of': 'release',
  'makes room': 'evicts',
  'make room': 'evict',
  'kinde says': 'Kinde answers',
  'without a thought': 'without further checks',
};

/** Phrases of plain English around a retired word. They are taken out before words are looked for. */
export const PLAIN_PHRASES: readonly string[] = ['in place', 'take place', 'takes place'];

/** Where a word is a third party's, or the language's own. Each entry names the file, the word and whose it is. */
export const ALLOWED: readonly { readonly file: string; readonly word: string; readonly because: string }[] = [];
