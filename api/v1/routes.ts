import type { Route } from '../http/route.ts';
import { candidateRoute, candidatesRoute } from './candidates.ts';
import { programsRoute } from './programs.ts';
import { runRoute, runsRoute } from './runs.ts';

/** Every resource of the API, the busiest first: the server tries them in this order. */
export const ROUTES: readonly Route[] = [candidateRoute, candidatesRoute, runsRoute, runRoute, programsRoute];
