import { codesOf } from '../../customers/columns/marketplace.ts';

/** Codes of ISO 3166-1 of two letters and of three. */
const THREE_LETTERS: ReadonlyMap<string, string> = new Map(
  `
  AD:AND AE:ARE AF:AFG AG:ATG AI:AIA AL:ALB AM:ARM AO:AGO AQ:ATA AR:ARG AS:ASM AT:AUT AU:AUS AW:ABW AX:ALA
  AZ:AZE BA:BIH BB:BRB BD:BGD BE:BEL BF:BFA BG:BGR BH:BHR BI:BDI BJ:BEN BL:BLM BM:BMU BN:BRN BO:BOL BQ:BES
  BR:BRA BS:BHS BT:BTN BV:BVT BW:BWA BY:BLR BZ:BLZ CA:CAN CC:CCK CD:COD CF:CAF CG:COG CH:CHE CI:CIV CK:COK
  CL:CHL CM:CMR CN:CHN CO:COL CR:CRI CU:CUB CV:CPV CW:CUW CX:CXR CY:CYP CZ:CZE DE:DEU DJ:DJI DK:DNK DM:DMA
  DO:DOM DZ:DZA EC:ECU EE:EST EG:EGY EH:ESH ER:ERI ES:ESP ET:ETH FI:FIN FJ:FJI FK:FLK FM:FSM FO:FRO FR:FRA
  GA:GAB GB:GBR GD:GRD GE:GEO GF:GUF GG:GGY GH:GHA GI:GIB GL:GRL GM:GMB GN:GIN GP:GLP GQ:GNQ GR:GRC GS:SGS
  GT:GTM GU:GUM GW:GNB GY:GUY HK:HKG HM:HMD HN:HND HR:HRV HT:HTI HU:HUN ID:IDN IE:IRL IL:ISR IM:IMN IN:IND
  IO:IOT IQ:IRQ IR:IRN IS:ISL IT:ITA JE:JEY JM:JAM JO:JOR JP:JPN KE:KEN KG:KGZ KH:KHM KI:KIR KM:COM KN:KNA
  KP:PRK KR:KOR KW:KWT KY:CYM KZ:KAZ LA:LAO LB:LBN LC:LCA LI:LIE LK:LKA LR:LBR LS:LSO LT:LTU LU:LUX LV:LVA
  LY:LBY MA:MAR MC:MCO MD:MDA ME:MNE MF:MAF MG:MDG MH:MHL MK:MKD ML:MLI MM:MMR MN:MNG MO:MAC MP:MNP MQ:MTQ
  MR:MRT MS:MSR MT:MLT MU:MUS MV:MDV MW:MWI MX:MEX MY:MYS MZ:MOZ NA:NAM NC:NCL NE:NER NF:NFK NG:NGA NI:NIC
  NL:NLD NO:NOR NP:NPL NR:NRU NU:NIU NZ:NZL OM:OMN PA:PAN PE:PER PF:PYF PG:PNG PH:PHL PK:PAK PL:POL PM:SPM
  PN:PCN PR:PRI PS:PSE PT:PRT PW:PLW PY:PRY QA:QAT RE:REU RO:ROU RS:SRB RU:RUS RW:RWA SA:SAU SB:SLB SC:SYC
  SD:SDN SE:SWE SG:SGP SH:SHN SI:SVN SJ:SJM SK:SVK SL:SLE SM:SMR SN:SEN SO:SOM SR:SUR SS:SSD ST:STP SV:SLV
  SX:SXM SY:SYR SZ:SWZ TC:TCA TD:TCD TF:ATF TG:TGO TH:THA TJ:TJK TK:TKL TL:TLS TM:TKM TN:TUN TO:TON TR:TUR
  TT:TTO TV:TUV TW:TWN TZ:TZA UA:UKR UG:UGA UM:UMI US:USA UY:URY UZ:UZB VA:VAT VC:VCT VE:VEN VG:VGB VI:VIR
  VN:VNM VU:VUT WF:WLF WS:WSM YE:YEM YT:MYT ZA:ZAF XK:XKX ZM:ZMB ZW:ZWE`
    .trim()
    .split(/\s+/)
    .map((pair) => pair.split(':') as [two: string, three: string]),
);

/** Names in use beside those of the runtime, folded as `folded` does, by their codes. */
const OTHER_NAMES: Readonly<Record<string, readonly string[]>> = {
  AE: ['uae', 'emirates'],
  BN: ['brunei darussalam'],
  BO: ['plurinational state of bolivia'],
  BS: ['bahamas'],
  CD: ['democratic republic of the congo', 'democratic republic of congo', 'dr congo', 'drc', 'zaire'],
  CG: ['republic of the congo', 'congo', 'congo republic'],
  CI: ['ivory coast'],
  CN: ['peoples republic of china', 'prc', 'mainland china'],
  CV: ['cabo verde'],
  CZ: ['czech republic'],
  DE: ['federal republic of germany', 'brd'],
  FK: ['falkland islands malvinas'],
  FM: ['federated states of micronesia'],
  GB: [
    'uk',
    'u k',
    'great britain',
    'britain',
    'england',
    'scotland',
    'wales',
    'northern ireland',
    'united kingdom of great britain and northern ireland',
  ],
  GM: ['gambia', 'republic of gambia'],
  GR: ['el', 'hellas'],
  HK: ['hong kong', 'hong kong sar'],
  IE: ['eire', 'republic of ireland', 'irish republic', 'rep of ireland'],
  IR: ['islamic republic of iran', 'persia'],
  KP: ['democratic peoples republic of korea', 'dprk', 'korea north'],
  KR: ['korea', 'republic of korea', 'korea republic of', 'korea south', 's korea'],
  LA: ['lao peoples democratic republic', 'lao pdr'],
  LY: ['libyan arab jamahiriya'],
  MD: ['republic of moldova'],
  MK: ['macedonia', 'fyrom', 'republic of north macedonia', 'former yugoslav republic of macedonia'],
  MM: ['myanmar', 'burma'],
  MO: ['macao', 'macau', 'macao sar', 'macau sar'],
  NL: ['holland', 'kingdom of netherlands'],
  PS: ['palestine', 'state of palestine', 'palestinian territory', 'occupied palestinian territory'],
  RU: ['russian federation'],
  SA: ['kingdom of saudi arabia', 'ksa'],
  SK: ['slovak republic'],
  ST: ['sao tome and principe'],
  SY: ['syrian arab republic'],
  SZ: ['swaziland'],
  TL: ['east timor', 'timor leste'],
  TR: ['turkey', 'republic of turkiye'],
  TW: ['taiwan province of china', 'taiwan republic of china', 'chinese taipei'],
  TZ: ['united republic of tanzania'],
  US: ['usa', 'u s a', 'u s', 'united states of america', 'america', 'the states'],
  VA: ['holy see', 'vatican'],
  VE: ['bolivarian republic of venezuela'],
  VG: ['british virgin islands', 'virgin islands british'],
  VI: ['us virgin islands', 'virgin islands us', 'united states virgin islands'],
  VN: ['viet nam'],
  ZA: ['republic of south africa', 'rsa'],
};

const LANGUAGES = ['en', 'de', 'fr', 'es', 'it', 'nl', 'pt'];

/** A name without what writers differ in: case, accents, points, articles, and the order around a comma. */
function folded(name: string): string {
  return name
    .normalize('NFKD')
    .replaceAll(/\p{M}/gu, '')
    .toLowerCase()
    .replaceAll('&', ' and ')
    .replaceAll(/['’`]/g, '')
    .replaceAll(/\bst\b\.?/g, 'saint')
    .replaceAll(/\bthe\b/g, ' ')
    .replaceAll(/[^\p{L}\p{N}]+/gu, ' ')
    .trim();
}

/** Codes by folded names, and by codes of two letters and of three. */
function codesByName(): ReadonlyMap<string, string> {
  const codes = new Map<string, string>();
  const all = [...THREE_LETTERS];
  for (const [code, three] of all) codes.set(folded(code), code).set(folded(three), code);
  for (const [code, names] of Object.entries(OTHER_NAMES)) for (const name of names) codes.set(folded(name), code);
  // English comes first: where two languages use one word for two countries, it is meant in English.
  for (const language of LANGUAGES) {
    const names = new Intl.DisplayNames([language], { type: 'region', fallback: 'none' });
    for (const [code] of all) {
      const name = names.of(code) ?? '';
      for (const key of [folded(name), folded(name.replace(/ ?\(.*\)| SAR China$/, ''))]) {
        if (key !== '' && !codes.has(key)) codes.set(key, code);
      }
    }
  }
  return codes;
}

/** Finds the country that a text names, by a code or a name; undefined where it names none that is known. */
export function countryFinder(): (text: string) => string | undefined {
  const codes = codesByName();
  return (text) => {
    const name = folded(text);
    const [, before = '', kind = ''] = /^(.+?) ((?:\w+ )*(?:republic|states?|kingdom) of)$/.exec(name) ?? [];
    const [, after = ''] = /^(?:republic|kingdom|state) of (.+)$/.exec(name) ?? [];
    const shorter = kind.includes('democratic') ? '' : before;
    return codes.get(name) ?? codes.get(`${kind} ${before}`) ?? codes.get(shorter) ?? codes.get(after);
  };
}

/** Codes of two and of three letters of a country. */
export function codesOfCountry(iso: string): string[] {
  const three = [...THREE_LETTERS].find(([code]) => code === iso)?.[1];
  return [...codesOf(iso), ...(three === undefined ? [] : [three])];
}
