import type { ColumnProfile } from '../profile.ts';

/** What a column of a table of transactions may be. */
export type Role = 'customer' | 'day' | 'basket' | 'amount' | 'unitPrice' | 'quantity' | 'kind';

interface RoleRule {
  readonly role: Role;
  /** Against the name as lower-case words. */
  readonly pattern: RegExp;
  /** From 0 to 1: how sure the name makes us. */
  readonly confidence: number;
  /** What the name says, for people: "named like …". */
  readonly like: string;
}

const CUSTOMER =
  '(?:customer|cust|client|user|usr|account|acct|member|subscriber|subs|contact|household|hshd|panelist|shopper|buyer|cardholder|loyalty ?card|kunden?|kd|k(?:ä|ae?)ufer|haushalts?|mitglieds?|nutzer|konto|acheteur|abonn(?:é|e)|membre|foyer|compte)';
const ID =
  '(?:id|key|no|num|nr|number|nummer|kennung|schl(?:ü|ue)ssel|code|uuid|guid|ref|num(?:é|e)ro|identifiant|n|n°)';
const BASKET =
  '(?:basket|invoice|order|transaction|trans|txn|receipt|bill|ticket|sale|purchase|checkout|visit|cart|rechnungs?|bestell(?:ungs?)?|auftrags?|beleg|bon|kassenbon|warenkorb|transaktions?|kauf|vorgangs?|facture|commande|panier|achat|vente|re(?:ç|c)u|re)';
const BOUGHT =
  '(?:order|invoice|transaction|trans|txn|purchase|sale|sales|basket|receipt|bill|payment|event|checkout|visit|rechnungs?|bestell(?:ungs?)?|auftrags?|beleg|bon|kauf|transaktions?|buchungs?|verkaufs?|umsatz|(?:de |d )?(?:la )?(?:facture|facturation|commande|achat|vente|transaction))';

const rule = (role: Role, pattern: string, confidence: number, like: string): RoleRule => ({
  role,
  pattern: new RegExp(`^(?:${pattern})$`),
  confidence,
  like,
});

/** Names in English, German and French. Of the rules that a name fits, the surest counts. */
const ROLE_RULES: readonly RoleRule[] = [
  rule('customer', `${CUSTOMER} ?${ID}`, 0.97, "a customer's id"),
  rule('customer', `${ID} ?(?:de |du |of )?${CUSTOMER}|${CUSTOMER}`, 0.9, "a customer's id"),
  rule('basket', `${BASKET} ?${ID}`, 0.95, 'the id of an invoice or a basket'),
  rule('basket', `${ID} ?(?:de |du |d |of )?(?:la )?${BASKET}|${BASKET}`, 0.8, 'the id of an invoice or a basket'),
  rule(
    'day',
    `${BOUGHT} ?(?:purchase )?(?:date|day|datum|tag|time|dt|ts|timestamp|at|on|zeit|zeitpunkt)|${BOUGHT}date ?time`,
    0.95,
    'the day of a purchase',
  ),
  rule(
    'day',
    `(?:date|jour)(?: ?heure)? ${BOUGHT}|(?:order|purchas)ed ?(?:at|on)|bought ?(?:at|on)`,
    0.95,
    'the day of a purchase',
  ),
  rule('day', 'date|day|datum|tag|jour|timestamp|time|date ?time|datetime|zeitpunkt|zeitstempel', 0.8, 'a day'),
  rule('day', 'created(?: (?:at|on|date))?|erstellt(?: am)?|date (?:de )?cr(?:é|e)ation', 0.5, 'the day of a row'),
  rule(
    'amount',
    '(?:(?:total|net|gross|line|order|invoice|basket|sales?|transaction|trans|txn|purchase|payment|item|row|extended|paid|dollar|usd|eur|gbp) ?)*(?:amount|amt|value|total|revenue|sales|spend|spent|paid|price total|net|gross|subtotal|turnover|payment)(?: (?:usd|eur|gbp|net|gross|paid|total))?',
    0.9,
    'an amount of money',
  ),
  rule(
    'amount',
    '(?:gesamt|rechnungs|bestell|zahl|brutto|netto|zahlungs|positions|zeilen|verkaufs|waren)? ?(?:betrag|summe|umsatz|wert|gesamtpreis|erl(?:ö|oe)s)(?: (?:eur|brutto|netto|in eur))?|(?:montant|total|prix total|chiffre d affaires|ca|valeur)(?: (?:ttc|ht|total|net|pay(?:é|e)|eur))*',
    0.9,
    'an amount of money',
  ),
  rule(
    'unitPrice',
    '(?:unit|item|sales?|selling|piece|single)? ?price(?: (?:per unit|each|unit))?|price per (?:unit|item)',
    0.9,
    'a price',
  ),
  rule('unitPrice', '(?:einzel|st(?:ü|ue)ck|verkaufs)? ?preis|prix(?: unitaire| de vente| ht| ttc)*', 0.9, 'a price'),
  rule(
    'quantity',
    '(?:sales? |order(?:ed)? |item |unit )?(?:quantity|qty|units?|pieces|count)(?: (?:sold|ordered))?|(?:number|num|no) of (?:items|units|pieces|[a-z]+s)|menge|anzahl|st(?:ü|ue)ck(?:zahl)?|quantit(?:é|e)|qt(?:é|e)|nombre',
    0.9,
    'a number of pieces',
  ),
  rule(
    'kind',
    `(?:${BASKET}|item|payment|document|doc|row|line|movement|vorgang|beleg)? ?(?:status|state|type|kind|art|typ|zustand|statut|(?:é|e)tat)|status|type|is (?:return|refund|cancel+ed|returned|refunded)|(?:return|refund|cancel+ed|cancellation|returned|refunded|storno|storniert|retoure)(?: flag)?`,
    0.8,
    'what became of a purchase',
  ),
];

/** What a column of this name may be. */
export function rolesByName(words: string): Role[] {
  return ROLE_RULES.filter(({ pattern }) => pattern.test(words)).map(({ role }) => role);
}

/** A column, and what it is taken for. */
export interface Played {
  readonly role: Role;
  readonly source: ColumnProfile;
  readonly confidence: number;
  readonly reason: string;
}

/** Columns that may play a role by their names, the surest first; those of the file's order among equals. */
export function named(profiles: readonly ColumnProfile[], role: Role): Played[] {
  return profiles
    .flatMap((source) => {
      const fits = ROLE_RULES.filter(({ pattern }) => pattern.test(source.words)).sort(
        (a, b) => b.confidence - a.confidence,
      );
      const [best] = fits.filter((one) => one.role === role);
      if (best === undefined || source.kind === 'empty' || best.confidence < (fits[0]?.confidence ?? 0)) return [];
      return [{ role, source, confidence: best.confidence, reason: `named like ${best.like}` }];
    })
    .sort((a, b) => b.confidence - a.confidence);
}

/** Ids of things rather than of people or purchases. */
const THING =
  /product|prod|item|sku|stock|article|artikel|produit|store|shop|filiale|magasin|branch|warehouse|category|kategorie|brand|marke|coupon|campaign|promotion|line|row|zeile|position|session|device|employee|seller|vendor|supplier|week|woche/;

/** Whether a name says that its values are ids, of nobody knows what. */
export function isSomeId({ words, kind }: ColumnProfile): boolean {
  return (
    kind !== 'empty' && kind !== 'date' && /(?:^| )(?:id|uuid|guid|key|nr|nummer)$/.test(words) && !THING.test(words)
  );
}

const UNDONE =
  /^(?:cancel+ed|cancel|void|voided|failed|declined|storniert|storno|annul(?:é|e)e?|annulation|abgebrochen|rejected|error|unpaid|abandoned)$/;
const RETURNED =
  /^(?:refund(?:ed)?|return(?:ed|s)?|chargeback|charged ?back|credit(?: ?note)?|reversal|reversed|gutschrift|retoure|r(?:ü|ue)ckgabe|erstattung|erstattet|retour|rembours(?:é|e)e?|remboursement|avoir)$/;

/** What a word says of a row: nothing was bought, or it came back; undefined of a purchase. */
export function meaningOf(word: string): 'undone' | 'returned' | undefined {
  const plain = word.trim().toLowerCase().replaceAll(/[_-]/g, ' ');
  if (UNDONE.test(plain)) return 'undone';
  return RETURNED.test(plain) ? 'returned' : undefined;
}

/** Words by which tills and shops book those who have no account, in lower case. */
export const GUESTS: readonly string[] = [
  '0',
  '-1',
  'guest',
  'guests',
  'gast',
  'gäste',
  'gastbestellung',
  'invité',
  'invite',
  'anonymous',
  'anonym',
  'anonyme',
  'walk-in',
  'walkin',
  'walk in',
  'cash',
  'laufkunde',
  'barverkauf',
  'unbekannt',
  'inconnu',
  'no customer',
  'not set',
  '(not set)',
];
