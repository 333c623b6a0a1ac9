import { digits, parseExact } from './digits';

export const MIME_TYPE = 'application/vnd.privlab.release.v1+json';

/** Rows drawn; the release itself holds all of them. */
export const MAX_ROWS = 200;

const MAX_DECIMALS = 12;

/** One column of a release. */
export interface IColumn {
  name: string;
  label: string;
  kind: string;
  decimals: number;
}

/** The table of an answer, as its bundle holds it. */
export interface IResult {
  title: string;
  caption: string;
  confidence: string;
  columns: IColumn[];
  rows: (string | null)[][];
  half_widths: (string | null)[][];
}

/** The text and side of one drawn cell. */
export interface ICell {
  text: string;
  right: boolean;
}

/**
 * Read the result out of the output's value.
 *
 * Outputs come from whoever wrote the notebook, so every field is checked.
 *
 * @returns null when anything is missing or has the wrong shape.
 */
export function readResult(value: any): IResult | null {
  if (typeof value?.bundle !== 'string') {
    return null;
  }
  try {
    const bundle = JSON.parse(value.bundle);
    const found = bundle?.result;
    const result = typeof found === 'string' ? JSON.parse(found) : found;
    return isResult(result) && drawsWell(result) ? result : null;
  } catch {
    return null;
  }
}

/** What it cost and what was left then, if the output carries a receipt. */
export function readCost(value: any): string {
  const words = value?.receipt?.words;
  return typeof words === 'string' ? words : '';
}

/** Whether a column holds noisy numbers, which have an error beside them. */
export function isEstimate(column: IColumn): boolean {
  return column.label !== 'key';
}

/** The heads: each estimate is followed by a column for its error. */
export function heads(result: IResult): ICell[] {
  const spread = `±${result.confidence.replace(/\s*%$/, '')}\u00a0%`;
  return result.columns.reduce<ICell[]>((cells, column) => {
    const head = { text: column.name, right: isRight(column) };
    return isEstimate(column)
      ? [...cells, head, { text: spread, right: true }]
      : [...cells, head];
  }, []);
}

/** The cells of row `index`, as many as there are heads. */
export function cells(result: IResult, index: number): ICell[] {
  const drawn: ICell[] = [];
  result.columns.forEach((column, at) => {
    const value = result.rows[index][at];
    if (!isEstimate(column)) {
      drawn.push({ text: value ?? '(null)', right: isRight(column) });
      return;
    }
    const width = result.half_widths[index][at];
    drawn.push(...estimate(column, value, width));
  });
  return drawn;
}

const COUNTS = new Set(['rows', 'units', 'distinct']);

/** How far off these are is in ranks, which the caption says. */
const CHOSEN = new Set(['median', 'quantile', 'min', 'max']);

/** Kinds of columns whose estimates are no numbers. */
const TIMES = new Set(['date', 'datetime']);

function estimate(
  column: IColumn,
  value: string | null,
  width: string | null
): ICell[] {
  const unknown = { text: 'unknown', right: true };
  if (value === null) {
    return [unknown, { text: '', right: true }];
  }
  if (TIMES.has(column.kind)) {
    return [
      { text: value, right: true },
      { text: 'in ranks', right: true }
    ];
  }
  const exact = parseExact(value);
  const error =
    width === null ? null : digits(parseExact(width), column.decimals, 'up');
  let text = digits(exact, column.decimals);
  if (COUNTS.has(column.label) && exact.top < 0) {
    // A count below zero is noise: 0 first, the estimate after it.
    text = `0 (estimate ${text}${error === null ? '' : ` ± ${error}`})`;
  }
  return [
    { text, right: true },
    {
      text: error ?? (CHOSEN.has(column.label) ? 'in ranks' : 'unknown'),
      right: true
    }
  ];
}

function isRight(column: IColumn): boolean {
  return isEstimate(column) || ['int', 'float'].includes(column.kind);
}

function isResult(value: any): value is IResult {
  return (
    typeof value?.title === 'string' &&
    typeof value.caption === 'string' &&
    typeof value.confidence === 'string' &&
    Array.isArray(value.columns) &&
    value.columns.every(isColumn) &&
    isGrid(value.rows, value.columns.length) &&
    isGrid(value.half_widths, value.columns.length) &&
    value.rows.length === value.half_widths.length
  );
}

function isColumn(value: any): value is IColumn {
  return (
    typeof value?.name === 'string' &&
    typeof value.label === 'string' &&
    typeof value.kind === 'string' &&
    Number.isInteger(value.decimals) &&
    value.decimals >= 0 &&
    value.decimals <= MAX_DECIMALS
  );
}

function isGrid(value: any, width: number): value is (string | null)[][] {
  return (
    Array.isArray(value) &&
    value.every(
      row =>
        Array.isArray(row) &&
        row.length === width &&
        row.every(cell => cell === null || typeof cell === 'string')
    )
  );
}

/** Every estimate that will be drawn is a number; throws RangeError if not. */
function drawsWell(result: IResult): boolean {
  result.rows.slice(0, MAX_ROWS).forEach((_, index) => cells(result, index));
  return true;
}
