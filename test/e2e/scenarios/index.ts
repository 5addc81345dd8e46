import type { Scenario } from '../scenario.ts';
import { suspended } from './control.ts';
import { deletedMidRun, jobTaken, namespaceDeleted } from './deletion.ts';
import { kubeletRestarted, leaderDeleted, podsDeleted } from './disruption.ts';
import { firstRun } from './first-run.ts';
import { installed, upgraded, widened } from './install.ts';
import { missingClaim, missingFiles, missingProgram, missingSecret, missingServiceAccount, quota } from './missing.ts';
import { missingImage } from './missing-image.ts';
import { notAllowed } from './not-allowed.ts';
import { otherPlatform } from './other-platform.ts';
import { quietLogs, uninstalled } from './quiet.ts';
import { backedUp, reinstalled } from './reinstall.ts';
import { shards } from './shards.ts';
import { slot } from './slot.ts';
import { ordered, retried } from './verbs.ts';

/** In order; those of one step at once. */
export const SCENARIOS: readonly (readonly Scenario[])[] = [
  [installed],
  [upgraded],
  [widened],
  [firstRun, slot],
  [podsDeleted, missingServiceAccount, quota, missingImage, otherPlatform],
  [leaderDeleted],
  [kubeletRestarted],
  [shards],
  [suspended, missingSecret, missingClaim, missingProgram],
  [retried, ordered],
  [deletedMidRun, jobTaken, missingFiles, notAllowed],
  [namespaceDeleted],
  [quietLogs],
  [uninstalled],
  [reinstalled],
  [backedUp],
];
