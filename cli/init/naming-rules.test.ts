import { expect, test } from '@jest/globals';
import { isLabelName } from './label.ts';
import { isLeavingDateName } from './leaving.ts';
import { NAMING_RULES } from './naming-rules.ts';
import { protectedCharacteristic } from './protected.ts';
import { shown, slug, wordsOf } from './words.ts';

function surest(name: string): string | undefined {
  const rules = NAMING_RULES.filter(({ pattern }) => pattern.test(wordsOf(name)));
  return rules.sort((a, b) => b.confidence - a.confidence)[0]?.column;
}

test.each<[string, string[]]>([
  [
    'customer_id',
    [
      'Kundennummer',
      'Kunden-Nr.',
      'KundenID',
      'Numéro client',
      'N° client',
      'numero_client',
      'Identifiant client',
      'Code client',
    ],
  ],
  [
    'days_since_last_purchase',
    [
      'Letzte Bestellung',
      'letzter_kauf',
      'Datum der letzten Bestellung',
      'Dernière commande',
      'date_derniere_commande',
      'Dernier achat',
      'Tage seit letzter Bestellung',
      'Jours depuis la dernière commande',
    ],
  ],
  [
    'days_since_last_login',
    [
      'Letzte Anmeldung',
      'Letzter Login',
      'Zuletzt aktiv',
      'Dernière connexion',
      'Tage inaktiv',
      "Nombre de jours d'inactivité",
    ],
  ],
  ['lifetime_value', ['Umsatz', 'Gesamtumsatz', 'Umsatz EUR', "Chiffre d'affaires", 'CA total', 'Montant total']],
  ['marketplace', ['Land', 'Pays', 'Ländercode', 'Code pays']],
  [
    'subscription_tenure',
    [
      'Anmeldedatum',
      'Registriert am',
      'Kunde seit',
      'Vertragsbeginn',
      "Date d'inscription",
      'Inscrit le',
      'Client depuis',
      'Ancienneté (mois)',
    ],
  ],
  ['subscription_tier', ['Tarif', 'Formule']],
  ['support_tickets', ['Supportanfragen', 'Reklamationen', 'Nombre de réclamations']],
  ['opted_out', ['Werbesperre', 'Newsletter abgemeldet', 'Désabonné']],
  ['currency', ['Währung', 'Devise']],
])('%s is recognised under German and French names', (column, names) => {
  expect(names.map((name) => [name, surest(name)])).toEqual(names.map((name) => [name, column]));
});

test.each(['Gekündigt am', 'Kündigungsdatum', 'gekuendigt_zum', 'Résilié le', 'Date de résiliation'])(
  'the day of leaving may be called %s',
  (name) => {
    expect(isLeavingDateName(wordsOf(name))).toBe(true);
  },
);

test.each(['Gekündigt', 'gekuendigt', 'Kündigung', 'Abgewandert', 'Résilié', 'Résiliation'])(
  'who has left may be called %s',
  (name) => {
    expect(isLabelName(wordsOf(name))).toBe(true);
  },
);

test.each(['Sexe', 'Civilité', 'Altersgruppe', 'Situation familiale', 'Année de naissance', 'Nationalité'])(
  '%s is protected',
  (name) => {
    expect(protectedCharacteristic(wordsOf(name))).toBeDefined();
  },
);

test('a feature keeps the language of its column', () => {
  expect(slug('Letzte Bestellung')).toBe('letzte_bestellung');
});

test.each([
  [
    'customer_id',
    [
      'CustomerId',
      'customerID',
      'cust_id',
      'CUSTOMER_ID',
      'User ID',
      'msno',
      'client-id',
      'Kundennummer',
      'account_no',
      'id',
    ],
  ],
  [
    'subscription_tenure',
    [
      'tenure',
      'Tenure Months',
      'MonthsInService',
      'tenure_days',
      'signup_date',
      'registration_init_time',
      'CreatedAt',
      'customer since',
    ],
  ],
  ['lifetime_value', ['TotalCharges', 'Total Charges', 'LTV', 'clv', 'lifetime_value', 'total_spend', 'monetary']],
  [
    'days_since_last_login',
    ['LastLoginDate', 'last_login', 'lastSeen', 'days_since_last_login', 'last_active_at', 'DaysSinceLastVisit'],
  ],
  [
    'days_since_last_purchase',
    ['LastPurchaseDate', 'last_order_at', 'recency', 'days_since_prior_order', 'Last Transaction Date'],
  ],
  ['login_frequency', ['LoginsPerWeek', 'weekly_logins', 'sessions_last_30_days', 'login_frequency']],
  ['support_tickets', ['support_tickets', 'CustomerCareCalls', 'num_tickets', 'Customer service calls', 'complaints']],
  ['subscription_tier', ['plan', 'SubscriptionType', 'subscription_tier', 'membership_level', 'Plan Name']],
  ['marketplace', ['country', 'CountryCode', 'Geography', 'marketplace']],
  ['verified', ['is_verified', 'EmailVerified', 'verified']],
  ['opted_out', ['OptOutMailings', 'opted_out', 'unsubscribed', 'do_not_contact', 'opt-out']],
  ['engagement_score', ['EngagementScore', 'health_score', 'IsActiveMember']],
  ['engagement_change', ['usage_change', 'PercChangeMinutes', 'engagement_change_pct']],
  ['feature_usage', ['feature_usage', 'FeatureAdoptionRate']],
])('%s is recognised under other names', (column, names) => {
  expect(names.map((name) => [name, surest(name)])).toEqual(names.map((name) => [name, column]));
});

test.each([
  'MonthlyCharges',
  'PhoneService',
  'EstimatedSalary',
  'Balance',
  'RowNumber',
  'last_name',
  'planet',
  'ideal',
  'contract_end',
  'age',
])('%s is no column of the candidate', (name) => {
  expect(surest(name)).toBeUndefined();
});

test('what is shown of a name is one line that neither a terminal nor a comment obeys', () => {
  expect(shown('a\nb\u001b[31m\u2028\u202e')).toBe('a\\u{a}b\\u{1b}[31m\\u{2028}\\u{202e}');
  expect(Array.from(shown('😀'.repeat(500)))).toHaveLength(60);
});

test('a feature is named by lower-case letters, digits and underscores, whatever its column is called', () => {
  expect(['Total "Spend" €', '😀', 'ÄpfelProTag', '__proto__', 'x'.repeat(200)].map((name) => slug(name))).toEqual([
    'total_spend',
    'column',
    'a_pfel_pro_tag',
    'proto',
    'x'.repeat(63),
  ]);
});
