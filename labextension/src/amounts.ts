import { IAccount } from './api';

/**
 * How much of a grant is left, in percent, 0 to 100.
 *
 * Units exceed what a JavaScript number holds, so they are divided as integers
 * and rounded down: a meter never shows more than there is.
 */
export function leftPercent(account: IAccount): number {
  const granted = units(account.granted);
  const spent = units(account.spent);
  if (granted <= BigInt(0) || spent >= granted) {
    return 0;
  }
  return Number(((granted - spent) * BigInt(10_000)) / granted) / 100;
}

/** A share as people write it: `93`, `93%` and `93 %` all become `93 %`. */
export function percentText(share: string): string {
  return `${share.trim().replace(/\s*%$/, '')}\u00a0%`;
}

/** The first line of a question that says something. */
export function firstLine(question: string): string {
  const lines = question.split('\n').map(line => line.trim());
  return lines.find(line => line !== '') ?? '';
}

function units(text: string): bigint {
  return /^[0-9]{1,40}$/.test(text) ? BigInt(text) : BigInt(0);
}
