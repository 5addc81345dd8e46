import { type Case, ends, first, unless } from '../trial.ts';

/** Models of other tools. */
export const MODELS: readonly Case[] = [
  {
    input: '01',
    right: 'a forest whose float32 sum is 1.0000001192 has the risk 1, in models check and in a run',
    async check(trial) {
      const check = await trial.holdfast([
        'models',
        'check',
        'forest.onnx',
        '--data',
        'labelled.csv',
        '--label',
        'left',
      ]);
      const run = await trial.holdfast(['run', 'program.yaml', '--data', 'd']);
      const scored = await trial.artifact('d', 'offer/1/*.parquet', 'customer_id, risk_score');
      const whole = scored.filter(({ risk_score: risk }) => risk === 1).map(({ customer_id: id }) => id);
      return first(
        ends(check, 0, /usable/),
        ends(run, 0, /stored/),
        unless(
          whole.toSorted((a, b) => String(a).localeCompare(String(b))).join() === 'C2,C4',
          `risk 1 have ${whole.join(', ')}`,
        ),
      );
    },
  },
  ...['reg-logistic', 'te5-logistic', 'reg-softmax'].map(
    (name): Case => ({
      input: '03',
      right: `${name}: a transform over one target that the runtime leaves out is refused`,
      async check(trial) {
        const check = await trial.holdfast(['models', 'check', `${name}.onnx`]);
        return ends(check, 78, /LOGISTIC|SOFTMAX/, /Sigmoid|behind|take/i);
      },
    }),
  ),
  {
    input: '03',
    right: 'a run does not store a margin as a risk without a word',
    async check(trial) {
      const run = await trial.holdfast(['run', 'program.yaml', '--data', 'd']);
      return ends(run, [0, 78], /LOGISTIC|SOFTMAX|post_transform/);
    },
  },
  {
    input: '04',
    right: 'figures with and without gaps stand apart, and trees that lost their routes for gaps are doubted',
    async check(trial) {
      const check = await trial.holdfast(['models', 'check', 'nan.onnx', '--data', 't.csv', '--label', 'y']);
      return ends(check, [0, 78], /missing value|gap/i, /AUC[\s\S]*AUC/);
    },
  },
  {
    input: '05',
    right: 'of two outputs that both fit, the one for staying is not read as the risk without a word',
    async check(trial) {
      const check = await trial.holdfast(['models', 'check', 'skl_cols.onnx', '--data', 'lab.csv', '--label', 'left']);
      const run = await trial.holdfast(['run', 'skl_cols.yaml', '--data', 'd']);
      return first(
        ends(check, [0, 78], /two|i0|staying/),
        ends(run, [0, 78], /two|i0|i1/),
        unless(check.status === 78 || /staying/.test(check.said), 'an AUC well below 0.5 without a doubt'),
      );
    },
  },
  ...['skl_zip', 'skl_nozip', 'cat', 'lgb_zip', 'lie'].map(
    (name): Case => ({
      input: '05',
      right: `${name}: refused`,
      async check(trial) {
        const says = { skl_zip: /zipmap/i, lgb_zip: /zipmap/i, cat: /ZipMap/i, skl_nozip: /Gather|second|column/ };
        return ends(
          await trial.holdfast(['models', 'check', `${name}.onnx`]),
          78,
          says[name as keyof typeof says] ?? /HF_MODEL_REFUSED|./,
        );
      },
    }),
  ),
  ...Object.entries({
    ir99: /IR version 99/,
    opset99: /opset 99/,
    foo: /com\.acme/,
    lfs: /git lfs pull/,
    empty: /empty/,
    ext: /external_data=False/,
  }).map(
    ([name, says]): Case => ({
      input: '06',
      right: `${name}: refused in words that say what to do`,
      check: async (trial) => ends(await trial.holdfast(['models', 'check', `${name}.onnx`]), 78, says),
    }),
  ),
];
