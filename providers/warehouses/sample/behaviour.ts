/**
 * What a customer does and what it does to the hazard. The macros take rows of `people`; warehouse tables show
 * their consequences only, with noise.
 */
export const BEHAVIOUR_MACROS = `
  -- 1 as ever, less after the turning day, back to 1 for those who recover.
  CREATE OR REPLACE TEMP MACRO vitality(day, turning_day, depth, pace, recovery_days) AS
    CASE WHEN day <= turning_day THEN 1.0
      ELSE 1.0 - depth * (1.0 - exp(-(day - turning_day) / pace))
        * exp(-greatest(0.0, day - turning_day - recovery_days) / 20.0) END;

  -- True effects: the share of the hazard that an offer takes away for twelve weeks.
  CREATE OR REPLACE TEMP MACRO discount_effect(discount_taste) AS clamp(0.02 + 0.82 * discount_taste, 0.0, 0.8);
  CREATE OR REPLACE TEMP MACRO upgrade_effect(tenure_days, usual_features) AS
    clamp(0.06 + 0.42 * clamp(tenure_days / 1500.0, 0.0, 1.0) + 0.3 * (usual_features - 0.55), 0.0, 0.8);
  CREATE OR REPLACE TEMP MACRO call_effect(trouble, usual_amount) AS
    clamp(0.10 + 0.36 * trouble::INTEGER + 0.004 * (usual_amount - 30.0), 0.0, 0.8);

  -- Hazard of cancelling in a quarter of 91 days, without any offer.
  CREATE OR REPLACE TEMP MACRO quarterly_hazard(
    vitality_now, turned_days, tenure_days, upper_tier, trouble, looks_around, usual_features, frailty
  ) AS
    (CASE WHEN upper_tier THEN 0.006 ELSE 0.012 END
      -- Nothing is added for who comes about as ever: said first, since most do and the rest takes time.
      + CASE WHEN vitality_now >= 0.85 THEN 0e0 ELSE CASE WHEN upper_tier THEN 0.785 ELSE 0.16 END
        * clamp((0.85 - vitality_now) / 0.2, 0.0, 1.0)
        -- They stop coming first, and leave when the next bills arrive.
        * clamp((turned_days - 15.0) / 25.0, 0.0, 1.0)
        -- Who came to less or uses little goes sooner, and the more so in the first year; trouble drives out those
        -- who came lately, while a long-standing customer forgives it.
        * exp(1.5 * (0.2 - vitality_now) + 1.0 * (0.55 - usual_features)
          + CASE WHEN tenure_days < 400 THEN 0.42 ELSE 0.0 END
          + CASE WHEN tenure_days < 800 THEN 0.74 ELSE 0.1 END * trouble::INTEGER
          + 0.62 * looks_around::INTEGER
          + 0.5 * (trouble AND looks_around)::INTEGER) END)
    * exp(0.2 * frailty);
`;

/** Vitality of a person, an alias of `people`, on a day. */
export const vitalityOf = (day: string, person: string) =>
  `vitality(${day}, ${person}.turning_day, ${person}.depth, ${person}.pace, ${person}.recovery_days)`;

/** Quarterly hazard of a person on a day. */
export const hazardOf = (day: string, person: string) =>
  `quarterly_hazard(${vitalityOf(day, person)}, ${day} - ${person}.turning_day, ${day} - ${person}.joined_day,
    ${person}.upper_tier, ${person}.trouble, ${person}.looks_around, ${person}.usual_features, ${person}.frailty)`;
