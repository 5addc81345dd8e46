import { expect, test } from '@jest/globals';
import { missingRight, NEEDS } from './missing-right.ts';

test.each([
  ['permission denied for database shop', 'GRANT CREATE ON DATABASE shop TO "Ada ""L"""'],
  ['permission denied for schema holdfast', 'GRANT USAGE, CREATE ON SCHEMA holdfast TO "Ada ""L"""'],
  [
    'permission denied for view current_candidates',
    'GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA holdfast TO "Ada ""L"""',
  ],
  ['must be owner of table runs', 'connect as its owner, or ALTER TABLE holdfast.runs OWNER TO "Ada ""L"""'],
  [
    'must be owner of view outreach_candidates',
    'connect as its owner, or ALTER VIEW holdfast.outreach_candidates OWNER TO "Ada ""L"""',
  ],
])('%s: says the role and the statement', (said, statement) => {
  expect(missingRight(said, 'Ada "L"', NEEDS.RECORD_WRITER)).toBe(`${said}, and the role is Ada "L": ${statement}`);
});

test('what the server says otherwise has the role and no statement that may be wrong', () => {
  const said = 'keine Berechtigung für Tabelle runs';
  expect(missingRight(said, 'ada', NEEDS.RECORD_READER)).toBe(`${said}, and the role is ada`);
});
