import { ok, problem } from '../../doctor/finding.js';
import { printFindings } from './print-findings.js';

describe('printFindings', () => {
  const findings = [
    ok('DNS', 'acme.kinde.com resolves'),
    problem('CREDENTIALS', `Kinde refuses ${'the M2M application '.repeat(5)}`.trim(), 'w'.repeat(100), 'Compare them'),
  ];

  it('breaks lines at 80 columns, indents what belongs together, and keeps long words whole', () => {
    expect(printFindings(findings, { hasColors: false }).split('\n')).toEqual([
      'ok      DNS: acme.kinde.com resolves',
      'PROBLEM CREDENTIALS: Kinde refuses the M2M application the M2M application the',
      '    M2M application the M2M application the M2M application',
      `    ${'w'.repeat(100)}`,
      '    -> Compare them',
      '',
      '1 problem, 0 warnings, 1 ok',
      '',
    ]);
  });

  it('colors the marks alone, where there are colors', () => {
    const [first, second] = printFindings(findings, { hasColors: true }).split('\n');
    expect(first).toBe('\u001b[32mok\u001b[39m      DNS: acme.kinde.com resolves');
    expect(second?.startsWith('\u001b[31mPROBLEM\u001b[39m CREDENTIALS')).toBe(true);
  });
});
