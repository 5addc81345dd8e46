const CUSTOMER = '(?:kunden?|client|abonne|adherent|membre|mitglieds?)';
const NUMBER = '(?:nr|nummer|no|n|num|numero|id|code|identifiant|ref|reference|schluessel|schlussel|kennung)';
const LAST_DE = '(?:datum (?:der )?)?letzte[rns]? ?';
const LAST_FR = '(?:date (?:de )?(?:la )?)?derniere? ?';

/** German and French names of columns, without accents, as the English ones that the rules know. */
const ENGLISH: readonly (readonly [pattern: string, english: string])[] = [
  [`${CUSTOMER} ?${NUMBER}|${NUMBER} (?:de |du |d )?${CUSTOMER}|identifiant`, 'customer id'],
  [`${LAST_DE}(?:bestellung|kauf|einkauf|bestelldatum|kaufdatum|auftrag)(?: am)?`, 'last order date'],
  [`${LAST_FR}(?:commande|achat)(?: le)?|date (?:du )?dernier achat`, 'last order date'],
  [
    `${LAST_DE}(?:anmeldung|login|log in|besuch|aktivitaet|aktivitat|nutzung|einloggen)(?: am)?|zuletzt (?:aktiv|angemeldet|eingeloggt|gesehen)(?: am)?`,
    'last login date',
  ],
  [`${LAST_FR}(?:connexion|visite|activite|session)(?: le)?`, 'last login date'],
  ['tage (?:seit|nach) (?:der )?letzte[rnm] (?:bestellung|kauf|einkauf)', 'days since last order'],
  ['(?:nb |nombre de )?jours depuis (?:la |le )?derniere? (?:commande|achat)', 'days since last order'],
  [
    'tage (?:seit|nach) (?:der |dem )?letzte[rnm] (?:anmeldung|login|besuch)|tage inaktiv|inaktive tage',
    'days since last login',
  ],
  ['(?:nb |nombre de )?jours (?:depuis (?:la )?derniere (?:connexion|visite)|d inactivite)', 'days since last login'],
  [
    '(?:gesamt|total)? ?(?:umsatz|umsaetze|umsatze)(?: (?:gesamt|total|eur|chf|netto|brutto))?|gesamtumsatz|kundenwert',
    'total revenue',
  ],
  [
    'chiffre d affaires?(?: (?:total|eur|ht|ttc))?|ca (?:total|ht|ttc)|montant total|total (?:des )?(?:achats|depenses?)',
    'total revenue',
  ],
  ['(?:bestellungen|kaeufe|kaufe|einkaeufe|einkaufe) (?:pro|je|im) monat', 'orders per month'],
  ['(?:commandes|achats) (?:par|du) mois', 'orders per month'],
  ['(?:logins|anmeldungen|besuche) (?:pro|je) woche', 'logins per week'],
  ['(?:connexions|visites) par semaine', 'logins per week'],
  ['(?:anzahl (?:der )?)?(?:support|service)? ?(?:anfragen|tickets|beschwerden|reklamationen)', 'support tickets'],
  [
    '(?:nb |nombre de )?(?:reclamations|tickets(?: (?:de |du )?support)?|appels (?:au )?(?:support|service client))',
    'support tickets',
  ],
  ['pays(?: (?:de residence|du client))?|wohnsitzland|kundenland|laendercode|landercode|code pays', 'country'],
  ['waehrung|wahrung|devise|monnaie', 'currency'],
  [
    '(?:anmelde|registrierungs?|eintritts?|beitritts|abschluss)datum|(?:registriert|angemeldet|beigetreten) am|(?:kunde|mitglied) seit|(?:vertrags|abo)beginn',
    'signup date',
  ],
  [
    '(?:date d |date de l )(?:inscription|adhesion|abonnement|enregistrement)|inscrit le|(?:client|abonne|membre|inscrit) depuis(?: le)?|date de (?:creation|debut)(?: (?:du |de )?(?:compte|contrat))?',
    'signup date',
  ],
  ['(?:kunden|vertrags)(?:dauer|laufzeit)(?: (?:in )?monaten?)|monate als kunde', 'tenure months'],
  ['anciennete (?:en )?mois', 'tenure months'],
  ['anciennete|kundendauer', 'tenure'],
  [
    '(?:gekue?ndigt|ausgetreten|beendet) (?:am|zum)|(?:kue?ndigungs|austritts)(?:datum|termin)|kue?ndigung (?:am|zum)',
    'cancelled at',
  ],
  [
    '(?:resilie|annule|clos|cloture|parti) le|date (?:de (?:la )?)?(?:resiliation|cloture|depart)|date d annulation',
    'cancelled at',
  ],
  ['(?:ist |hat )?(?:gekue?ndigt|abgewandert)|kue?ndigung|abwanderung', 'churned'],
  ['(?:est |a )?(?:resilie|churne)|resiliation|attrition|parti', 'churned'],
  ['kundenstatus|statut (?:du )?client', 'customer status'],
  ['(?:vertrags|abo)status|statut (?:de l |d |du )?(?:abonnement|contrat)', 'subscription status'],
  ['statut|etat', 'status'],
  ['tarif|abo(?:typ|modell)|tarifname|formule|type (?:d )?abonnement|forfait', 'plan'],
  ['verifiziert|verifie', 'verified'],
  ['werbe(?:sperre|widerspruch|verbot)|(?:newsletter )?abgemeldet|keine werbung', 'opted out'],
  ['desabonne|desinscrit|refus (?:de )?(?:publicite|demarchage)|opposition (?:marketing|commerciale)', 'opted out'],
  ['zeitzone|fuseau horaire', 'time zone'],
  // Who somebody is, and what nobody may be treated by: German and French files have them too.
  ['sexe|civilite', 'gender'],
  ['lebensalter|tranche d age|altersgruppe', 'age'],
  ['date de naissance|ne le|nee le|geburtsdatum|geburtstag|geb datum', 'birth date'],
  ['annee de naissance', 'birth year'],
  ['situation (?:familiale|matrimoniale)|etat civil', 'marital status'],
  ['nationalite', 'nationality'],
  ['nom(?: (?:de famille|du client|complet))?|kundenname', 'last name'],
  ['prenom', 'first name'],
  ['adresse(?: (?:postale|email|e mail|mail))?|rue|strasse', 'address'],
  ['telefon(?:nummer)?|handy(?:nummer)?|telephone|portable|mobil(?:nummer)?', 'phone'],
  ['code postal|postleitzahl', 'postal code'],
  ['courriel|mel', 'email'],
];

const PATTERNS = ENGLISH.map(([pattern, english]) => [new RegExp(`^(?:${pattern})$`), english] as const);

/** The English name of a column, as lower-case words; German and French ones are translated, all others stay. */
export function inEnglish(words: string): string {
  const plain = words.replaceAll('ß', 'ss').normalize('NFKD').replaceAll(/\p{M}/gu, '');
  return PATTERNS.find(([pattern]) => pattern.test(plain))?.[1] ?? words;
}
