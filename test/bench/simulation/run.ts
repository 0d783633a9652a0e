// `npm run simulate`: how many calls the instances of an app make, by the library's own code and by the formula.
import { PLANS, planTable } from './plans.js';
import { simulate } from './simulate.js';

const SECONDS = 900;

const measured = [];
for (const plan of PLANS) measured.push(await simulate(plan, SECONDS));
process.stdout.write(`${planTable(measured)}
100 requests a second, shared between keys in proportion to 1/n; ttlMs 60,000; ${SECONDS} s after a warm-up of 120 s; M2M tokens that live for a day.
A revoked key is accepted for at most 60 s (300 s during an outage of Kinde). After invalidate(), connected instances refuse it within milliseconds.
`);
