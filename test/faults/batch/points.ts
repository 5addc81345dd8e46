import type { Random } from '../random.ts';
import { type LaptopPoint, VICTIMS } from './laptop-lane.ts';
import { BEGINNINGS, type Calm, MANNERS, type Manner, type ServerPoint } from './server-lane.ts';

/** A moment of a run at which something is killed. */
export type Point = { readonly name: string } & (
  | { readonly where: 'server'; readonly point: ServerPoint }
  | { readonly where: 'laptop'; readonly point: LaptopPoint }
);

/** One point in so many is about the Postgres that Holdfast starts itself. */
const LAPTOP_EVERY = 5;

/** As many points as asked for: each statement of a run, and each way to die, comes before any comes again. */
export function pointsOf(count: number, calm: Calm, random: Random): Point[] {
  const events = dealt(
    BEGINNINGS.flatMap((beginning) => [...new Set(calm[beginning].events)].map((event) => ({ beginning, event }))),
    random,
  );
  const manners = dealt<Manner>(MANNERS, random);
  const victims = dealt(VICTIMS, random);
  return Array.from({ length: count }, (_, number): Point => {
    if (number % LAPTOP_EVERY === LAPTOP_EVERY - 1) {
      const beginning = random.pick(BEGINNINGS);
      const point = { beginning, moment: random.next(), victim: victims(), looks: random.next() < 0.5 };
      return { where: 'laptop', point, name: laptopName(point) };
    }
    const { beginning, event } = events();
    const indices = calm[beginning].events.flatMap((one, index) => (one === event ? [index] : []));
    const side = random.pick(['before', 'after'] as const);
    const point = { beginning, event, index: random.pick(indices), side, manner: manners() };
    return { where: 'server', point, name: serverName(point) };
  });
}

/** Hands out the items in an order of chance, and begins anew when all were given. */
function dealt<Item>(items: readonly Item[], random: Random): () => Item {
  let hand: Item[] = [];
  return () => {
    if (hand.length === 0) hand = [...items];
    const item = random.pick(hand);
    hand.splice(hand.indexOf(item), 1);
    return item;
  };
}

function serverName({ beginning, event, index, side, manner }: ServerPoint): string {
  return `${manner} ${side} statement ${index} of the ${beginning === 'empty' ? 'first' : 'second'} batch: ${event}`;
}

function laptopName({ beginning, moment, victim, looks }: LaptopPoint): string {
  const batch = beginning === 'empty' ? 'first' : 'second';
  return `kill ${victim} ${Math.round(moment * 100)} % into the ${batch} batch on a laptop${looks ? ', then look' : ''}`;
}
