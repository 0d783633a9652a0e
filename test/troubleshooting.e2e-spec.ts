import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DOCS, REPOSITORY, sectionOf, withSection } from './support/markdown.js';
import { ADAPTERS } from './support/scenario.js';
import { SymptomBench, type Source } from './support/symptom-bench.js';
import { SYMPTOMS, symptomsMarkdown } from './support/symptoms.js';

const CASES = Object.entries(SYMPTOMS).flatMap(([heading, symptoms]) =>
  ADAPTERS.map((adapter) => ({ heading, adapter, symptoms })),
);
const PAGE = `${DOCS}/troubleshooting.md`;

describe('the page on troubleshooting', () => {
  it('shows the symptoms that the tests bring about (UPDATE_DOCS=1 rewrites it)', () => {
    const text = `\n${symptomsMarkdown()}\n`;
    if (process.env.UPDATE_DOCS === '1') writeFileSync(join(REPOSITORY, PAGE), withSection(PAGE, 'symptoms', text));
    expect(sectionOf(PAGE, 'symptoms')).toBe(text.trim());
  });
});

describe.each(CASES)('$heading on $adapter', ({ adapter, symptoms }) => {
  const benches: SymptomBench[] = [];

  afterEach(async () => {
    for (const bench of benches.splice(0)) await bench.close();
  });

  it.each(symptoms)('$symptom, because $cause: cause and cure are printed', async ({ symptom, prints, bring }) => {
    const evidence = await bring(async (setup) => {
      const bench = await SymptomBench.start(adapter, setup);
      benches.push(bench);
      return bench;
    });
    const [refusal] = /^\d{3} `[A-Z_]+`/.exec(symptom) ?? [];
    if (refusal) expect(evidence.answer?.slice(0, refusal.length)).toBe(refusal);
    for (const [from, says, cure] of prints) {
      const printed = textFrom(evidence, from);
      expect(printed).toContain(says);
      expect(printed).toContain(cure);
    }
  });
});

function textFrom(evidence: Partial<Record<Source, string>>, source: Source): string {
  return evidence[source] ?? `nothing was read from the ${source}`;
}
