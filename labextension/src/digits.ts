/** An exact number: BigInts, because a release may exceed 2^53. */
export interface IExact {
  top: bigint;
  bottom: bigint;
}

const DECIMAL =
  /^([+-]?)([0-9]{1,60})(?:\.([0-9]{1,60}))?(?:\/([0-9]{1,60}))?$/;

/**
 * Read a decimal (`-12.5`) or a fraction (`10/3`).
 *
 * @throws RangeError for anything else.
 */
export function parseExact(text: string): IExact {
  const match = DECIMAL.exec(text);
  if (!match || (match[3] !== undefined && match[4] !== undefined)) {
    throw new RangeError('not a decimal number');
  }
  const [, sign, whole, part = '', under = '1'] = match;
  const top = BigInt(whole + part) * BigInt(sign === '-' ? -1 : 1);
  const bottom = BigInt(under) * power(part.length);
  if (bottom === BigInt(0)) {
    throw new RangeError('not a decimal number');
  }
  return { top, bottom };
}

/** Digits with thousands commas, rounded half to even, or up for errors. */
export function digits(
  value: IExact,
  decimals: number,
  rounding: 'even' | 'up' = 'even'
): string {
  const step = power(decimals);
  const scaled = round(value.top * step, value.bottom, rounding);
  const size = scaled < BigInt(0) ? -scaled : scaled;
  const whole = (size / step).toString().replace(/\B(?=(\d{3})+$)/g, ',');
  const part = decimals
    ? '.' + (size % step).toString().padStart(decimals, '0')
    : '';
  return (scaled < BigInt(0) ? '\u2212' : '') + whole + part;
}

function round(top: bigint, bottom: bigint, rounding: 'even' | 'up'): bigint {
  let low = top / bottom;
  if (low * bottom > top) {
    low -= BigInt(1);
  }
  const twice = BigInt(2) * (top - low * bottom);
  const isUp =
    rounding === 'up'
      ? twice > BigInt(0)
      : twice > bottom || (twice === bottom && low % BigInt(2) !== BigInt(0));
  return isUp ? low + BigInt(1) : low;
}

function power(exponent: number): bigint {
  return BigInt('1' + '0'.repeat(exponent));
}
