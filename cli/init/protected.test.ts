import { expect, test } from '@jest/globals';
import { protectedCharacteristic } from './protected.ts';
import { wordsOf } from './words.ts';

test.each([
  ['sex', ['gender', 'Sex', 'customer_gender', 'Salutation', 'is_female']],
  ['age', ['Age', 'customer_age', 'age_group', 'AgeHH1', 'SeniorCitizen', 'birth_year', 'Age (years)', 'Alter']],
  [
    'marital or family status',
    ['MaritalStatus', 'marital', 'Partner', 'Dependents', 'num_children', 'ChildrenInHH', 'is_married'],
  ],
  ['religion', ['religion', 'customer_religion']],
  ['race or ethnicity', ['race', 'Ethnicity', 'ethnic_group']],
  ['origin', ['nationality', 'country_of_birth', 'citizenship']],
  ['disability or health', ['disability', 'is_disabled', 'health_status']],
  ['sexual orientation', ['sexual_orientation']],
  ['political opinion or union membership', ['political_party', 'union_member']],
  // As Postgres folds what is not quoted.
  ['sex', ['customergender', 'isfemale']],
  ['age', ['seniorcitizen', 'issenior', 'customerage', 'agehh1', 'yearofbirth']],
  ['marital or family status', ['maritalstatus', 'ismarried', 'numchildren', 'numberofdependents', 'childreninhh']],
  ['race or ethnicity', ['ethnicgroup', 'racecode']],
  ['origin', ['countryofbirth', 'nationalorigin']],
  ['disability or health', ['healthstatus', 'isdisabled', 'medicalcondition']],
  ['sexual orientation', ['sexualorientation']],
])('%s is a protected characteristic, whatever the column is called', (characteristic, names) => {
  expect(names.map((name) => [name, protectedCharacteristic(wordsOf(name))])).toEqual(
    names.map((name) => [name, characteristic]),
  );
});

test.each([
  'account_age',
  'age_of_account_days',
  'days_since_last_login',
  'page_views',
  'usage',
  'tenure_months',
  'partner_id',
  'single_purchases',
  'country',
  'sextant',
  'racecard_orders',
  'churches_nearby_shops',
  'engagement',
  'accountage',
  'partnerid',
  'memberclass',
  'customercount',
  'usagecount',
  'averageorder',
])('%s is none', (name) => {
  expect(protectedCharacteristic(wordsOf(name))).toBeUndefined();
});
