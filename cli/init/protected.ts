/**
 * Characteristics by which nobody may be treated differently, by the names of the columns that hold them, or that stand
 * for them, such as the salutation. One rule for all: no model is given any unless a person names it.
 */
const PROTECTED: Readonly<Record<string, RegExp>> = {
  sex: /(?:^| )(?:gender|sex|geschlecht|genre|salutation|anrede|honorific|pronouns?|transgender|pregnan(?:t|cy))(?: |$)|^(?:is )?(?:male|female)$/,
  age: /^(?:(?:customer|client|user|person|member|holder|head|current) )?age(?: ?(?:in )?(?:years?|yrs)| ?(?:group|band|bucket|range|class|bracket|category|segment)| ?hh ?\d?| ?\d)?$|^(?:is )?(?:senior|senior citizen|minor|retired|pensioner)$|^(?:year of birth|birth ?year|yob|generation|alter|geburtsjahr)$/,
  'marital or family status':
    /(?:^| )(?:marital|married|maritalstatus|civil status|family status|familienstand|spouse|divorced|widowed|maternity|paternity)(?: |$)|^(?:has |is )?(?:partner|single)$|^(?:(?:has|num|number of|nr|no|no of|count of) )*(?:dependents?|dependants?|children|kids)(?: (?:in )?(?:hh|household|count|at home))?$|^(?:children|kids) ?(?:in )?hh$/,
  religion: /(?:^| )(?:religion|religious|faith|denomination|konfession|church)(?: |$)/,
  'race or ethnicity': /(?:^| )(?:race|racial|ethnic|ethnicity|skin colou?r|caste|tribe|indigenous|aboriginal)(?: |$)/,
  origin:
    /(?:^| )(?:nationality|national origin|citizenship|citizen of|country of birth|birth ?(?:country|place)|place of birth|immigra(?:nt|tion)(?: status)?|migrant|native language|mother tongue|staatsangeh(?:ö|oe)rigkeit)(?: |$)/,
  'disability or health':
    /(?:^| )(?:disab(?:led|ility)|handicap(?:ped)?|impairment|health (?:status|condition)|medical condition|diagnosis|chronic illness|behinderung)(?: |$)/,
  'sexual orientation': /(?:^| )(?:sexual orientation|lgbtq?|orientation)(?: |$)/,
  'political opinion or union membership':
    /(?:^| )(?:political|party affiliation|trade union|union member(?:ship)?)(?: |$)/,
  'military service': /(?:^| )(?:veteran|military status)(?: |$)/,
};

/** Words of such names, longest first, by which a name is read that is written as one: Postgres folds `SeniorCitizen` so. */
const WORDS = [
  'affiliation|citizenship|nationality|immigration|orientation|dependants|dependents|disability|membership|pensioner',
  'condition|dependant|dependent|diagnosis|ethnicity|household|immigrant|political|religious|transgender|salutation',
  'category|children|citizen|customer|disabled|divorced|generation|military|national|pregnant|religion',
  'bracket|country|current|married|marital|medical|partner|retired|veteran|widowed',
  'bucket|client|ethnic|family|female|gender|health|holder|member|number|origin|person|racial|senior|sexual|single|spouse|status',
  'segment|birth|civil|class|count|group|minor|party|place|range|trade|union|years',
  'band|code|date|head|kids|male|race|user|year|age|has|num|sex|yob|yrs|hh|in|is|no|nr|of',
].join('|');
const AS_ONE = new RegExp(`^(?:${WORDS})+$`);
const EACH = new RegExp(WORDS, 'g');

/** The protected characteristic that a column holds, by its words; undefined where it holds none. */
export function protectedCharacteristic(words: string): string | undefined {
  const apart = AS_ONE.test(words) ? (words.match(EACH) ?? []).join(' ') : words;
  return Object.entries(PROTECTED).find(([, pattern]) => pattern.test(words) || pattern.test(apart))?.[0];
}
