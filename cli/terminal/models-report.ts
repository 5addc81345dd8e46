import { stringify } from 'yaml';
import type { Figures, Measured } from '../../customers/training/measured.ts';
import type { ModelCheck, ModelValue } from '../../providers/models/onnx/check.ts';
import type { MeasuredLater } from '../init/measure-program.ts';
import { integer } from './figures.ts';
import { reliabilityText } from './reliability-text.ts';

/** A check with its verdict. */
export interface Checked extends ModelCheck {
  readonly usable: boolean;
}

/** What was found, for a person. */
export function checkReport(
  models: readonly Checked[],
  measured: Measured | undefined,
  { program, plot }: { readonly program?: string; readonly plot?: string },
): string {
  // What a program says already needs no saying.
  const blocks = models.map((model) =>
    [...modelBlock(model), ...(model.usable && program === undefined ? ['', ...snippet(model)] : [])].join('\n'),
  );
  const figures = measured === undefined ? [] : [measuredBlock(measured, plot).join('\n')];
  return `${[...blocks, ...figures].join('\n\n')}\n`;
}

const LABEL = 12;
const line = (label: string, text: string) => `${label.padEnd(LABEL)}${text}`.trimEnd();

function modelBlock(model: Checked): string[] {
  const {
    usable,
    file,
    faults,
    warnings,
    bytes,
    sha256,
    summary,
    inputs,
    outputs,
    role,
    features,
    kinds,
    rowsPerSecond,
  } = model;
  const given = (value: unknown, lines: () => string[]) => (value === undefined ? [] : lines());
  return [
    line(usable ? 'usable' : 'not usable', file),
    ...faults.map(({ code, reason }) => line('', `✗ ${reason} (${code})`)),
    ...warnings.map((warning) => line('', `! ${warning}`)),
    ...given(bytes, () => [line('size', `${integer(bytes ?? 0)} bytes`)]),
    ...given(sha256, () => [line('sha256', sha256 ?? '')]),
    line('role', `${role}${model.calibrated === true ? ', calibrated' : ''}`),
    ...inputs.map((value, index) => line(index === 0 ? 'input' : '', valueText(value))),
    ...outputs.map((value, index) => line(index === 0 ? 'output' : '', valueText(value))),
    ...given(features, () => [line('features', (features ?? []).join(', '))]),
    ...given(kinds, () => [line('kinds', (kinds ?? []).join(', '))]),
    ...given(summary, () => {
      const operators = Object.entries(summary?.operators ?? {}).map(([name, count]) =>
        count === 1 ? name : `${name} × ${count}`,
      );
      return [line('operators', `${operators.slice(0, 12).join(', ')}${operators.length > 12 ? ', …' : ''}`)];
    }),
    ...given(rowsPerSecond, () => [
      line('speed', `${integer(Number((rowsPerSecond ?? 0).toPrecision(3)))} rows/s, a thousand random rows at a time`),
    ]),
  ];
}

function valueText({ name, type, shape }: ModelValue): string {
  return `${name}  ${type} [${shape.map((size) => (size === '' || size === -1 ? '?' : size)).join(', ')}]`;
}

/** What a program says of the model. */
function snippet({ modelId, file, sha256, manifestSha256, features }: Checked): string[] {
  const entry = { modelId, endpoint: `onnx://${encodeURI(file)}`, sha256, manifestSha256, features };
  return stringify({ scoringModels: [entry] }, { compat: 'yaml-1.1', lineWidth: 110, flowCollectionPadding: false })
    .trimEnd()
    .split('\n');
}

const shownFigure = (figure: number) => (Number.isNaN(figure) ? 'not defined' : figure.toFixed(4));

function figuresText({ auc, brier }: Pick<Figures, 'auc' | 'brier'>): string {
  return `AUC ${shownFigure(auc)}   Brier ${shownFigure(brier)}`;
}

/** What else is of the rows that were measured. */
function besideLines({ rejected = 0, recencyAuc, gaps }: Measured & Partial<MeasuredLater>): string[] {
  return [
    ...(recencyAuc === undefined ? [] : [line('', `recency alone: AUC ${shownFigure(recencyAuc)}`)]),
    ...(rejected === 0 ? [] : [line('', `${integer(rejected)} more rows are set apart by the query`)]),
    ...(gaps === undefined
      ? []
      : [
          line('', `of ${integer(gaps.without.rows)} rows without missing values: ${figuresText(gaps.without)}`),
          line('', `of ${integer(gaps.with.rows)} rows with missing values: ${figuresText(gaps.with)}`),
        ]),
  ];
}

/** The same figures of the rows held out when the model was made. */
function trainingLines({ training, outOfTime }: Partial<MeasuredLater>): string[] {
  if (training === undefined) return [];
  const { rows, auc, brier, logLoss, calibrationError, baseRate } = training;
  return [
    line('in training', `${integer(rows)} rows held out, of whom ${(100 * baseRate).toFixed(1)} % left`),
    line('', fourFigures(auc, { brier, logLoss, calibrationError })),
    ...(outOfTime === undefined
      ? []
      : [
          line(
            '',
            `out of time, on ${integer(outOfTime.rows)} customers: ${figuresText(outOfTime)}   calibration error ${outOfTime.calibrationError.toFixed(4)}`,
          ),
          line('', `recency alone: AUC ${outOfTime.recencyAuc.toFixed(4)}`),
        ]),
  ];
}

function fourFigures(
  auc: number,
  { brier, logLoss, calibrationError }: Pick<Measured['reliability'], 'brier' | 'logLoss' | 'calibrationError'>,
): string {
  return `AUC ${auc.toFixed(4)}   Brier ${brier.toFixed(4)}   log loss ${logLoss.toFixed(4)}   calibration error ${calibrationError.toFixed(4)}`;
}

function measuredBlock(measured: Measured & Partial<MeasuredLater>, plot: string | undefined): string[] {
  const { label, rows, unlabelled, auc, reliability, doubts } = measured;
  const { baseRate } = reliability;
  return [
    line(
      'measured',
      `${integer(rows)} rows, of whom ${(100 * baseRate).toFixed(1)} % left (${label})${unlabelled === 0 ? '' : `; ${integer(unlabelled)} rows without a label`}`,
    ),
    line('', fourFigures(auc, reliability)),
    ...besideLines(measured),
    ...trainingLines(measured),
    ...doubts.map((doubt) => line('', `! ${doubt}`)),
    '',
    ...reliabilityText(reliability),
    ...(plot === undefined ? [] : ['', line('plot', plot)]),
  ];
}
