// `npm run simulate`: how many calls a fleet makes, by the library's own code and by the formula.
import { PLANS, planTable } from './plans.js';
import { simulate } from './simulate.js';

const SECONDS = 900;

const measured = [];
for (const plan of PLANS) measured.push(await simulate(plan, SECONDS));
process.stdout.write(`${planTable(measured)}
100 requests a second, the n-th busiest key in proportion to 1/n; ttlMs 60,000; ${SECONDS} s after a start of 120 s; M2M tokens that live for a day.
A revoked key is accepted for 60 s at most (300 s while Kinde is down); after invalidate() for 100 ms by instances that are connected.
`);
