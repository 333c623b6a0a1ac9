import { IAccount, IReleased, IState } from '../src/api';

/** An account of 1000 units of which 70 are spent, changed as a test wants. */
export function account(change: Partial<IAccount> = {}): IAccount {
  return {
    dataset: 'clinic',
    granted: '1000',
    spent: '70',
    left_share: '93 %',
    epsilon_spent: '0.42',
    epsilon_granted: '3.00',
    delta: '1e-9',
    words: '93 % left',
    ...change
  };
}

export function released(change: Partial<IReleased> = {}): IReleased {
  return {
    id: 'first',
    at: '2026-11-24T08:00:00Z',
    dataset: 'clinic',
    title: 'by_ward',
    question: '\nSELECT ward, COUNT(*) AS n\nFROM visits GROUP BY ward',
    charged: '10',
    charged_share: '1 %',
    purpose: 'exploration',
    ...change
  };
}

export function state(change: Partial<IState> = {}): IState {
  return {
    seq: 3,
    principal: 'ada',
    accounts: [account()],
    releases: [released()],
    ...change
  };
}

/** A release output as the client writes it. */
export function output(change: Record<string, unknown> = {}): any {
  const result = {
    title: 'by_ward',
    caption: 'at most 8 visits per patient',
    confidence: '95',
    columns: [
      { name: 'ward', label: 'key', kind: 'text', decimals: 0 },
      { name: 'n', label: 'rows', kind: 'int', decimals: 0 },
      { name: 'stay', label: 'mean', kind: 'float', decimals: 2 }
    ],
    rows: [
      ['cardiology', '12345', '3.145'],
      [null, '-12', '-0.25'],
      ['surgery', '7', null]
    ],
    half_widths: [
      [null, '17.2', '0.0301'],
      [null, '18', null],
      [null, '18', null]
    ],
    ...change
  };
  return {
    bundle: JSON.stringify({ result: JSON.stringify(result) }),
    receipt: { words: 'cost 1 % of your grant on clinic; 93 % left' }
  };
}
