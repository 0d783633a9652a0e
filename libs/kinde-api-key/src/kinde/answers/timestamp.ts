/** An ISO 8601 time to the second or finer. The offset may have no minutes: Kinde sends `+11`, which `Date.parse` does not take. */
const TIMESTAMP = /^(\d{4}-\d\d-\d\d)[T ](\d\d:\d\d:\d\d)(?:[.,](\d{1,9}))?(?:([Zz])|([+-]\d\d)(?::?(\d\d))?)$/;

/** Returns the milliseconds since the epoch of a time in Kinde's form (`2024-11-18T13:32:03+11`), or `undefined` for any other text. */
export function parseTimestamp(text: string): number | undefined {
  const match = TIMESTAMP.exec(text);
  if (!match) return undefined;
  const [, date, time, fraction = '', utc, hours, minutes = '00'] = match;
  const offset = utc ? 'Z' : `${hours}:${minutes}`;
  const ms = Date.parse(`${date}T${time}.${fraction.slice(0, 3).padEnd(3, '0')}${offset}`);
  return Number.isNaN(ms) ? undefined : ms;
}
