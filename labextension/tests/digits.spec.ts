import { digits, parseExact } from '../src/digits';

const even = (text: string, decimals = 0) => digits(parseExact(text), decimals);
const up = (text: string, decimals = 0) =>
  digits(parseExact(text), decimals, 'up');

test.each([
  ['0', 0, '0'],
  ['-0.4', 0, '0'],
  ['2.5', 0, '2'],
  ['3.5', 0, '4'],
  ['-2.5', 0, '−2'],
  ['10/3', 2, '3.33'],
  ['-1234567.891', 1, '−1,234,567.9'],
  ['999.99', 1, '1,000.0'],
  ['9007199254740993', 0, '9,007,199,254,740,993'],
  ['0.05', 1, '0.0']
])('%s to %i decimals is %s', (text, decimals, shown) => {
  expect(even(text, decimals)).toBe(shown);
});

test.each([
  ['17.2', 0, '18'],
  ['18', 0, '18'],
  ['0.0301', 2, '0.04'],
  ['1/3', 1, '0.4']
])(
  'an error of %s to %i decimals is never understated: %s',
  (text, decimals, shown) => {
    expect(up(text, decimals)).toBe(shown);
  }
);

test.each(['', 'x', '1e9', '1/0', '1.5/2', '--1', 'NaN', '9'.repeat(61)])(
  '%p is refused',
  text => {
    expect(() => parseExact(text)).toThrow(RangeError);
  }
);
