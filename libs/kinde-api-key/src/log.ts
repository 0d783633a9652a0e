/** Where the room reports trouble. What it is given never contains a key, a secret, a token, or a word of Kinde's answers. */
export interface Log {
  /** Details for whoever is looking for them. */
  debug(message: string): void;
  /** Something is not as it should be; the library copes. */
  warn(message: string): void;
  /** Somebody has to do something. */
  error(message: string): void;
}
