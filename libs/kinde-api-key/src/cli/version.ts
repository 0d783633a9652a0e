/** The version of this package, as in its package.json (a spec compares them). */
export const VERSION = '0.1.0';
