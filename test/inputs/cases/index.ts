import type { Case } from '../trial.ts';
import { FILES } from './files.ts';
import { IDENTITY } from './identity.ts';
import { LABELS } from './labels.ts';
import { MODELS } from './models.ts';
import { SCHEDULES } from './schedules.ts';
import { SERVERS } from './servers.ts';
import { VALUES } from './values.ts';
import { WAY_OUT } from './way-out.ts';

export const CASES: readonly Case[] = [
  ...MODELS,
  ...VALUES,
  ...LABELS,
  ...IDENTITY,
  ...FILES,
  ...SCHEDULES,
  ...SERVERS,
  ...WAY_OUT,
];
