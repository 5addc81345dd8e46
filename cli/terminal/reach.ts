import type { Canvas } from './redraw.ts';

/** Says once, of what is followed, that it cannot be reached, and once that it can again. */
export function reachOn(canvas: Canvas): { readonly found: () => void; readonly lost: (why: string) => void } {
  let isLost = false;
  return {
    found() {
      if (isLost) canvas.say('connected again');
      isLost = false;
    },
    lost(why) {
      if (!isLost) canvas.say(`${why}; trying again`);
      isLost = true;
    },
  };
}
